// The curves of one category's test images: what metrics computes, formats writes and reports draw.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace adb {

inline constexpr std::size_t kMaxCurvePoints = 512;
inline constexpr std::size_t kHistogramBins = 40;

using Polyline = std::vector<std::array<double, 2>>;  // x, y; by ascending x

// Image scores in equal bins from low to high, both ends included.
struct ScoreHistogram {
  double low = 0;
  double high = 0;
  std::vector<std::int64_t> normal{};
  std::vector<std::int64_t> anomalous{};

  bool operator==(const ScoreHistogram&) const = default;
};

// Each line has at most kMaxCurvePoints points and is empty where it is undefined. All figures are
// fractions.
struct CategoryCurves {
  std::string category{};
  Polyline image_roc{};  // false-positive rate, true-positive rate
  Polyline image_pr{};   // recall, precision
  Polyline pixel_roc{};
  Polyline pixel_pr{};
  Polyline pixel_pro{};  // false-positive rate up to the limit, mean overlap of the components
  ScoreHistogram scores{};

  bool operator==(const CategoryCurves&) const = default;
};

}  // namespace adb
