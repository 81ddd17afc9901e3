// Methods that live outside this repository: a shared object with one entry point, loaded by
// `--plugin FILE.so`. It must be built with the LibTorch and the compiler of the program that loads
// it; both are part of the text that is compared first.
//
//   #include "methods/plugin.h"
//   ADBENCH_PLUGIN(registries) {
//     registries->methods.add(my_method());
//     return 0;
//   }
#pragma once

#include <torch/csrc/api/include/torch/version.h>

#include "core/registry.h"
#include "methods/method.h"

namespace adb {

// Raised when the seam (methods/method.h and what it includes) changes.
inline constexpr int kPluginAbi = 2;

struct Registries {
  Registry<MethodEntry>& methods;
};

}  // namespace adb

// What must agree, and what was compared when it does not.
#define ADB_PLUGIN_ABI "LibTorch " TORCH_VERSION ", compiler " __VERSION__

// Defines the two symbols that a plugin exports; the body that follows gives 0, or another number
// to refuse.
#define ADBENCH_PLUGIN(registries)                                                     \
  extern "C" __attribute__((visibility("default"))) const char* adbench_plugin_abi() { \
    return ADB_PLUGIN_ABI;                                                             \
  }                                                                                    \
  extern "C" __attribute__((visibility("default"))) int adbench_plugin(                \
      [[maybe_unused]] int abi, adb::Registries* registries)
