#include "reports/bootstrap.h"

#include <algorithm>
#include <cstdint>

#include "core/seed.h"

namespace adb {
namespace {

constexpr std::size_t kResamples = 2000;
constexpr std::size_t kMinimum = 3;
constexpr std::size_t kTail = kResamples / 40;  // 2.5 % on either side

}  // namespace

std::optional<std::pair<double, double>> Bootstrap::interval(std::span<const double> values) {
  const auto n = values.size();
  if (n < kMinimum) {
    return std::nullopt;
  }
  auto& draws = draws_[n];
  if (draws.empty()) {
    Stream random(0, "bootstrap", 0, static_cast<std::int64_t>(n));
    for (std::size_t i = 0; i < kResamples * n; ++i) {
      draws.push_back(static_cast<std::size_t>(random.below(static_cast<std::int64_t>(n))));
    }
  }
  std::vector<double> means(kResamples);
  for (std::size_t i = 0; i < kResamples; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += values[draws[i * n + j]];
    }
    means[i] = sum / static_cast<double>(n);
  }
  const auto low = means.begin() + kTail, high = means.end() - 1 - kTail;
  std::nth_element(means.begin(), low, means.end());
  std::nth_element(low + 1, high, means.end());
  return std::pair(*low, *high);
}

}  // namespace adb
