// The figures of a category: names, order and properties, in one table.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace adb {

// Raised by hand whenever a figure's value or definition changes; stored with every value.
inline constexpr int kMetricVersion = 1;

// In the order in which tables show them and mAD averages them.
enum class Metric {
  kImageAuroc,
  kImageAp,
  kImageF1Max,
  kPixelAuroc,
  kPixelAp,
  kPixelF1Max,
  kPixelAupro,
  kMad,
};

inline constexpr std::size_t kNumMetrics = 8;
inline constexpr std::size_t kNumBaseMetrics = 7;  // those that mAD is the mean of

enum class MetricLevel { kImage, kPixel, kBoth };

struct MetricInfo {
  Metric metric;
  std::string_view key;    // in stores, JSON and options
  std::string_view title;  // in tables
  MetricLevel level;
  bool higher_is_better;
  bool needs_masks;
};

// kMetrics[i].metric has the value i. All figures are fractions in [0, 1].
inline constexpr std::array<MetricInfo, kNumMetrics> kMetrics = {{
    {Metric::kImageAuroc, "image.auroc", "image AUROC", MetricLevel::kImage, true, false},
    {Metric::kImageAp, "image.ap", "image AP", MetricLevel::kImage, true, false},
    {Metric::kImageF1Max, "image.f1_max", "image F1-max", MetricLevel::kImage, true, false},
    {Metric::kPixelAuroc, "pixel.auroc", "pixel AUROC", MetricLevel::kPixel, true, true},
    {Metric::kPixelAp, "pixel.ap", "pixel AP", MetricLevel::kPixel, true, true},
    {Metric::kPixelF1Max, "pixel.f1_max", "pixel F1-max", MetricLevel::kPixel, true, true},
    {Metric::kPixelAupro, "pixel.aupro", "AU-PRO", MetricLevel::kPixel, true, true},
    {Metric::kMad, "mad", "mAD", MetricLevel::kBoth, true, true},
}};

constexpr const MetricInfo& metric_info(Metric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}

// The metric of a key, or nothing when no metric has it.
constexpr std::optional<Metric> find_metric(std::string_view key) {
  for (const MetricInfo& info : kMetrics) {
    if (info.key == key) {
      return info.metric;
    }
  }
  return std::nullopt;
}

}  // namespace adb
