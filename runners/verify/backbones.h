// Golden cases of backbones alone.
#pragma once

#include "runners/verify/verify.h"

namespace adb {

// Computes the cases of method `backbone`: the feature maps of each stride and the logits of an
// EfficientNet (card efficientnet-lite), with formula weights or, where `pretrained` is set, with
// the published ones.
GoldenFunction backbone_golden_function();

}  // namespace adb
