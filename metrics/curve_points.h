// The curves of a category as polylines of few points, for plots: ROC and precision-recall of
// images and pixels, per-region overlap, score histograms. And what a heat map needs to be shown.
// No figure is computed from these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/curves.h"
#include "metrics/components.h"
#include "metrics/input.h"

namespace adb {

// Every point lies on the exact curve (cards/metrics.md section 1: every distinct score is a
// threshold), and the ends are there; between two points the curve differs from the straight line
// by less than 1/250 in x or in y, the pixel curves where scores are spread evenly over their
// sampled ranks. A line whose figure is undefined is empty. Image scores are those of the method.
//   fpr_limit: of the PRO curve, in (0, 1]; the last point lies on it, interpolated
//   throws: RejectedInput as check_input
// Time: one sort of the anomalous pixels, one pass with a binary search over all pixels.
CategoryCurves curve_points(const CategoryInput& input,
                            double fpr_limit,
                            Connectivity connectivity = Connectivity::kEight);

// The common colour scale of a category: the 0.5th and the 99.5th percentile of all values of its
// maps (the value of rank round(q (n - 1))).
struct MapScale {
  double low = 0;
  double high = 0;
};
MapScale map_scale(std::span<const std::span<const float>> maps);  // finite, at least one value

// A map as 8-bit grey for its thumbnail: each pixel the mean of the map's pixels below it, low and
// less as 0, high and more as 255 (all 0 when low == high). The longer side becomes max_side unless
// it is smaller already.
struct HeatThumbnail {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels{};  // row-major
};
HeatThumbnail heat_thumbnail(std::span<const float> map,
                             std::size_t height,
                             std::size_t width,
                             const MapScale& scale,
                             int max_side);

}  // namespace adb
