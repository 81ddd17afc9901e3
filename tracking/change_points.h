// Where the level of a series moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/seed.h"

namespace adb {

struct ChangePoint {
  std::size_t index = 0;  // of the first value at the new level
  double before = 0;      // medians of the stretches on both sides, up to the next change points
  double after = 0;
  double p = 1;
};

// Chance of a false alarm in a series without a step, measured at most 1 % (docs/gate.md).
inline constexpr double kChangeAlpha = 0.005;
inline constexpr std::int64_t kChangePermutations = 1999;

// Binary segmentation. A stretch is split when, of all places, the rank sum of some first part is
// so far from what chance gives (in its standard deviations: Pettitt's change-point statistic,
// weighted for the place) that at most alpha of the orders of the values reach as far. The place is
// where two medians leave the least absolute deviations; then both parts are searched. Being a
// permutation test on ranks, it needs no assumption on the noise but that its order does not
// matter, and single outliers are no steps. Steps need about six values on each side of a short
// series, or two at the end of one of 40.
//   returns: by index
std::vector<ChangePoint> find_change_points(std::span<const double> series,
                                            double alpha,
                                            Stream stream);

}  // namespace adb
