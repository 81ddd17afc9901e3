// Golden cases of what happens to images before a network sees them.
#pragma once

#include "runners/verify/verify.h"

namespace adb {

// Computes the cases of method `data`: the resize of images and masks and the normalisation (card
// training-protocol, section 2).
GoldenFunction data_golden_function();

}  // namespace adb
