// AUROC, average precision and best F1 of scored items, from counts per distinct score.
#pragma once

#include <cstdint>
#include <span>

namespace adb {

// All thresholds are the distinct scores; an item is flagged when its score >= threshold.
struct RankingFigures {
  std::uint64_t anomalous = 0;  // P
  std::uint64_t normal = 0;     // Ng

  // AUROC = numerator / denominator, the latter 2 P Ng; ties count half.
  std::uint64_t auroc_numerator = 0;
  std::uint64_t auroc_denominator = 0;
  double auroc = 0;

  // Step-wise average precision.
  double ap = 0;

  // Best F1 = numerator / denominator, in lowest terms; the thresholds that reach it.
  std::uint64_t f1_numerator = 0;
  std::uint64_t f1_denominator = 0;
  double f1_max = 0;
  float f1_threshold_highest = 0;
  float f1_threshold_lowest = 0;
};

// Takes the items group by group, by descending score. Source: cards/metrics.md section 1.
class RankingSums {
 public:
  // anomalous, normal: numbers of items in all, both > 0, together below 2^32
  RankingSums(std::uint64_t anomalous, std::uint64_t normal);

  // Normal items between two groups, in one piece.
  void add_normal(std::uint64_t normal) {
    fp_ += normal;
    auroc_numerator_ += normal * 2 * tp_;
  }

  // All items of one score (score_key), at least one of them anomalous.
  void add_group(std::uint32_t key, std::uint64_t anomalous, std::uint64_t normal) {
    const std::uint64_t tp_before = tp_;
    tp_ += anomalous;
    fp_ += normal;
    auroc_numerator_ += normal * (tp_before + tp_);
    const std::uint64_t flagged = tp_ + fp_;
    ap_sum_ +=
        static_cast<double>(anomalous) * static_cast<double>(tp_) / static_cast<double>(flagged);
    // Fractions compared exactly: beyond 2^31 items the products pass 64 bits.
    const std::uint64_t total = flagged + anomalous_;
    const Uint128 here = Uint128{tp_} * best_total_;
    const Uint128 best = Uint128{best_tp_} * total;
    if (here > best) {
      best_tp_ = tp_;
      best_total_ = total;
      highest_key_ = key;
      lowest_key_ = key;
    } else if (here == best) {
      lowest_key_ = key;
    }
  }

  RankingFigures figures() const;

 private:
  __extension__ using Uint128 = unsigned __int128;

  std::uint64_t anomalous_;
  std::uint64_t normal_;
  std::uint64_t tp_ = 0;
  std::uint64_t fp_ = 0;
  std::uint64_t auroc_numerator_ = 0;
  double ap_sum_ = 0;
  std::uint64_t best_tp_ = 0;     // best F1 so far: 2 best_tp_ / best_total_
  std::uint64_t best_total_ = 1;  // TP + FP + P
  std::uint32_t highest_key_ = 0;
  std::uint32_t lowest_key_ = 0;
};

// scores: finite; labels: 0 or 1, both present, same size, fewer than 2^32. For image figures and
// small inputs: it sorts.
RankingFigures rank_scores(std::span<const float> scores, std::span<const std::uint8_t> labels);

// Smallest false-positive rate among the thresholds that flag at least `recall` (in (0, 1]) of the
// anomalous items. scores, labels: as for rank_scores
double fpr_at_recall(std::span<const float> scores,
                     std::span<const std::uint8_t> labels,
                     double recall);

// Distinct scores of finite maps, -0 and +0 being one. Sorts a copy: for reports and checks, not
// for figures.
std::uint64_t count_distinct_scores(std::span<const std::span<const float>> maps);

}  // namespace adb
