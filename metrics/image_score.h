// Ways to turn a score map into the score of its image. All sums in double, the result rounded
// once.
#pragma once

#include <cstddef>
#include <span>

namespace adb {

// Largest value of a map; NaN if it holds one. map: not empty
float max_score(std::span<const float> map);

// Largest mean over all windows of window x window pixels (stride 1, no padding), before rounding
// to a score; NaN if the map holds one. Each mean is a direct sum: no running sum loses digits.
//   map: [H, W] row-major with W = width, both >= window >= 1
//   throws: Error(kData) if the map is smaller than the window
double pooled_max(std::span<const float> map, std::size_t width, std::size_t window = 16);

// Mean of the `count` largest values (all, if there are fewer), before rounding. map: finite, not
// empty; count >= 1
double top_mean(std::span<const float> map, std::size_t count);

// Mean of a map, before rounding. map: not empty
double mean_score(std::span<const float> map);

}  // namespace adb
