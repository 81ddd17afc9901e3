// RD, reverse distillation (Deng and Li, CVPR 2022): a decoder rebuilds a frozen classifier's
// feature maps from a narrow bottleneck; where it fails, the image is unlike the normal ones.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry rd_method();

}  // namespace adb
