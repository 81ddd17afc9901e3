#include "runners/worker/libtorch.h"

#include <torch/csrc/api/include/torch/version.h>

namespace adb {

std::string libtorch_version() {
  return TORCH_VERSION;
}

}  // namespace adb
