#pragma once

#include "methods/golden.h"

namespace adb::draem {

// Runs a golden case of card draem, section 12: forward passes after a calibration of the batch
// norms, training steps on one fixed batch, or the losses alone (those of card destseg with them).
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::draem
