// Pixels in memory: what decoding gives and resizing takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace adb {

// 8-bit pixels, rows from the top, channels interleaved: pixels[(y * width + x) * channels + c].
// Three channels are R, G, B; one channel is grey or a mask.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int w, int h, int c) : width(w), height(h), channels(c), pixels(offset(0, h)) {}  // zeros

  // Where the pixel's first channel lies in `pixels`.
  std::size_t offset(int x, int y) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
            static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(channels);
  }
  bool operator==(const Image&) const = default;
};

// An anomaly map: one float32 per pixel, rows from the top.
struct FloatMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;
};

}  // namespace adb
