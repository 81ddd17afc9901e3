// Pixels counted once per image in bins of their score, so that the pixel figures of any selection
// of images are sums over bins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/input.h"

namespace adb {

struct BinnedFigures {
  double ap = 0;
  double f1_max = 0;
  double aupro = 0;
};

class PixelBins {
 public:
  // Bin edges: all distinct scores where there are at most kMaxBins, which makes the figures exact;
  // else scores at evenly spaced ranks, half of them among the anomalous pixels, half among the
  // highest normal ones up to the false-positive rate `fpr_limit`. (Where more than 131,072 pixels
  // of a kind are there, distinct scores and ranks are those of every n-th.)
  static constexpr std::size_t kMaxBins = 512;

  // input: passed check_input, with masks; not kept
  PixelBins(const CategoryInput& input, double fpr_limit, int threads);

  // Figures over the images, image i counted times[i] times, or not a number where a selection has
  // no anomalous or no normal pixel. Definitions: cards/metrics.md section 1, with the bin edges as
  // thresholds.
  //   sums: scratch memory, resized here
  BinnedFigures figures(std::span<const std::uint32_t> times, std::vector<double>& sums) const;

 private:
  void choose_edges(const CategoryInput& input);
  void count_image(const CategoryInput& input, std::size_t image);
  std::size_t bin_of(std::uint32_t key) const;

  double fpr_limit_;
  std::vector<std::uint32_t> edges_;  // keys, ascending; bin b holds edges_[b] <= key < edges_[b+1]
  // [images, 3, bins]: normal pixels, anomalous pixels, the latter as shares of their components.
  std::vector<double> counts_;
  std::vector<std::uint32_t> components_;  // per image
};

}  // namespace adb
