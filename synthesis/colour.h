// Colour spaces of 8-bit pixels as the reference's image library defines them (OpenCV 4: hue in
// 0 .. 179, all other channels stretched to 0 .. 255, every conversion rounded to 8 bits).
#pragma once

#include <array>
#include <cstdint>

#include "images/image.h"

namespace adb {

enum class ColourSpace { kYCrCb, kHsv, kHls, kLab, kLuv, kYuv };
inline constexpr int kNumColourSpaces = 6;

using Pixel = std::array<std::uint8_t, 3>;
using ByteTable = std::array<std::uint8_t, 256>;

// One pixel there and back. Compared with OpenCV 4.6 over all colours: YCrCb, HLS and YUV equal in
// every bit; HSV back to RGB differs by 1 in 0.3 % of the values, Lab and Luv back in 3 %, hardly
// ever by more (tests/synthesis/colour_test.cc). OpenCV's own versions differ as much.
Pixel from_rgb(ColourSpace space, const Pixel& rgb);
Pixel to_rgb(ColourSpace space, const Pixel& pixel);

// Converts an RGB image, replaces each value by its channel's table, and converts back.
void map_in_space(Image& rgb, ColourSpace space, const std::array<ByteTable, 3>& tables);

ByteTable identity_table();

}  // namespace adb
