#include <algorithm>

#include <fmt/format.h>

#include "reports/figures/axes.h"

namespace adb {

std::string histogram_plot(const Histogram& histogram, const std::string& title) {
  constexpr int kWidth = 300;
  constexpr int kHeight = 120;
  Frame frame;
  frame.left = 8;
  frame.top = 20;
  frame.bottom = 20;
  const double bottom = kHeight - frame.bottom;
  std::string out = open_svg(kWidth, kHeight, title, "plot hist");
  add_text(out, frame.left, 12, "t", title);
  const Axis axis{.low = histogram.low, .high = histogram.high};
  const Scale x(axis, histogram.low, histogram.high, frame.left, kWidth - frame.right);
  const auto bars = [&](const std::vector<std::int64_t>& counts, std::string_view look) {
    const auto highest = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    if (highest <= 0) {
      return;
    }
    const double step = (kWidth - frame.left - frame.right) / static_cast<double>(counts.size());
    std::string path = fmt::format("M{:.1f} {:.1f}", frame.left, bottom);
    for (const std::int64_t count : counts) {
      const double share =
          static_cast<double>(std::max<std::int64_t>(count, 0)) / static_cast<double>(highest);
      fmt::format_to(
          std::back_inserter(path), "V{:.1f}h{:.2f}", bottom - share * (bottom - frame.top), step);
    }
    fmt::format_to(
        std::back_inserter(out), "<path class=\"{}\" d=\"{}V{:.1f}z\"/>", look, path, bottom);
  };
  bars(histogram.normal, "n");
  bars(histogram.anomalous, "x");
  fmt::format_to(std::back_inserter(out),
                 "<path class=\"a\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
                 frame.left,
                 bottom,
                 kWidth - frame.right);
  for (const double tick : x.ticks()) {
    add_text(out, x.at(tick), bottom + 13, "k m", short_number(tick));
  }
  return out + "</svg>";
}

}  // namespace adb
