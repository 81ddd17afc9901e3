#include "tracking/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace adb {
namespace {

constexpr std::size_t kMostExactRanks = 60;

// Counts the sign patterns of values[i..] that bring `sum` to at least `target`.
std::int64_t count_patterns(std::span<const double> values, double sum, double target) {
  if (values.empty()) {
    return sum >= target ? 1 : 0;
  }
  const auto rest = values.subspan(1);
  return count_patterns(rest, sum + values[0], target) +
         count_patterns(rest, sum - values[0], target);
}

// Twice the midrank of every value of both samples, first sample first; and the sum of t^3 - t over
// groups of t equal values.
struct Ranks {
  std::vector<std::int64_t> doubled;
  double ties = 0;
};

Ranks rank(std::span<const double> first, std::span<const double> second) {
  std::vector<double> values(first.begin(), first.end());
  values.insert(values.end(), second.begin(), second.end());
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  Ranks ranks;
  ranks.doubled.resize(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) {
      ++end;
    }
    const auto size = static_cast<double>(end - begin);
    ranks.ties += size * size * size - size;
    for (std::size_t i = begin; i < end; ++i) {
      // Ranks begin + 1 .. end share their mean.
      ranks.doubled[order[i]] = static_cast<std::int64_t>(begin + 1 + end);
    }
  }
  return ranks;
}

// The share of choices of `chosen` ranks whose sum is at least `observed`.
double exact_rank_p(const std::vector<std::int64_t>& ranks,
                    std::size_t chosen,
                    std::int64_t observed) {
  const auto most = std::accumulate(ranks.begin(), ranks.end(), std::int64_t{0});
  const auto width = static_cast<std::size_t>(most) + 1;
  // ways[k * width + s]: choices of k ranks that sum to s. Exact in double up to 2^53 of 60 over
  // 30 = 1.2e17; beyond that the error is a few parts in 1e16.
  std::vector<double> ways((chosen + 1) * width, 0.0);
  ways[0] = 1;
  std::size_t seen = 0;
  for (const auto value : ranks) {
    const auto step = static_cast<std::size_t>(value);
    for (std::size_t k = std::min(++seen, chosen); k >= 1; --k) {
      for (std::size_t s = width - 1; s >= step; --s) {
        ways[k * width + s] += ways[(k - 1) * width + s - step];
      }
    }
  }
  double all = 0;
  double extreme = 0;
  for (std::size_t s = 0; s < width; ++s) {
    all += ways[chosen * width + s];
    extreme += static_cast<std::int64_t>(s) >= observed ? ways[chosen * width + s] : 0;
  }
  return extreme / all;
}

// How often each of n levels is drawn in n draws.
std::vector<double> draw_weights(std::size_t n, Stream& stream) {
  std::vector<double> weights(n, n == 1 ? 1.0 : 0.0);
  for (std::size_t i = 0; n > 1 && i < n; ++i) {
    ++weights[static_cast<std::size_t>(stream.below(static_cast<std::int64_t>(n)))];
  }
  return weights;
}

Interval percentile_interval(std::vector<double> draws, double coverage) {
  std::sort(draws.begin(), draws.end());
  const auto at = [&](double share) {
    return draws[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(draws.size() - 1)))];
  };
  return {at((1 - coverage) / 2), at((1 + coverage) / 2)};
}

std::vector<double> resample(std::span<const double> values, Stream& stream) {
  std::vector<double> drawn;
  for (std::size_t i = 0; i < values.size(); ++i) {
    drawn.push_back(
        values[static_cast<std::size_t>(stream.below(static_cast<std::int64_t>(values.size())))]);
  }
  return drawn;
}

}  // namespace

TestResult sign_flip_test(std::span<const double> differences, std::int64_t draws, Stream stream) {
  if (differences.empty()) {
    return {};
  }
  double sum = 0;
  double scale = 0;
  for (const double value : differences) {
    sum += value;
    scale += std::abs(value);
  }
  // Patterns that equal the observed sum but for rounding count as equal.
  const double target = sum - 1e-12 * scale;
  if (differences.size() <= kMostExactPairs) {
    const auto patterns = std::int64_t{1} << differences.size();
    const auto hits = count_patterns(differences, 0, target);
    return {static_cast<double>(hits) / static_cast<double>(patterns), true, patterns};
  }
  std::int64_t hits = 0;
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    double flipped = 0;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < differences.size(); ++i, bits >>= 1) {
      if (i % 64 == 0) {
        bits = stream.bits();
      }
      flipped += (bits & 1) != 0 ? differences[i] : -differences[i];
    }
    hits += flipped >= target ? 1 : 0;
  }
  return {static_cast<double>(1 + hits) / static_cast<double>(1 + draws), false, draws};
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, p[order[i]] * static_cast<double>(p.size() - i));
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

TestResult mann_whitney(std::span<const double> first, std::span<const double> second) {
  if (first.empty() || second.empty()) {
    return {};
  }
  const auto ranks = rank(first, second);
  const auto begin = ranks.doubled.begin() + static_cast<std::ptrdiff_t>(first.size());
  const auto observed = std::accumulate(begin, ranks.doubled.end(), std::int64_t{0});
  if (ranks.doubled.size() <= kMostExactRanks) {
    const double p = exact_rank_p(ranks.doubled, second.size(), observed);
    return {p, true, std::llround(1 / smallest_mann_whitney_p(first.size(), second.size()))};
  }
  const auto n = static_cast<double>(first.size());
  const auto m = static_cast<double>(second.size());
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - ranks.ties / (all * (all - 1)));
  const double excess = static_cast<double>(observed) / 2 - m * (all + 1) / 2 - 0.5;
  const double p =
      variance > 0 ? 0.5 * std::erfc(excess / std::sqrt(variance) / std::sqrt(2.0)) : 1;
  return {p, false, 0};
}

double smallest_mann_whitney_p(std::size_t n, std::size_t m) {
  double p = 1;
  for (std::size_t i = 1; i <= n; ++i) {
    p *= static_cast<double>(i) / static_cast<double>(m + i);
  }
  return p;
}

double mean(std::span<const double> values) {
  ADB_ASSERT(!values.empty());
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values) {
  ADB_ASSERT(!values.empty());
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

std::optional<Interval> bootstrap_mean(std::span<const CrossedValue> values,
                                       double coverage,
                                       std::int64_t draws,
                                       Stream stream) {
  std::size_t firsts = 0;
  std::size_t seconds = 0;
  for (const auto& value : values) {
    firsts = std::max(firsts, value.first + 1);
    seconds = std::max(seconds, value.second + 1);
  }
  if (firsts < 2 && seconds < 2) {
    return std::nullopt;
  }
  std::vector<double> means;
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    const auto first = draw_weights(firsts, stream);
    const auto second = draw_weights(seconds, stream);
    double sum = 0;
    double weights = 0;
    for (const auto& value : values) {
      const double weight = first[value.first] * second[value.second];
      sum += weight * value.value;
      weights += weight;
    }
    if (weights > 0) {  // pairs may be missing, and a draw may hit only such
      means.push_back(sum / weights);
    }
  }
  return means.empty() ? std::nullopt : std::optional(percentile_interval(means, coverage));
}

std::optional<Interval> bootstrap_ratio(std::span<const double> first,
                                        std::span<const double> second,
                                        double coverage,
                                        std::int64_t draws,
                                        Stream stream) {
  const auto positive = [](double value) { return value > 0; };
  if (first.size() < 2 || second.size() < 2 || !std::all_of(first.begin(), first.end(), positive)) {
    return std::nullopt;
  }
  std::vector<double> ratios;
  for (std::int64_t draw = 0; draw < draws; ++draw) {
    const double below = median(resample(first, stream));
    ratios.push_back(median(resample(second, stream)) / below);
  }
  return percentile_interval(ratios, coverage);
}

}  // namespace adb
