// Pixel figures on grids of thresholds, as the evaluator behind published multi-class tables
// computes them.
#pragma once

#include <cstddef>
#include <span>

#include "metrics/input.h"
#include "metrics/pixel_ranking.h"
#include "metrics/value.h"

namespace adb {

struct AderPixelFigures {
  MetricValue f1_max;  // best of 21 thresholds on scores normalised to 0..1
  MetricValue aupro;   // `steps` equally wide steps from the lowest to the highest score
  std::size_t aupro_points = 0;
};

// For comparison with published tables only. Source: cards/metrics.md section 4.
//   input: passed check_input; ranking: of that input; steps >= 2
AderPixelFigures ader_pixel_figures(const CategoryInput& input,
                                    const PixelRanking& ranking,
                                    int steps,
                                    int threads);

}  // namespace adb
