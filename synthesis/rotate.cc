#include "synthesis/rotate.h"

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace adb {
namespace {

constexpr int kFineBits = 5;  // 1/32 pixel
constexpr int kFine = 1 << kFineBits;
constexpr int kStepBits = 10;  // of the fixed-point coordinates before that rounding

// Where each pixel of the result comes from, as OpenCV's warpAffine finds it: fixed-point numbers
// whose parts for x and y are rounded apart.
class Source {
 public:
  Source(int width, int height, double degrees) {
    const double angle = degrees * std::numbers::pi / 180;
    const double cos = std::cos(angle), sin = std::sin(angle);
    const double cx = (width - 1) * 0.5, cy = (height - 1) * 0.5;
    // From source to result: [cos -sin tx; sin cos ty].
    const double tx = (1 - cos) * cx + sin * cy, ty = -sin * cx + (1 - cos) * cy;
    // Its inverse, taken literally: the determinant need not be exactly 1.
    const double scale = 1 / (cos * cos + sin * sin);
    const double a = cos * scale, b = sin * scale;
    along_y_ = {b, a};
    start_ = {-a * tx - b * ty, b * tx - a * ty};
    for (int x = 0; x < width; ++x) {
      along_x_.push_back({fixed(a * x), fixed(-b * x)});
    }
  }

  struct Row {
    int x, y;
  };
  Row row(int y) const {
    constexpr int kHalf = 1 << (kStepBits - kFineBits - 1);
    return {fixed(along_y_[0] * y + start_[0]) + kHalf, fixed(along_y_[1] * y + start_[1]) + kHalf};
  }

  struct Point {
    int x, y;            // whole pixels, perhaps outside
    int fine_x, fine_y;  // 0 .. 31
  };
  Point at(const Row& row, int x) const {
    const auto& step = along_x_[static_cast<std::size_t>(x)];
    const int px = (row.x + step[0]) >> (kStepBits - kFineBits);
    const int py = (row.y + step[1]) >> (kStepBits - kFineBits);
    return {px >> kFineBits, py >> kFineBits, px & (kFine - 1), py & (kFine - 1)};
  }

 private:
  static int fixed(double value) { return static_cast<int>(std::lrint(value * (1 << kStepBits))); }

  std::array<double, 2> along_y_ = {}, start_ = {};
  std::vector<std::array<int, 2>> along_x_;
};

// Reads `channels` interleaved values; outside they are 0.
template <class T>
struct Reader {
  const T* data;
  int width, height, channels;

  const T* pixel(int x, int y) const {
    return data + (static_cast<std::ptrdiff_t>(y) * width + x) * channels;
  }
  double value(int x, int y, int c) const {
    return x < 0 || y < 0 || x >= width || y >= height ? 0.0 : static_cast<double>(pixel(x, y)[c]);
  }
};

// finish: the weighted sum in units of 1 / (32 * 32) -> a value of the result
template <class T, class Sum, class Finish>
void rotate_pixels(const Reader<T>& from, const Source& source, T* out, Finish finish) {
  for (int y = 0; y < from.height; ++y) {
    const auto row = source.row(y);
    for (int x = 0; x < from.width; ++x, out += from.channels) {
      const auto p = source.at(row, x);
      const int right = p.fine_x, left = kFine - right, low = p.fine_y, high = kFine - low;
      const auto w00 = static_cast<Sum>(left * high), w01 = static_cast<Sum>(right * high);
      const auto w10 = static_cast<Sum>(left * low), w11 = static_cast<Sum>(right * low);
      if (p.x >= 0 && p.y >= 0 && p.x + 1 < from.width && p.y + 1 < from.height) {
        const T* upper = from.pixel(p.x, p.y);
        const T* lower = upper + static_cast<std::ptrdiff_t>(from.width) * from.channels;
        for (int c = 0; c < from.channels; ++c) {
          const int d = c + from.channels;
          out[c] = finish(upper[c] * w00 + upper[d] * w01 + lower[c] * w10 + lower[d] * w11);
        }
      } else if (p.x >= -1 && p.y >= -1 && p.x < from.width && p.y < from.height) {
        for (int c = 0; c < from.channels; ++c) {
          out[c] = finish(static_cast<Sum>(from.value(p.x, p.y, c)) * w00 +
                          static_cast<Sum>(from.value(p.x + 1, p.y, c)) * w01 +
                          static_cast<Sum>(from.value(p.x, p.y + 1, c)) * w10 +
                          static_cast<Sum>(from.value(p.x + 1, p.y + 1, c)) * w11);
        }
      }
    }
  }
}

}  // namespace

Image rotate(const Image& image, double degrees) {
  const Source source(image.width, image.height, degrees);
  Image rotated(image.width, image.height, image.channels);
  rotate_pixels<std::uint8_t, int>(
      {image.pixels.data(), image.width, image.height, image.channels},
      source,
      rotated.pixels.data(),
      [](int sum) {
        return static_cast<std::uint8_t>((sum + kFine * kFine / 2) / (kFine * kFine));
      });
  return rotated;
}

Plane rotate(const Plane& plane, double degrees) {
  const Source source(plane.width, plane.height, degrees);
  Plane rotated{plane.width, plane.height, std::vector<double>(plane.values.size())};
  rotate_pixels<double, double>({plane.values.data(), plane.width, plane.height, 1},
                                source,
                                rotated.values.data(),
                                [](double sum) { return sum / (kFine * kFine); });
  return rotated;
}

}  // namespace adb
