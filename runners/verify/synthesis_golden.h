// Golden cases of synthesis/: Perlin noise, rotation, blending, augmenters.
#pragma once

#include "methods/golden.h"

namespace adb {

// Runs a case of card anomaly-synthesis, section 11 (field `method`: "anomaly synthesis"). What to
// compute follows from the case's inputs and from the names and fields of its tensors.
//   throws: Error(kData) for what the card does not know
GoldenResult run_synthesis_golden(const GoldenCase& golden);

}  // namespace adb
