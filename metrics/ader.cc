#include "metrics/ader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "metrics/gap_counter.h"
#include "metrics/score_key.h"

namespace adb {
namespace {

constexpr double kEpsilon = 1e-8;  // of the F1
constexpr double kFprLimit = 0.3;  // kept are points strictly below
constexpr int kF1Thresholds = 21;

// Flagged pixels at one threshold.
struct Flagged {
  std::uint64_t anomalous;
  std::uint64_t normal;
  double pro;
};

// Lowest key in [lowest, highest + 1] from which on `flags` holds; it must not turn false again as
// scores rise. The evaluator compares in double; asking it for keys reproduces its roundings.
std::uint32_t first_flagged(std::uint32_t lowest,
                            std::uint32_t highest,
                            const std::function<bool(double)>& flags) {
  std::uint32_t low = lowest;
  std::uint32_t high = highest + 1;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (flags(static_cast<double>(key_score(middle)))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// For thresholds given as keys (flagged: key >= threshold), in any order.
std::vector<Flagged> count_flagged(const CategoryInput& input,
                                   const PixelRanking& ranking,
                                   std::span<const std::uint32_t> thresholds,
                                   int threads) {
  std::vector<std::uint32_t> keys(thresholds.begin(), thresholds.end());
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  const std::size_t num_keys = keys.size();
  std::vector<std::uint32_t> padded = keys;
  padded.resize(num_keys + kKeyPadding, kKeySentinel);
  std::vector<std::uint32_t> counts(2 * num_keys + 1);
  count_gaps(padded, input.maps, threads, counts);

  const std::vector<std::uint32_t> descending(keys.rbegin(), keys.rend());
  const std::vector<PixelRanking::Overlap> overlaps = ranking.overlaps(descending);
  std::vector<Flagged> by_key(num_keys);
  std::uint64_t pixels = 0;
  for (std::size_t i = num_keys; i-- > 0;) {
    pixels += std::uint64_t{counts[2 * i + 2]} + counts[2 * i + 1];
    const PixelRanking::Overlap& overlap = overlaps[num_keys - 1 - i];
    by_key[i] = {overlap.anomalous, pixels - overlap.anomalous, overlap.pro};
  }
  std::vector<Flagged> flagged;
  for (const std::uint32_t threshold : thresholds) {
    const auto at = std::lower_bound(keys.begin(), keys.end(), threshold) - keys.begin();
    flagged.push_back(by_key[static_cast<std::size_t>(at)]);
  }
  return flagged;
}

MetricValue best_f1(std::span<const Flagged> flagged, std::uint64_t anomalous) {
  double best = 0;
  for (const Flagged& at : flagged) {
    const auto hits = static_cast<double>(at.anomalous);
    const double precision = hits / (static_cast<double>(at.anomalous + at.normal) + kEpsilon);
    const double recall = hits / (static_cast<double>(anomalous) + kEpsilon);
    best = std::max(best, 2 * precision * recall / (precision + recall + kEpsilon));
  }
  return MetricValue::of(best);
}

// Trapezoids over the points below the limit, with their rates stretched to 0..1.
MetricValue stretched_area(std::span<const Flagged> flagged,
                           std::uint64_t normal,
                           std::size_t& num_points) {
  std::vector<double> rates;
  std::vector<double> overlaps;
  for (const Flagged& at : flagged) {
    const double rate = static_cast<double>(at.normal) / static_cast<double>(normal);
    if (rate < kFprLimit) {
      rates.push_back(rate);
      overlaps.push_back(at.pro);
    }
  }
  num_points = rates.size();
  if (rates.size() < 2) {
    return MetricValue::undefined("fewer than two thresholds below the false-positive limit");
  }
  const auto [lowest, highest] = std::minmax_element(rates.begin(), rates.end());
  const double start = *lowest;
  const double range = *highest - *lowest;
  if (range == 0) {
    return MetricValue::undefined("one false-positive rate at all thresholds below the limit");
  }
  double area = 0;
  for (std::size_t i = 1; i < rates.size(); ++i) {
    const double width = (rates[i] - start) / range - (rates[i - 1] - start) / range;
    area += width * (overlaps[i] + overlaps[i - 1]) / 2;
  }
  return MetricValue::of(std::abs(area));
}

}  // namespace

AderPixelFigures ader_pixel_figures(const CategoryInput& input,
                                    const PixelRanking& ranking,
                                    int steps,
                                    int threads) {
  std::uint32_t lowest_key = kKeySentinel;
  std::uint32_t highest_key = 0;
  for (const auto map : input.maps) {
    for (const float score : map) {
      lowest_key = std::min(lowest_key, score_key(score));
      highest_key = std::max(highest_key, score_key(score));
    }
  }
  AderPixelFigures figures;
  if (lowest_key == highest_key) {
    figures.f1_max = MetricValue::undefined("all scores are equal");
    figures.aupro = MetricValue::undefined("all scores are equal");
    return figures;
  }
  const auto lowest = static_cast<double>(key_score(lowest_key));
  const auto highest = static_cast<double>(key_score(highest_key));
  const double range = highest - lowest;

  std::vector<std::uint32_t> thresholds;
  for (int i = 0; i < kF1Thresholds; ++i) {
    thresholds.push_back(first_flagged(lowest_key, highest_key, [&](double score) {
      return (score - lowest) / range > i * 0.05;
    }));
  }
  // numpy's arange(lowest, highest, step): its length from the quotient, its step from the first
  // two values.
  const double step = range / steps;
  const auto count = static_cast<std::int64_t>(std::ceil(range / step));
  const double difference = (lowest + step) - lowest;
  for (std::int64_t i = 0; i < count; ++i) {
    const double threshold = lowest + static_cast<double>(i) * difference;
    thresholds.push_back(
        first_flagged(lowest_key, highest_key, [&](double score) { return score > threshold; }));
  }
  const std::vector<Flagged> flagged = count_flagged(input, ranking, thresholds, threads);
  const std::span<const Flagged> all(flagged);
  figures.f1_max = best_f1(all.first(kF1Thresholds), ranking.num_anomalous());
  figures.aupro =
      stretched_area(all.subspan(kF1Thresholds), ranking.num_normal(), figures.aupro_points);
  return figures;
}

}  // namespace adb
