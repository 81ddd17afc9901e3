// SimpleNet (Liu et al., CVPR 2023): a small discriminator tells a frozen network's patch features
// from the same features with Gaussian noise; card simplenet.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry simplenet_method();

}  // namespace adb
