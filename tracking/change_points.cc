#include "tracking/change_points.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tracking/statistics.h"

namespace adb {
namespace {

constexpr std::size_t kShortest = 6;  // two parts of three: below that no order is rare enough

// Ranks with midranks for ties, less their mean.
std::vector<double> centred_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  const double middle = static_cast<double>(values.size() - 1) / 2;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) {
      ++end;
    }
    for (std::size_t i = begin; i < end; ++i) {
      ranks[order[i]] = static_cast<double>(begin + end - 1) / 2 - middle;
    }
  }
  return ranks;
}

// The largest distance of a first part's rank sum from what chance gives, in its standard
// deviations but for a factor that all orders of the ranks share.
double rank_statistic(const std::vector<double>& ranks) {
  double best = 0;
  const auto n = static_cast<double>(ranks.size());
  double sum = 0;
  for (std::size_t k = 1; k < ranks.size(); ++k) {
    sum += ranks[k - 1];
    const auto first = static_cast<double>(k);
    best = std::max(best, std::abs(sum) / std::sqrt(first * (n - first)));
  }
  return best;
}

double absolute_deviations(std::span<const double> values) {
  const double middle = median(values);
  double sum = 0;
  for (const double value : values) {
    sum += std::abs(value - middle);
  }
  return sum;
}

// Length of the first of the two parts whose medians fit the values best. Ranks tell that there is
// a step, but miss its place by one where the last value before it happens to be the nearest to the
// other side.
std::size_t best_place(std::span<const double> values) {
  std::size_t best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k < values.size(); ++k) {
    const double sum =
        absolute_deviations(values.first(k)) + absolute_deviations(values.subspan(k));
    if (sum < least) {
      least = sum;
      best = k;
    }
  }
  return best;
}

void search(std::span<const double> series,
            std::size_t offset,
            double alpha,
            Stream& stream,
            std::vector<ChangePoint>* found) {
  if (series.size() < kShortest) {
    return;
  }
  auto ranks = centred_ranks(series);
  const double target = rank_statistic(ranks) * (1 - 1e-12);
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < kChangePermutations; ++i) {
    for (auto k = static_cast<std::int64_t>(ranks.size()) - 1; k > 0; --k) {
      std::swap(ranks[static_cast<std::size_t>(k)],
                ranks[static_cast<std::size_t>(stream.below(k + 1))]);
    }
    hits += rank_statistic(ranks) >= target ? 1 : 0;
    if (static_cast<double>(1 + hits) > alpha * static_cast<double>(1 + kChangePermutations)) {
      return;
    }
  }
  const double p = static_cast<double>(1 + hits) / static_cast<double>(1 + kChangePermutations);
  const auto place = best_place(series);
  search(series.first(place), offset, alpha, stream, found);
  found->push_back({offset + place, 0, 0, p});
  search(series.subspan(place), offset + place, alpha, stream, found);
}

}  // namespace

std::vector<ChangePoint> find_change_points(std::span<const double> series,
                                            double alpha,
                                            Stream stream) {
  std::vector<ChangePoint> found;
  search(series, 0, alpha, stream, &found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto begin = i == 0 ? 0 : found[i - 1].index;
    const auto end = i + 1 == found.size() ? series.size() : found[i + 1].index;
    found[i].before = median(series.subspan(begin, found[i].index - begin));
    found[i].after = median(series.subspan(found[i].index, end - found[i].index));
  }
  return found;
}

}  // namespace adb
