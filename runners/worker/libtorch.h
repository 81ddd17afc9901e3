// Facts about the LibTorch that this program runs with.
#pragma once

#include <string>

namespace adb {

std::string libtorch_version();  // "2.13.0"

}  // namespace adb
