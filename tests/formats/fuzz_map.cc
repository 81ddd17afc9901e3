// Anomaly maps in image files: PNG and TIFF.
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "images/codec.h"
#include "tests/formats/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adb;
  // The reader takes a path: this one leads to memory.
  static const int file = ::memfd_create("map", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (file < 0 || ::ftruncate(file, 0) != 0 ||
      ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  testing::refuse_or_read([&] { read_map(path); });
  testing::refuse_or_read([&] { read_mask(path); });
  return 0;
}
