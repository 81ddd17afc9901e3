// The tests behind the words "regressed", "better", "worse" and "cannot tell". All are one-sided,
// nonparametric and deterministic: exact where few arrangements exist, else with draws from a named
// stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/seed.h"

namespace adb {

struct TestResult {
  double p = 1;
  bool exact = true;
  std::int64_t arrangements = 1;  // enumerated, or drawn
};

// Up to this many values all 2^n signs are enumerated.
inline constexpr std::size_t kMostExactPairs = 16;

// Paired permutation test (Fisher's randomisation of signs): the share of sign patterns whose sum
// is at least the sum of `differences`. With drawn patterns p = (1 + hits) / (1 + draws), so it is
// never 0. No value at all gives p = 1.
TestResult sign_flip_test(std::span<const double> differences, std::int64_t draws, Stream stream);

// Holm's step-down correction: adjusted p values in the order given, each at most 1. A hypothesis
// is rejected at level alpha when its adjusted p is at most alpha.
std::vector<double> holm(std::span<const double> p);

// Mann-Whitney: p of the hypothesis that `second` does not tend to larger values than `first`.
// Exact, with midranks for ties, for up to 60 values; else the normal approximation with
// corrections for ties and continuity. An empty sample gives p = 1.
TestResult mann_whitney(std::span<const double> first, std::span<const double> second);

// The smallest p that mann_whitney can give for such sizes without ties: 1 / (n + m over n).
double smallest_mann_whitney_p(std::size_t n, std::size_t m);

double mean(std::span<const double> values);    // throws: Error(kInternal) for none
double median(std::span<const double> values);  // throws: Error(kInternal) for none

struct Interval {
  double low = 0;
  double high = 0;
};

// A value that belongs to one level of each of two crossed factors (class and seed).
struct CrossedValue {
  std::size_t first = 0;
  std::size_t second = 0;
  double value = 0;
};

// Percentile bootstrap interval of the mean that resamples the levels of both factors (the
// "pigeonhole" bootstrap; Owen, Annals of Applied Statistics 1 (2007), 386-411). A factor with one
// level is kept as it is; nothing when both have only one.
std::optional<Interval> bootstrap_mean(std::span<const CrossedValue> values,
                                       double coverage,
                                       std::int64_t draws,
                                       Stream stream);

// Percentile bootstrap interval of median(second) / median(first); nothing with fewer than two
// values on a side, or when one of `first` is not positive.
std::optional<Interval> bootstrap_ratio(std::span<const double> first,
                                        std::span<const double> second,
                                        double coverage,
                                        std::int64_t draws,
                                        Stream stream);

}  // namespace adb
