#include "synthesis/procedural.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "synthesis/perlin.h"

namespace adb {
namespace {

using Colour = std::array<float, 3>;

// Interleaved like Image, before rounding to 8 bits.
struct Canvas {
  int side;
  std::vector<float> values;

  explicit Canvas(int s)
      : side(s), values(static_cast<std::size_t>(s) * static_cast<std::size_t>(s) * 3) {}
};

Colour random_colour(Stream& random) {
  Colour colour;
  for (auto& v : colour) {
    v = static_cast<float>(random.uniform(0, 255));
  }
  return colour;
}

// Five octaves of noise for each channel, stretched to the range between two random levels.
void fractal_noise(Canvas& canvas, Stream& random) {
  constexpr int kOctaves = 5;
  const auto first = 1 + static_cast<int>(random.below(3));
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<double> sum(canvas.values.size() / 3);
    for (int octave = 0; octave < kOctaves; ++octave) {
      const int cells = 1 << (first + octave);
      const auto noise =
          perlin_noise(GradientGrid::random(cells, cells, random), canvas.side, canvas.side);
      const double weight = std::ldexp(1.0, -octave);
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += weight * noise.values[i];
      }
    }
    const auto [low, high] = std::minmax_element(sum.begin(), sum.end());
    const double start = *low, range = *high - *low;
    const double from = random.uniform(0, 255), to = random.uniform(0, 255);
    const double scale = range > 0 ? (to - from) / range : 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      canvas.values[3 * i + c] = static_cast<float>(from + (sum[i] - start) * scale);
    }
  }
}

void stripes(Canvas& canvas, bool checkered, Stream& random) {
  const std::array<Colour, 2> colours = {random_colour(random), random_colour(random)};
  const double half = random.uniform(4, 64) / 2;  // of the period
  const double angle = random.uniform(0, 2 * std::numbers::pi);
  const double cos = std::cos(angle) / half, sin = std::sin(angle) / half;
  auto* out = canvas.values.data();
  for (int y = 0; y < canvas.side; ++y) {
    for (int x = 0; x < canvas.side; ++x, out += 3) {
      auto band = static_cast<std::int64_t>(std::floor(cos * x + sin * y));
      if (checkered) {
        band += static_cast<std::int64_t>(std::floor(cos * y - sin * x));
      }
      std::copy_n(colours[static_cast<std::size_t>(band & 1)].begin(), 3, out);
    }
  }
}

void voronoi(Canvas& canvas, Stream& random) {
  struct Site {
    float x, y;
    Colour colour;
  };
  std::vector<Site> sites(static_cast<std::size_t>(8 + random.below(121)));
  for (auto& site : sites) {
    site.x = static_cast<float>(random.uniform(0, canvas.side));
    site.y = static_cast<float>(random.uniform(0, canvas.side));
    site.colour = random_colour(random);
  }
  const auto side = static_cast<std::size_t>(canvas.side);
  std::vector<float> nearest(side);
  std::vector<std::int32_t> owner(side);
  auto* out = canvas.values.data();
  for (std::size_t y = 0; y < side; ++y) {
    std::fill(nearest.begin(), nearest.end(), std::numeric_limits<float>::max());
    for (std::size_t s = 0; s < sites.size(); ++s) {  // row by row, so that it can be vectorised
      const float dy = static_cast<float>(y) - sites[s].y, dy2 = dy * dy, sx = sites[s].x;
      for (std::size_t x = 0; x < side; ++x) {
        const float dx = static_cast<float>(x) - sx, distance = dx * dx + dy2;
        const bool nearer = distance < nearest[x];
        nearest[x] = nearer ? distance : nearest[x];
        owner[x] = nearer ? static_cast<std::int32_t>(s) : owner[x];
      }
    }
    for (std::size_t x = 0; x < side; ++x, out += 3) {
      std::copy_n(sites[static_cast<std::size_t>(owner[x])].colour.begin(), 3, out);
    }
  }
}

void noisy_colour(Canvas& canvas, Stream& random) {
  const auto colour = random_colour(random);
  const auto sigma = static_cast<float>(random.uniform(0, 40));
  // Box-Muller in float, both of a pair from one draw: a pixel's noise needs no more.
  constexpr float kUnit = 0x1p-24F;
  float second = 0;
  for (std::size_t i = 0; i < canvas.values.size(); ++i) {
    float noise = second;
    if (i % 2 == 0) {
      const auto bits = random.bits();
      const float u = (static_cast<float>(bits >> 40) + 1) * kUnit;  // (0, 1]
      const float angle =
          static_cast<float>(bits & 0xFFFFFF) * (kUnit * 2 * std::numbers::pi_v<float>);
      const float radius = std::sqrt(-2 * std::log(u));
      noise = radius * std::cos(angle);
      second = radius * std::sin(angle);
    }
    canvas.values[i] = colour[i % 3] + sigma * noise;
  }
}

// Gaussian filter, separable, radius 3 sigma, edge pixels repeated.
void blur(Canvas& canvas, double sigma) {
  const int radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<float> weights;
  double sum = 0;
  for (int k = -radius; k <= radius; ++k) {
    weights.push_back(static_cast<float>(std::exp(-k * k / (2 * sigma * sigma))));
    sum += static_cast<double>(weights.back());
  }
  for (auto& weight : weights) {
    weight /= static_cast<float>(sum);
  }
  const int side = canvas.side;
  const auto line = static_cast<std::size_t>(side) * 3;
  std::vector<float> row(line), padded(line + 6 * static_cast<std::size_t>(radius));
  // Down the columns first: whole rows are added up.
  std::vector<float> down(canvas.values.size());
  for (int y = 0; y < side; ++y) {
    auto* out = down.data() + static_cast<std::size_t>(y) * line;
    for (int k = -radius; k <= radius; ++k) {
      const auto* in =
          canvas.values.data() + static_cast<std::size_t>(std::clamp(y + k, 0, side - 1)) * line;
      const float weight = weights[static_cast<std::size_t>(k + radius)];
      for (std::size_t i = 0; i < line; ++i) {
        out[i] += weight * in[i];
      }
    }
  }
  for (int y = 0; y < side; ++y) {
    const auto* in = down.data() + static_cast<std::size_t>(y) * line;
    for (int x = -radius; x < side + radius; ++x) {
      std::copy_n(in + static_cast<std::size_t>(std::clamp(x, 0, side - 1)) * 3,
                  3,
                  padded.data() + static_cast<std::size_t>(x + radius) * 3);
    }
    std::fill(row.begin(), row.end(), 0.0F);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      for (std::size_t i = 0; i < line; ++i) {
        row[i] += weights[k] * padded[i + 3 * k];
      }
    }
    std::copy(
        row.begin(),
        row.end(),
        canvas.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * line));
  }
}

}  // namespace

Image procedural_texture(int side, Stream& random) {
  ADB_ASSERT(side > 0);
  Canvas canvas(side);
  switch (random.below(4)) {
    case 0:
      fractal_noise(canvas, random);
      break;
    case 1:
      stripes(canvas, random.below(2) == 1, random);
      break;
    case 2:
      voronoi(canvas, random);
      break;
    default:
      noisy_colour(canvas, random);
  }
  constexpr double kLeastSigma = 0.1;  // below, the filter is the identity
  if (random.uniform() < 0.5) {
    if (const double sigma = random.uniform(0, 2); sigma >= kLeastSigma) {
      blur(canvas, sigma);
    }
  }
  Image image(side, side, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(std::clamp(canvas.values[i], 0.0F, 255.0F) + 0.5F);
  }
  return image;
}

}  // namespace adb
