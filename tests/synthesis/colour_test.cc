// The conversions against OpenCV, which the reference uses.
#include "synthesis/colour.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

namespace adb {
namespace {

struct Space {
  ColourSpace space;
  const char* name;
  int forward, back;
  // Largest share of values that may differ by one unit, and of those that may differ by more.
  double forward_share, back_share, more_share;
};

const std::vector<Space> kSpaces = {
    {ColourSpace::kYCrCb, "YCrCb", cv::COLOR_RGB2YCrCb, cv::COLOR_YCrCb2RGB, 0, 0, 0},
    {ColourSpace::kHsv, "HSV", cv::COLOR_RGB2HSV, cv::COLOR_HSV2RGB, 0, 0.005, 0},
    {ColourSpace::kHls, "HLS", cv::COLOR_RGB2HLS, cv::COLOR_HLS2RGB, 0, 0, 0},
    {ColourSpace::kLab, "Lab", cv::COLOR_RGB2Lab, cv::COLOR_Lab2RGB, 1e-4, 0.04, 1e-4},
    {ColourSpace::kLuv, "Luv", cv::COLOR_RGB2Luv, cv::COLOR_Luv2RGB, 1e-4, 0.04, 1e-4},
    {ColourSpace::kYuv, "YUV", cv::COLOR_RGB2YUV, cv::COLOR_YUV2RGB, 0, 0, 0}};

struct Differences {
  double one = 0, more = 0;  // shares of all values
};

// Over a lattice of pixels whose first channel lies below `limit`.
template <class Convert>
Differences compare(int code, int limit, Convert convert) {
  Differences differences;
  double total = 0;
  for (int first = 0; first < limit; first += 5) {
    cv::Mat in(256, 256, CV_8UC3), out;
    for (int i = 0; i < 256 * 256; ++i) {
      in.data[3 * i] = static_cast<std::uint8_t>(first);
      in.data[3 * i + 1] = static_cast<std::uint8_t>(i / 256);
      in.data[3 * i + 2] = static_cast<std::uint8_t>(i % 256);
    }
    cv::cvtColor(in, out, code);
    for (int i = 0; i < 256 * 256; ++i) {
      const Pixel ours = convert({in.data[3 * i], in.data[3 * i + 1], in.data[3 * i + 2]});
      for (std::size_t c = 0; c < 3; ++c, ++total) {
        const int d = std::abs(ours[c] - out.data[3 * static_cast<std::size_t>(i) + c]);
        differences.one += d == 1 ? 1 : 0;
        differences.more += d > 1 ? 1 : 0;
      }
    }
  }
  return {differences.one / total, differences.more / total};
}

TEST(Colour, ConversionsAreOpenCvs) {
  for (const auto& s : kSpaces) {
    const auto forward =
        compare(s.forward, 256, [&](const Pixel& pixel) { return from_rgb(s.space, pixel); });
    EXPECT_LE(forward.one, s.forward_share) << s.name;
    EXPECT_EQ(forward.more, 0) << s.name;
    const bool has_hue = s.space == ColourSpace::kHsv || s.space == ColourSpace::kHls;
    const auto back = compare(
        s.back, has_hue ? 180 : 256, [&](const Pixel& pixel) { return to_rgb(s.space, pixel); });
    EXPECT_LE(back.one, s.back_share) << s.name;
    EXPECT_LE(back.more, s.more_share) << s.name;
  }
}

TEST(Colour, MapInSpaceIsThereTableAndBack) {
  Image image(2, 1, 3);
  image.pixels = {10, 200, 30, 250, 128, 7};
  std::array<ByteTable, 3> tables = {identity_table(), identity_table(), identity_table()};
  for (auto& v : tables[1]) {
    v = static_cast<std::uint8_t>(255 - v);
  }
  for (const auto& s : kSpaces) {
    auto mapped = image;
    map_in_space(mapped, s.space, tables);
    for (std::size_t i = 0; i < 6; i += 3) {
      auto pixel = from_rgb(s.space, {image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
      pixel[1] = static_cast<std::uint8_t>(255 - pixel[1]);
      const auto want = to_rgb(s.space, pixel);
      EXPECT_EQ(want, (Pixel{mapped.pixels[i], mapped.pixels[i + 1], mapped.pixels[i + 2]}))
          << s.name;
    }
  }
}

}  // namespace
}  // namespace adb
