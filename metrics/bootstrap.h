// How far a category's figures depend on which images were tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "metrics/input.h"

namespace adb {

struct BootstrapOptions {
  std::size_t resamples = 10000;
  std::int64_t seed = 42;
  double level = 0.95;     // of the interval, in (0, 1)
  double fpr_limit = 0.3;  // of AU-PRO
  int threads = 1;         // changes no figure
};

struct ConfidenceInterval {
  std::string key;  // of the metric
  double lower = 0;
  double upper = 0;
  std::size_t resamples = 0;  // in which the figure is defined
};

// Percentile intervals of the eight figures over stratified resamples of the images: as many
// anomalous and as many normal ones as there are, each drawn with replacement, with all their
// pixels. Of n sorted values the ends are those at ceil(n (1 -+ level) / 2), counted from 1. The
// image figures and pixel.auroc are exact in every resample; pixel.ap, pixel.f1_max and pixel.aupro
// are taken at the thresholds of PixelBins, and mad is the mean of the seven.
//   Source: Efron and Tibshirani: An Introduction to the Bootstrap, 1993, section 13.3.
// Resample k draws from the stream (seed, "metrics.bootstrap", 0, k). The same bits for any number
// of threads; the order of images is part of the draw.
//   input: passed check_input
//   returns: in the order above, without figures that are defined in no resample
//   throws: Error(kUsage) for options out of range: 1 .. 10,000,000 resamples
std::vector<ConfidenceInterval> bootstrap(const CategoryInput& input,
                                          const BootstrapOptions& options);

}  // namespace adb
