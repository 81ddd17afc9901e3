#pragma once

#include "methods/golden.h"

namespace adb::uniad {

// Runs a golden case of card uniad, section 14: the whole model or the reconstruction alone (input
// `features`), in evaluation mode or training with given noise.
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::uniad
