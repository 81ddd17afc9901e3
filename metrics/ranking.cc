#include "metrics/ranking.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "metrics/score_key.h"

namespace adb {
RankingSums::RankingSums(std::uint64_t anomalous, std::uint64_t normal)
    : anomalous_(anomalous), normal_(normal) {
  ADB_ASSERT(anomalous > 0 && normal > 0 && anomalous + normal < std::uint64_t{1} << 32);
}

RankingFigures RankingSums::figures() const {
  RankingFigures figures;
  figures.anomalous = anomalous_;
  figures.normal = normal_;
  figures.auroc_numerator = auroc_numerator_;
  figures.auroc_denominator = 2 * anomalous_ * normal_;
  figures.auroc =
      static_cast<double>(auroc_numerator_) / static_cast<double>(figures.auroc_denominator);
  figures.ap = ap_sum_ / static_cast<double>(anomalous_);
  const std::uint64_t divisor = std::gcd(2 * best_tp_, best_total_);
  figures.f1_numerator = 2 * best_tp_ / divisor;
  figures.f1_denominator = best_total_ / divisor;
  figures.f1_max = static_cast<double>(2 * best_tp_) / static_cast<double>(best_total_);
  figures.f1_threshold_highest = key_score(highest_key_);
  figures.f1_threshold_lowest = key_score(lowest_key_);
  return figures;
}

RankingFigures rank_scores(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  ADB_ASSERT(scores.size() == labels.size());
  std::vector<std::pair<std::uint32_t, std::uint8_t>> items;
  items.reserve(scores.size());
  std::uint64_t anomalous = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    items.emplace_back(score_key(scores[i]), labels[i]);
    anomalous += labels[i];
  }
  std::sort(items.begin(), items.end(), std::greater<>());
  RankingSums sums(anomalous, items.size() - anomalous);
  for (std::size_t begin = 0; begin < items.size();) {
    std::size_t end = begin;
    std::uint64_t group_anomalous = 0;
    while (end < items.size() && items[end].first == items[begin].first) {
      group_anomalous += items[end].second;
      ++end;
    }
    const std::uint64_t group_normal = end - begin - group_anomalous;
    if (group_anomalous > 0) {
      sums.add_group(items[begin].first, group_anomalous, group_normal);
    } else {
      sums.add_normal(group_normal);
    }
    begin = end;
  }
  return sums.figures();
}

double fpr_at_recall(std::span<const float> scores,
                     std::span<const std::uint8_t> labels,
                     double recall) {
  ADB_ASSERT(scores.size() == labels.size());
  std::vector<std::uint32_t> anomalous, normal;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    (labels[i] == 1 ? anomalous : normal).push_back(score_key(scores[i]));
  }
  ADB_ASSERT(!anomalous.empty() && !normal.empty());
  std::sort(anomalous.begin(), anomalous.end(), std::greater<>());
  const auto count = static_cast<double>(anomalous.size());
  std::size_t flagged = 1;
  while (static_cast<double>(flagged) / count < recall) {
    ++flagged;
  }
  const std::uint32_t threshold = anomalous[flagged - 1];
  const auto hits = std::count_if(
      normal.begin(), normal.end(), [&](std::uint32_t key) { return key >= threshold; });
  return static_cast<double>(hits) / static_cast<double>(normal.size());
}

std::uint64_t count_distinct_scores(std::span<const std::span<const float>> maps) {
  std::vector<std::uint32_t> keys;
  for (const auto map : maps) {
    std::transform(map.begin(), map.end(), std::back_inserter(keys), score_key);
  }
  std::sort(keys.begin(), keys.end());
  return static_cast<std::uint64_t>(std::unique(keys.begin(), keys.end()) - keys.begin());
}

}  // namespace adb
