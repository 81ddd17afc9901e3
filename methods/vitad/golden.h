#pragma once

#include "methods/golden.h"

namespace adb::vitad {

// Runs a golden case of card vitad, section 12: a forward pass, training steps on one fixed batch,
// or one of the parts (a single block, position embeddings).
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::vitad
