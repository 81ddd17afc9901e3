#include "synthesis/colour.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace adb {
namespace {

std::uint8_t byte(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

// Rounded to even.
std::uint8_t byte(float value) {
  return static_cast<std::uint8_t>(std::clamp(std::nearbyintf(value), 0.0F, 255.0F));
}

// value / 2^bits, rounded half up.
constexpr int descale(int value, int bits) {
  return (value + (1 << (bits - 1))) >> bits;
}

// Luma and two scaled differences from it. Coefficients are ITU-R BT.601's in 14 bits, as OpenCV
// rounds them (docs.opencv.org, "Color conversions").
struct LumaSpace {
  int red_scale, blue_scale;                     // of R - Y and B - Y
  int red_to_r, red_to_g, blue_to_g, blue_to_b;  // and back
  std::size_t red_channel, blue_channel;
};
constexpr LumaSpace kYCrCbSpace = {11682, 9241, 22987, -11698, -5636, 29049, 1, 2};
constexpr LumaSpace kYuvSpace = {14369, 8061, 18678, -9519, -6472, 33292, 2, 1};
constexpr int kLumaBits = 14;

template <const LumaSpace& kSpace>
struct Luma {
  static Pixel from(const Pixel& rgb) {
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    const int y = descale(4899 * r + 9617 * g + 1868 * b, kLumaBits);
    constexpr int kMiddle = 128 << kLumaBits;
    Pixel out;
    out[0] = byte(y);
    out[kSpace.red_channel] = byte(descale((r - y) * kSpace.red_scale + kMiddle, kLumaBits));
    out[kSpace.blue_channel] = byte(descale((b - y) * kSpace.blue_scale + kMiddle, kLumaBits));
    return out;
  }
  static Pixel back(const Pixel& in) {
    const int y = in[0], red = in[kSpace.red_channel] - 128, blue = in[kSpace.blue_channel] - 128;
    return {byte(y + descale(red * kSpace.red_to_r, kLumaBits)),
            byte(y + descale(blue * kSpace.blue_to_g + red * kSpace.red_to_g, kLumaBits)),
            byte(y + descale(blue * kSpace.blue_to_b, kLumaBits))};
  }
};

// Red, green, blue of the six parts of the colour circle, as indices into {most, least, falling,
// rising}.
constexpr std::array<std::array<std::size_t, 3>, 6> kSectors = {
    {{0, 3, 1}, {2, 0, 1}, {1, 0, 3}, {1, 2, 0}, {3, 1, 0}, {0, 1, 2}}};

struct Hue {
  std::size_t sector;
  float rest;  // [0, 1)
};
Hue split_hue(std::uint8_t hue) {
  const float h = static_cast<float>(hue % 180) * (6.0F / 180.0F);
  const float whole = std::floor(h);
  return {static_cast<std::size_t>(whole), h - whole};
}

Pixel from_sector(const Hue& hue, const std::array<std::uint8_t, 4>& levels) {
  const auto& sector = kSectors[hue.sector];
  return {levels[sector[0]], levels[sector[1]], levels[sector[2]]};
}

constexpr int kHsvBits = 12;

struct Hsv {
  // Reciprocals in 12 bits, rounded to even: 255 / v and 180 / (6 d).
  struct Reciprocals {
    std::array<int, 256> saturation = {}, hue = {};
    Reciprocals() {
      for (std::size_t i = 1; i < 256; ++i) {
        const auto n = static_cast<double>(i);
        saturation[i] = static_cast<int>(std::lrint((255 << kHsvBits) / n));
        hue[i] = static_cast<int>(std::lrint((180 << kHsvBits) / (6 * n)));
      }
    }
  };
  static Pixel from(const Pixel& rgb) {
    static const Reciprocals kReciprocals;
    const int r = rgb[0], g = rgb[1], b = rgb[2];
    const int v = std::max({r, g, b});
    const int d = v - std::min({r, g, b});
    const int s = descale(d * kReciprocals.saturation[static_cast<std::size_t>(v)], kHsvBits);
    int h = v == r ? g - b : v == g ? b - r + 2 * d : r - g + 4 * d;
    h = descale(h * kReciprocals.hue[static_cast<std::size_t>(d)], kHsvBits);
    return {byte(h < 0 ? h + 180 : h), byte(s), byte(v)};
  }
  static Pixel back(const Pixel& in) {
    const auto hue = split_hue(in[0]);
    const float s = static_cast<float>(in[1]) * (1.0F / 255.0F);
    const auto v = static_cast<float>(in[2]);
    const auto level = [&](float part) {  // truncated, as OpenCV's vector code does
      return static_cast<std::uint8_t>(v * (1 - s * part));
    };
    return from_sector(hue, {in[2], level(1), level(hue.rest), level(1 - hue.rest)});
  }
};

struct Hls {
  static Pixel from(const Pixel& rgb) {
    const float r = static_cast<float>(rgb[0]) * (1.0F / 255.0F);
    const float g = static_cast<float>(rgb[1]) * (1.0F / 255.0F);
    const float b = static_cast<float>(rgb[2]) * (1.0F / 255.0F);
    const float most = std::max({r, g, b}), least = std::min({r, g, b});
    const float d = most - least, sum = most + least, l = sum * 0.5F;
    float h = 0, s = 0;
    if (d > 0) {
      s = l < 0.5F ? d / sum : d / (2 - sum);
      // A fused multiply-add in the original; the product of two floats is exact in double.
      const double scale = static_cast<double>(60 / d);
      const auto turned = [&](float difference, int degrees) {
        return static_cast<float>(static_cast<double>(difference) * scale + degrees);
      };
      h = most == r   ? turned(g - b, g < b ? 360 : 0)
          : most == g ? turned(b - r, 120)
                      : turned(r - g, 240);
    }
    return {byte(h * 0.5F), byte(l * 255.0F), byte(s * 255.0F)};
  }
  static Pixel back(const Pixel& in) {
    const auto hue = split_hue(in[0]);
    const float l = static_cast<float>(in[1]) * (1.0F / 255.0F);
    const float s = static_cast<float>(in[2]) * (1.0F / 255.0F);
    const float most = l <= 0.5F ? l * (1 + s) : l + s - l * s;
    const float least = 2 * l - most;
    const auto level = [&](float part) { return byte((least + (most - least) * part) * 255.0F); };
    return from_sector(
        hue, {byte(most * 255.0F), byte(least * 255.0F), level(1 - hue.rest), level(hue.rest)});
  }
};

// --- CIE spaces: sRGB primaries, white point D65.

constexpr std::array<std::array<double, 3>, 3> kToXyz = {{{0.412453, 0.357580, 0.180423},
                                                          {0.212671, 0.715160, 0.072169},
                                                          {0.019334, 0.119193, 0.950227}}};
constexpr std::array<std::array<float, 3>, 3> kToRgb = {{{3.240479F, -1.53715F, -0.498535F},
                                                         {-0.969256F, 1.875991F, 0.041556F},
                                                         {0.055648F, -0.204043F, 1.057311F}}};
constexpr std::array<double, 3> kWhite = {0.950456, 1.0, 1.088754};

double linear(double v) {
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

// Linear values in [0, 1] to 8-bit sRGB.
class SrgbTable {
 public:
  SrgbTable() : bytes_(kSize + 1) {
    for (int i = 0; i <= kSize; ++i) {
      const double v = static_cast<double>(i) / kSize;
      const double encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
      bytes_[static_cast<std::size_t>(i)] = byte(static_cast<float>(encoded * 255));
    }
  }
  std::uint8_t operator()(float v) const {
    return bytes_[static_cast<std::size_t>(std::clamp(v, 0.0F, 1.0F) * kSize + 0.5F)];
  }

 private:
  static constexpr int kSize = 1 << 15;
  std::vector<std::uint8_t> bytes_;
};

Pixel srgb_from_xyz(float x, float y, float z) {
  static const SrgbTable kSrgb;
  Pixel rgb;
  for (std::size_t c = 0; c < 3; ++c) {
    rgb[c] = kSrgb(kToRgb[c][0] * x + kToRgb[c][1] * y + kToRgb[c][2] * z);
  }
  return rgb;
}

// Inverse of L* as a function of Y, and the f of L*a*b*.
constexpr float kLinearL = 8.0F;  // below, both are straight lines
constexpr float kSlope = 903.3F;

struct Lab {
  // The forward direction in fixed point, as OpenCV does it: linear values in 11 bits, f in 15.
  struct Tables {
    std::array<int, 256> linear11 = {};
    std::array<int, 256 * 3 / 2 * 8> f15 = {};
    std::array<std::array<int, 3>, 3> to_xyz12 = {};
    Tables() {
      for (std::size_t i = 0; i < linear11.size(); ++i) {
        linear11[i] = static_cast<int>(std::lrint(255 * 8 * linear(static_cast<double>(i) / 255)));
      }
      for (std::size_t i = 0; i < f15.size(); ++i) {
        const double t = static_cast<double>(i) / (255 * 8);
        f15[i] = static_cast<int>(
            std::lrint((1 << 15) * (t < 0.008856 ? t * 7.787 + 16.0 / 116 : std::cbrt(t))));
      }
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          to_xyz12[i][j] = static_cast<int>(std::lrint((1 << 12) * kToXyz[i][j] / kWhite[i]));
        }
      }
    }
  };
  static Pixel from(const Pixel& rgb) {
    static const Tables kTables;
    const int r = kTables.linear11[rgb[0]], g = kTables.linear11[rgb[1]],
              b = kTables.linear11[rgb[2]];
    std::array<int, 3> f;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& row = kTables.to_xyz12[i];
      f[i] =
          kTables.f15[static_cast<std::size_t>(descale(row[0] * r + row[1] * g + row[2] * b, 12))];
    }
    constexpr int kLightness = (116 * 255 + 50) / 100;
    constexpr int kShift = -((16 * 255 * (1 << 15) + 50) / 100);
    constexpr int kMiddle = 128 << 15;
    return {byte(descale(kLightness * f[1] + kShift, 15)),
            byte(descale(500 * (f[0] - f[1]) + kMiddle, 15)),
            byte(descale(200 * (f[1] - f[2]) + kMiddle, 15))};
  }
  static Pixel back(const Pixel& in) {
    const float l = static_cast<float>(in[0]) * (100.0F / 255.0F);
    const float a = static_cast<float>(in[1]) - 128, b = static_cast<float>(in[2]) - 128;
    float y, fy;
    if (l <= kLinearL) {
      y = l / kSlope;
      fy = 7.787F * y + 16.0F / 116.0F;
    } else {
      fy = (l + 16) / 116;
      y = fy * fy * fy;
    }
    const auto inverse = [](float f) {
      constexpr float kBorder = 7.787F * 0.008856F + 16.0F / 116.0F;
      return f <= kBorder ? (f - 16.0F / 116.0F) / 7.787F : f * f * f;
    };
    return srgb_from_xyz(inverse(fy + a / 500) * static_cast<float>(kWhite[0]),
                         y,
                         inverse(fy - b / 200) * static_cast<float>(kWhite[2]));
  }
};

struct Luv {
  static constexpr double kNorm = kWhite[0] + 15 * kWhite[1] + 3 * kWhite[2];
  static constexpr double kU = 4 * kWhite[0] / kNorm, kV = 9 * kWhite[1] / kNorm;  // of white

  // Forward as OpenCV does it: the space's values at 33 x 33 x 33 colours, in 14 bits, trilinear
  // between them on a scale on which 256 would be full brightness, and truncated. The formulas
  // alone differ from that in a fifth of all values.
  class Lattice {
   public:
    Lattice() : values_(kPoints * kPoints * kPoints) {
      for (std::size_t r = 0; r < kPoints; ++r) {
        for (std::size_t g = 0; g < kPoints; ++g) {
          for (std::size_t b = 0; b < kPoints; ++b) {
            values_[(r * kPoints + g) * kPoints + b] = exact({r, g, b});
          }
        }
      }
    }

    Pixel at(const Pixel& rgb) const {
      std::array<int, 3> sum = {};
      for (std::size_t corner = 0; corner < 8; ++corner) {
        int weight = 1;
        std::size_t index = 0;
        for (std::size_t c = 0; c < 3; ++c) {
          const std::size_t up = corner >> c & 1;
          const int part = (2 * rgb[c]) & 15;  // of the way to the next point, in 16ths
          weight *= up == 1 ? part : 16 - part;
          index = index * kPoints + rgb[c] / 8 + up;
        }
        for (std::size_t c = 0; c < 3; ++c) {
          sum[c] += weight * values_[index][c];
        }
      }
      Pixel out;
      for (std::size_t c = 0; c < 3; ++c) {
        out[c] = byte(descale(sum[c], 12) / (kOne / 256));
      }
      return out;
    }

   private:
    static constexpr std::size_t kPoints = 33;
    static constexpr int kOne = 1 << 14;

    static std::array<int, 3> exact(const std::array<std::size_t, 3>& point) {
      std::array<double, 3> light, xyz;
      for (std::size_t c = 0; c < 3; ++c) {
        light[c] = linear(static_cast<double>(point[c]) / (kPoints - 1));
      }
      for (std::size_t i = 0; i < 3; ++i) {
        xyz[i] = kToXyz[i][0] * light[0] + kToXyz[i][1] * light[1] + kToXyz[i][2] * light[2];
      }
      const double y = xyz[1];
      const double l = y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
      const double norm = std::max(xyz[0] + 15 * y + 3 * xyz[2], 1e-12);
      const double u = 13 * l * (4 * xyz[0] / norm - kU), v = 13 * l * (9 * y / norm - kV);
      const auto scaled = [](double part) { return static_cast<int>(std::lrint(kOne * part)); };
      return {scaled(l / 100), scaled((u + 134) / 354), scaled((v + 140) / 262)};
    }

    std::vector<std::array<int, 3>> values_;
  };

  static Pixel from(const Pixel& rgb) {
    static const Lattice kLattice;
    return kLattice.at(rgb);
  }
  static Pixel back(const Pixel& in) {
    const float l = static_cast<float>(in[0]) * (100.0F / 255.0F);
    if (in[0] == 0) {
      return {0, 0, 0};
    }
    const float u = static_cast<float>(in[1]) * (354.0F / 255.0F) - 134;
    const float v = static_cast<float>(in[2]) * (262.0F / 255.0F) - 140;
    const float t = (l + 16) / 116;
    const float y = l >= kLinearL ? t * t * t : l / kSlope;
    const float up = 3 * (u + l * static_cast<float>(13 * kU));
    const float vp = std::clamp(0.25F / (v + l * static_cast<float>(13 * kV)), -0.25F, 0.25F);
    // Colours that no screen shows are limited here before they are limited as RGB.
    const float x = std::clamp(3 * y * up * vp, 0.0F, 2.0F);
    const float z = std::clamp(y * ((156 * l - up) * vp - 5), 0.0F, 2.0F);
    return srgb_from_xyz(x, y, z);
  }
};

template <class Space>
void map_pixels(Image& rgb, const std::array<ByteTable, 3>& tables) {
  auto* p = rgb.pixels.data();
  for (const auto* end = p + rgb.pixels.size(); p != end; p += 3) {
    const auto in = Space::from({p[0], p[1], p[2]});
    const auto out = Space::back({tables[0][in[0]], tables[1][in[1]], tables[2][in[2]]});
    std::copy(out.begin(), out.end(), p);
  }
}

// Calls action with the type of the space.
template <class Action>
auto dispatch(ColourSpace space, Action action) {
  switch (space) {
    case ColourSpace::kYCrCb:
      return action(Luma<kYCrCbSpace>());
    case ColourSpace::kHsv:
      return action(Hsv());
    case ColourSpace::kHls:
      return action(Hls());
    case ColourSpace::kLab:
      return action(Lab());
    case ColourSpace::kLuv:
      return action(Luv());
    case ColourSpace::kYuv:
      return action(Luma<kYuvSpace>());
  }
  fail(ErrorKind::kInternal, "no such colour space");
}

}  // namespace

Pixel from_rgb(ColourSpace space, const Pixel& rgb) {
  return dispatch(space, [&]<class Space>(Space) { return Space::from(rgb); });
}

Pixel to_rgb(ColourSpace space, const Pixel& pixel) {
  return dispatch(space, [&]<class Space>(Space) { return Space::back(pixel); });
}

void map_in_space(Image& rgb, ColourSpace space, const std::array<ByteTable, 3>& tables) {
  ADB_ASSERT(rgb.channels == 3);
  dispatch(space, [&]<class Space>(Space) { map_pixels<Space>(rgb, tables); });
}

ByteTable identity_table() {
  ByteTable table;
  for (std::size_t v = 0; v < table.size(); ++v) {
    table[v] = static_cast<std::uint8_t>(v);
  }
  return table;
}

}  // namespace adb
