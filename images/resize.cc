#include "images/resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/error.h"
#include "images/codec.h"

namespace adb {
namespace {

constexpr int kFractionBits = 22;  // of the fixed-point weights

// The source samples of one target sample: [first, first + count), weights from `offset` on.
struct Window {
  int first = 0;
  int count = 0;
  std::size_t offset = 0;
};

struct Axis {
  std::vector<Window> windows;
  std::vector<double> weights;
};

// Triangle filter, widened by the scale when shrinking. The operations are in Pillow's order
// (multiplied by the reciprocal of the width, then divided by the sum), so that the last bits
// agree.
Axis make_axis(int source, int target) {
  const double scale = static_cast<double>(source) / target;
  const double radius = std::max(scale, 1.0);
  const double inverse = 1.0 / radius;
  Axis axis;
  axis.windows.reserve(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double centre = (i + 0.5) * scale;
    const int low = std::max(static_cast<int>(centre - radius + 0.5), 0);
    const int high = std::min(static_cast<int>(centre + radius + 0.5), source);
    const Window window{low, high - low, axis.weights.size()};
    double sum = 0;
    for (int x = low; x < high; ++x) {
      const double weight = std::max(0.0, 1.0 - std::abs((x - centre + 0.5) * inverse));
      axis.weights.push_back(weight);
      sum += weight;
    }
    for (int k = 0; k < window.count; ++k) {
      axis.weights[window.offset + static_cast<std::size_t>(k)] /= sum;
    }
    axis.windows.push_back(window);
  }
  return axis;
}

std::vector<std::int32_t> fixed_point(const Axis& axis) {
  std::vector<std::int32_t> fixed;
  fixed.reserve(axis.weights.size());
  for (const double weight : axis.weights) {
    fixed.push_back(static_cast<std::int32_t>(0.5 + weight * (1 << kFractionBits)));
  }
  return fixed;
}

// Weights of one target sum to about 2^22, so sums stay below 2^22 * 255 + 2^21 < 2^31.
std::uint8_t from_fixed(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

// kChannels 0: any number, in `channels`.
template <int kChannels>
void horizontal_rows(const Image& in, const Axis& axis, const std::int32_t* weights, Image& out) {
  const int channels = kChannels > 0 ? kChannels : in.channels;
  for (int y = 0; y < in.height; ++y) {
    const std::uint8_t* row = in.pixels.data() + in.offset(0, y);
    std::uint8_t* target = out.pixels.data() + out.offset(0, y);
    for (const Window& window : axis.windows) {
      const std::int32_t* k = weights + window.offset;
      const std::uint8_t* source = row + static_cast<std::ptrdiff_t>(window.first) * channels;
      if constexpr (kChannels == 3) {
        std::int32_t r = kHalf, g = kHalf, b = kHalf;
        for (int x = 0; x < window.count; ++x, source += 3) {
          r += k[x] * source[0];
          g += k[x] * source[1];
          b += k[x] * source[2];
        }
        *target++ = from_fixed(r);
        *target++ = from_fixed(g);
        *target++ = from_fixed(b);
      } else {
        for (int c = 0; c < channels; ++c) {
          std::int32_t sum = kHalf;
          for (int x = 0; x < window.count; ++x) {
            sum += k[x] * source[static_cast<std::ptrdiff_t>(x) * channels + c];
          }
          *target++ = from_fixed(sum);
        }
      }
    }
  }
}

Image horizontal(const Image& in, int width) {
  const Axis axis = make_axis(in.width, width);
  const std::vector<std::int32_t> weights = fixed_point(axis);
  Image out(width, in.height, in.channels);
  switch (in.channels) {
    case 1:
      horizontal_rows<1>(in, axis, weights.data(), out);
      break;
    case 3:
      horizontal_rows<3>(in, axis, weights.data(), out);
      break;
    default:
      horizontal_rows<0>(in, axis, weights.data(), out);
  }
  return out;
}

Image vertical(const Image& in, int height) {
  const Axis axis = make_axis(in.height, height);
  const std::vector<std::int32_t> weights = fixed_point(axis);
  Image out(in.width, height, in.channels);
  const std::size_t row_size = in.offset(0, 1);
  std::vector<std::int32_t> sums(row_size);
  for (int y = 0; y < height; ++y) {
    const Window& window = axis.windows[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int k = 0; k < window.count; ++k) {
      const std::int32_t weight = weights[window.offset + static_cast<std::size_t>(k)];
      const std::uint8_t* row = in.pixels.data() + in.offset(0, window.first + k);
      for (std::size_t x = 0; x < row_size; ++x) {
        sums[x] += weight * row[x];
      }
    }
    std::transform(sums.begin(), sums.end(), out.pixels.data() + out.offset(0, y), from_fixed);
  }
  return out;
}

void check_sizes(
    int width, int height, std::size_t available, std::size_t needed, int to_w, int to_h) {
  ADB_CHECK(width > 0 && height > 0 && available == needed,
            ErrorKind::kData,
            "cannot resize {} x {} pixels that have {} values",
            width,
            height,
            available);
  ADB_CHECK(to_w >= 1 && to_w <= kMaxImageSide && to_h >= 1 && to_h <= kMaxImageSide &&
                std::int64_t{to_w} * to_h <= kMaxImagePixels,
            ErrorKind::kData,
            "cannot resize to {} x {} pixels: sides must be in [1, {}], pixels at most {}",
            to_w,
            to_h,
            kMaxImageSide,
            kMaxImagePixels);
}

}  // namespace

Image resize_image(const Image& image, int width, int height) {
  check_sizes(
      image.width, image.height, image.pixels.size(), image.offset(0, image.height), width, height);
  ADB_CHECK(image.channels > 0, ErrorKind::kData, "cannot resize an image without channels");
  if (width == image.width) {
    return height == image.height ? image : vertical(image, height);
  }
  Image narrowed = horizontal(image, width);
  return height == image.height ? narrowed : vertical(narrowed, height);
}

std::vector<std::uint8_t> resize_mask(const Image& mask, int width, int height) {
  ADB_CHECK(mask.channels == 1,
            ErrorKind::kData,
            "a mask has one channel, this one has {}",
            mask.channels);
  Image binary = mask;
  for (std::uint8_t& value : binary.pixels) {
    value = value > 0 ? 255 : 0;
  }
  std::vector<std::uint8_t> resized = resize_image(binary, width, height).pixels;
  for (std::uint8_t& value : resized) {
    value = value >= 128 ? 1 : 0;  // v / 255 > 0.5
  }
  return resized;
}

FloatMap resize_map(const FloatMap& map, int width, int height) {
  const auto pixels = static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height);
  check_sizes(map.width, map.height, map.values.size(), pixels, width, height);
  const auto columns = static_cast<std::size_t>(width);
  FloatMap narrowed = map;
  if (width != map.width) {
    const Axis axis = make_axis(map.width, width);
    narrowed = {
        width, map.height, std::vector<float>(columns * static_cast<std::size_t>(map.height))};
    for (std::size_t y = 0; y < static_cast<std::size_t>(map.height); ++y) {
      const float* row = map.values.data() + y * static_cast<std::size_t>(map.width);
      for (std::size_t x = 0; x < columns; ++x) {
        const Window& window = axis.windows[x];
        double sum = 0;
        for (int k = 0; k < window.count; ++k) {
          sum += static_cast<double>(row[window.first + k]) *
                 axis.weights[window.offset + static_cast<std::size_t>(k)];
        }
        narrowed.values[y * columns + x] = static_cast<float>(sum);
      }
    }
  }
  if (height == map.height) {
    return narrowed;
  }
  const Axis axis = make_axis(map.height, height);
  FloatMap out{width, height, std::vector<float>(columns * static_cast<std::size_t>(height))};
  std::vector<double> sums(columns);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    const Window& window = axis.windows[y];
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int k = 0; k < window.count; ++k) {
      const double weight = axis.weights[window.offset + static_cast<std::size_t>(k)];
      const float* row =
          narrowed.values.data() + static_cast<std::size_t>(window.first + k) * columns;
      for (std::size_t x = 0; x < columns; ++x) {
        sums[x] += static_cast<double>(row[x]) * weight;
      }
    }
    for (std::size_t x = 0; x < columns; ++x) {
      out.values[y * columns + x] = static_cast<float>(sums[x]);
    }
  }
  return out;
}

Image to_grey(const Image& image) {
  if (image.channels == 1) {
    return image;
  }
  ADB_ASSERT(image.channels == 3);
  Image grey(image.width, image.height, 1);
  const std::uint8_t* rgb = image.pixels.data();
  for (std::uint8_t& value : grey.pixels) {
    value =
        static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16);
    rgb += 3;
  }
  return grey;
}

void normalise_planes(const Image& image,
                      const std::array<float, 3>& mean,
                      const std::array<float, 3>& std,
                      std::span<float> planes) {
  ADB_ASSERT(image.channels == 3 && planes.size() == image.pixels.size());
  const std::size_t plane = planes.size() / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    std::array<float, 256> table{};
    for (std::size_t value = 0; value < table.size(); ++value) {
      table[value] = (static_cast<float>(value) / 255.0F - mean[c]) / std[c];
    }
    const std::uint8_t* source = image.pixels.data() + c;
    float* target = planes.data() + c * plane;
    for (std::size_t i = 0; i < plane; ++i) {
      target[i] = table[source[3 * i]];
    }
  }
}

}  // namespace adb
