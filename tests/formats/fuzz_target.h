// What the fuzz targets of this folder share. Each defines LLVMFuzzerTestOneInput, so that it links
// with libFuzzer as well as with fuzz_main.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace adb::testing {

// Runs `action` on foreign bytes: refusing them is fine, a bug in adbench is not, and any other
// exception (no memory, say) ends the program.
template <class Action>
void refuse_or_read(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kInternal) {
      throw;
    }
  }
}

}  // namespace adb::testing
