#pragma once

#include "methods/golden.h"

namespace adb::rd {

// Runs a golden case of card RD, section 11: forward passes, or training steps on one fixed batch.
//   throws: Error(kData) for what the card does not know, Error(kUsage) for option values out of
//   range
GoldenResult run_golden(const GoldenCase& golden);

}  // namespace adb::rd
