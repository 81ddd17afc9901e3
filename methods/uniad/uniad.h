// UniAD (You et al., NeurIPS 2022): a transformer whose attention may not look at a position's own
// neighbourhood rebuilds the features of a frozen network; card uniad.
#pragma once

#include "methods/method.h"

namespace adb {

MethodEntry uniad_method();

}  // namespace adb
