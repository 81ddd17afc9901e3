// The pixel figures of a category, exact, without sorting its normal pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "metrics/components.h"
#include "metrics/input.h"
#include "metrics/ranking.h"

namespace adb {

// Anomalous pixels sorted by score, with the number of normal pixels at and between their scores:
// all that the pixel figures depend on. Source: cards/metrics.md sections 1 and 6.
//
// Integers throughout, so every figure has the same bits for any number of threads and order of
// images. Memory: at most 16 bytes per anomalous pixel (8 bytes when built), plus what does not
// grow with the number of images: tables, and 16 MiB for the counts of further threads. Time:
// linear in the number of pixels.
class PixelRanking {
 public:
  // input: passed check_input, which gave `anomalous_pixels` per image; with anomalous and normal
  //   pixels. Not kept after construction.
  // pending: of `input`, where it only passed check_besides_maps. Done here, at the time when one
  //   thread sorts, and before any score is counted: throws RejectedInput.
  PixelRanking(const CategoryInput& input,
               std::span<const std::uint64_t> anomalous_pixels,
               Connectivity connectivity,
               int threads,
               MapCheck* pending = nullptr);

  RankingFigures figures() const;

  // Area under the per-region-overlap curve from false-positive rate 0 to `fpr_limit`, divided by
  // it.
  //   fpr_limit: in (0, 1]
  double aupro(double fpr_limit) const;

  // Mean overlap of the components at one false-positive rate in [0, 1], interpolated linearly
  // between the curve's points; on a vertical step its upper end.
  double pro_at_fpr(double fpr) const;

  // Smallest false-positive rate among the thresholds that flag at least `recall` (in (0, 1]) of
  // the anomalous pixels.
  double fpr_at_recall(double recall) const;

  // What flagging all pixels with score_key >= key comes to.
  struct Overlap {
    std::uint64_t anomalous;  // flagged anomalous pixels
    double pro;               // mean overlap of the components
  };
  // keys: descending. returns: one per key
  std::vector<Overlap> overlaps(std::span<const std::uint32_t> keys) const;

  std::uint64_t num_components() const { return num_components_; }
  std::uint64_t num_anomalous() const { return num_anomalous_; }
  std::uint64_t num_normal() const { return num_normal_; }

 private:
  // A pixel's component by its area's number (index into areas_), the highest bit set for the last
  // pixel of its score in ascending order.
  static constexpr std::uint32_t kLastOfScore = 0x80000000U;

  // For one rate: anomalous pixels per area by where the normal pixels at and above their score
  // lie.
  struct RegionSums;
  RegionSums sum_regions(double normal_limit) const;

  // Calls visit(key index, first pixel, last pixel + 1, normal pixels above the score, normal
  // pixels at it) by descending score until it returns false.
  template <class Visit>
  void for_each_score(Visit visit) const;

  void collect_items(const CategoryInput& input,
                     std::span<const std::size_t> offsets,
                     Connectivity connectivity,
                     int threads,
                     std::span<std::uint32_t> items);
  void sort_pixels();

  // By ascending score.
  const std::uint32_t* pixels() const { return ranked_.get(); }
  // Distinct scores of anomalous pixels, ascending, padded for count_gaps.
  const std::uint32_t* distinct_keys() const { return ranked_.get() + num_anomalous_; }

  std::vector<std::uint32_t> areas_;         // distinct areas of the components
  std::unique_ptr<std::uint32_t[]> ranked_;  // pixels, then keys
  std::unique_ptr<std::uint32_t[]> counts_;  // slots of count_gaps, all pixels
  std::size_t num_anomalous_ = 0;            // pixels
  std::size_t num_keys_ = 0;
  std::uint64_t num_components_ = 0;
  std::uint64_t num_normal_ = 0;
};

// Components of all masks of an input that passed check_input. Without a ranking: for categories
// that have none.
std::uint64_t count_components(const CategoryInput& input, Connectivity connectivity);

}  // namespace adb
