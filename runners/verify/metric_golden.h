// Golden cases of the metrics: scores, masks and labels in, every figure out.
#pragma once

#include "runners/verify/verify.h"

namespace adb {

// Takes the cases metrics_*. Format and tolerances: card metrics, section 7.
GoldenFunction metric_golden_function();

}  // namespace adb
