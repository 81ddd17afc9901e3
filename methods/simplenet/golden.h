#pragma once

#include "methods/golden.h"

namespace adb::simplenet {

// Runs a golden case of card simplenet: the patch aggregation alone, a forward pass, or training
// steps on one fixed batch.
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::simplenet
