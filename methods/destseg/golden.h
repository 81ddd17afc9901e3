#pragma once

#include "methods/golden.h"

namespace adb::destseg {

// Runs a golden case of card destseg, section 13: forward passes, or training steps of one phase on
// one fixed batch, after a calibration of the batch norms where the case gives an input for it.
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::destseg
