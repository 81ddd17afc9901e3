// The one resize of the protocol, for images, masks and maps, and the steps around it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "images/image.h"

namespace adb {

// Mean and standard deviation of ImageNet's R, G, B in [0, 1] (card training-protocol, section 2).
inline constexpr std::array<float, 3> kImageNetMean = {0.485F, 0.456F, 0.406F};
inline constexpr std::array<float, 3> kImageNetStd = {0.229F, 0.224F, 0.225F};

// Pillow's 8-bit bilinear resize, bit for bit: antialiased when shrinking, half-pixel centres,
// horizontal pass first and rounded to 8 bits, an axis that keeps its size skipped. Any number of
// channels.
//   throws: Error(kData) when a side is not in 1 .. kMaxImageSide or the image has no pixels
//   source: card training-protocol, section 2. Differs from Pillow 13 (not from older ones) where
//   the height shrinks by more than twice as many pixels as the width: that runs the vertical pass
//   first.
Image resize_image(const Image& image, int width, int height);

// The protocol's mask: value > 0 -> 255, the same resize, then >= 128 -> 1, else 0. One channel.
//   returns: width * height values 0 or 1
std::vector<std::uint8_t> resize_mask(const Image& mask, int width, int height);

// The same filter on floats: sums in double, rounded to float32 after each pass (Pillow's mode F).
FloatMap resize_map(const FloatMap& map, int width, int height);

// R, G, B -> (19595 R + 38470 G + 7471 B + 32768) >> 16; one channel is returned as it is.
Image to_grey(const Image& image);

// The network's input: planes[c][y][x] = (value / 255 - mean[c]) / std[c], each step in float32.
//   image: 3 channels; planes: 3 * height * width. throws: Error(kInternal) for another shape
void normalise_planes(const Image& image,
                      const std::array<float, 3>& mean,
                      const std::array<float, 3>& std,
                      std::span<float> planes);

}  // namespace adb
