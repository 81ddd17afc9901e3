// ViTAD (Zhang et al., arXiv 2312.07495): a plain ViT decoder rebuilds three depths of a frozen
// plain ViT from its last one; where it fails, the image is unlike the normal ones.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry vitad_method();

}  // namespace adb
