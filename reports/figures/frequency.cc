#include "reports/figures/parts.h"
#include "reports/figures/picture.h"

namespace adb {

std::string frequency_svg(const std::string& title, const std::vector<FrequencyImage>& images) {
  ADB_CHECK(!images.empty(), ErrorKind::kUsage, "no image: nothing to draw");
  constexpr int kSide = 64, kGap = 4, kShare = 11, kLabel = 56, kTop = 34, kName = 14;
  constexpr int kRow = kSide + kShare + kGap, kBlock = kName + 2 * kRow + kGap;
  constexpr int kFirst = kSide + kGap + kLabel;  // the first pair's column
  const auto column = [](std::size_t pair, int band) {
    return kFirst + (2 * static_cast<int>(pair) + band) * (kSide + kGap);
  };
  const auto& pairs = images[0].pairs;
  std::string out = open_svg(
      column(pairs.size(), 0), kTop + static_cast<int>(images.size()) * kBlock, title, "plot");
  out += text_at(0, 12, "t", title);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    out += text_at(column(p, 0), kTop - 4, "k", pairs[p].name + " low");
    out += text_at(column(p, 1), kTop - 4, "k", "high");
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    const int top = kTop + static_cast<int>(i) * kBlock + kName;
    out += text_at(0, top - 4, "", images[i].name);
    out += picture_at(0, top, kSide, images[i].input);
    ADB_ASSERT(images[i].pairs.size() == pairs.size());
    const auto row = [&](int y, const char* label, auto part_of) {
      out += text_at(kFirst - 6, y + kSide / 2 + 3, "e", label);
      for (std::size_t p = 0; p < pairs.size(); ++p) {
        const FrequencyImage::Part& part = images[i].pairs[p].*part_of;
        out += picture_at(column(p, 0), y, kSide, colour_heat_map(part.low));
        out += picture_at(column(p, 1), y, kSide, colour_heat_map(part.high));
        out += text_at(
            column(p, 1), y + kSide + 9, "k", fmt::format("{:.1f} %", part.high_share * 100));
      }
    };
    row(top, "features", &FrequencyImage::Pair::given);
    row(top + kRow, "rebuilt", &FrequencyImage::Pair::rebuilt);
  }
  return standalone_svg(out + "</svg>");
}

}  // namespace adb
