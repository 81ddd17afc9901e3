// ResNet-18, -34, -50 and WideResNet-50-2 as frozen backbones.
#pragma once

#include <vector>

#include "nn/backbone.h"

namespace adb {

// Strides 2 (stem after its ReLU, before the pooling), 4, 8, 16, 32 (layer1 .. layer4);
// torchvision's names, which are timm's as well.
std::vector<BackboneEntry> resnet_backbones();

}  // namespace adb
