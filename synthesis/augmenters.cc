#include "synthesis/augmenters.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "synthesis/rotate.h"

namespace adb {
namespace {

using Histogram = std::array<std::int64_t, 256>;

std::uint8_t clipped(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
}

template <class F>
ByteTable table_of(F value) {
  ByteTable table;
  for (int v = 0; v < 256; ++v) {
    table[static_cast<std::size_t>(v)] = value(v);
  }
  return table;
}

void apply_table(Image& image, const ByteTable& table) {
  for (auto& v : image.pixels) {
    v = table[v];
  }
}

void apply_tables(Image& image, const std::array<ByteTable, 3>& tables) {
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[i + c] = tables[c][image.pixels[i + c]];
    }
  }
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> counts = {};
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      ++counts[c][image.pixels[i + c]];
    }
  }
  return counts;
}

// Takes `amount` counts away, from the bins in the order of the iterators.
template <class Iterator>
void take_away(Iterator bin, Iterator end, std::int64_t amount) {
  for (; bin != end; ++bin) {
    if (amount <= *bin) {
      *bin -= amount;
      return;
    }
    amount -= *bin;
    *bin = 0;
  }
}

ByteTable autocontrast_table(Histogram counts, int cutoff) {
  const auto total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const auto cut = total * cutoff / 100;
  take_away(counts.begin(), counts.end(), cut);
  take_away(counts.rbegin(), counts.rend(), cut);
  int low = 0, high = 255;
  while (low < 256 && counts[static_cast<std::size_t>(low)] == 0) {
    ++low;
  }
  while (high >= 0 && counts[static_cast<std::size_t>(high)] == 0) {
    --high;
  }
  if (high <= low) {
    return identity_table();
  }
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  return table_of([&](int v) { return clipped(std::trunc(v * scale + offset)); });
}

ByteTable equalize_table(const Histogram& counts) {
  const auto used = std::count_if(counts.begin(), counts.end(), [](auto n) { return n > 0; });
  // Bin 255 is left out of the sum, whether or not it is empty, as imgaug does it.
  const auto step = std::accumulate(counts.begin(), counts.end() - 1, std::int64_t{0}) / 255;
  if (used <= 1 || step == 0) {
    return identity_table();
  }
  auto below = step / 2;
  return table_of([&](int v) {
    const auto level = std::min<std::int64_t>(255, below / step);
    below += counts[static_cast<std::size_t>(v)];
    return static_cast<std::uint8_t>(level);
  });
}

}  // namespace

void gamma_contrast(Image& image, const std::array<double, 3>& gamma) {
  std::array<ByteTable, 3> tables;
  for (std::size_t c = 0; c < 3; ++c) {
    tables[c] = table_of([&](int v) {
      const float power = std::pow(static_cast<float>(v) / 255.0F, static_cast<float>(gamma[c]));
      return clipped(std::trunc(255.0F * power));
    });
  }
  apply_tables(image, tables);
}

void change_brightness(Image& image, ColourSpace space, std::span<const BrightnessStep> steps) {
  constexpr std::array<std::size_t, kNumColourSpaces> kChannel = {0, 2, 1, 0, 0, 0};
  std::array<ByteTable, 3> tables;
  tables.fill(identity_table());
  auto& brightness = tables[kChannel[static_cast<std::size_t>(space)]];
  for (auto& v : brightness) {
    for (const auto& step : steps) {
      if (step.kind == BrightnessStep::Kind::kMultiply) {
        v = clipped(std::trunc(static_cast<float>(v) * static_cast<float>(step.value)));
      } else {
        v = clipped(v + std::nearbyint(step.value));
      }
    }
  }
  map_in_space(image, space, tables);
}

void change_sharpness(Image& image, double factor) {
  if (image.width < 3 || image.height < 3) {
    return;  // all pixels are outermost
  }
  const auto f = static_cast<float>(factor);
  const Image original = image;
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(image.width) * 3;
  for (int y = 1; y + 1 < image.height; ++y) {
    const auto* in = original.pixels.data() + original.offset(1, y);
    auto* out = image.pixels.data() + image.offset(1, y);
    for (std::ptrdiff_t i = 0; i < line - 6; ++i, ++in, ++out) {
      const int sum = in[-line - 3] + in[-line] + in[-line + 3] + in[-3] + 5 * in[0] + in[3] +
                      in[line - 3] + in[line] + in[line + 3];
      // floor(sum / 13 + 1/2); sum <= 13 * 255, so that this is never above 255.
      const auto smooth = static_cast<float>((2 * sum + 13) / 26);
      const float mixed = smooth + f * (static_cast<float>(in[0]) - smooth);
      *out = static_cast<std::uint8_t>(std::clamp(mixed, 0.0F, 255.0F));
    }
  }
}

void change_hue_saturation(Image& image, int hue, int saturation) {
  constexpr int kTurn = 180;
  const int turn = static_cast<int>(static_cast<double>(hue) / 255 * kTurn);  // truncated
  std::array<ByteTable, 3> tables;
  tables[0] = table_of(
      [&](int v) { return static_cast<std::uint8_t>(((v + turn) % kTurn + kTurn) % kTurn); });
  tables[1] = table_of([&](int v) { return clipped(v + saturation); });
  tables[2] = identity_table();
  map_in_space(image, ColourSpace::kHsv, tables);
}

void solarize(Image& image, double threshold) {
  const double from = std::floor(threshold);
  apply_table(image,
              table_of([&](int v) { return static_cast<std::uint8_t>(v >= from ? 255 - v : v); }));
}

void posterize(Image& image, int bits) {
  ADB_ASSERT(bits >= 1 && bits <= 8);
  const int step = 1 << (8 - bits);
  apply_table(image, table_of([&](int v) { return static_cast<std::uint8_t>(v - v % step); }));
}

void invert(Image& image) {
  for (auto& v : image.pixels) {
    v = static_cast<std::uint8_t>(255 - v);
  }
}

void autocontrast(Image& image, int cutoff) {
  ADB_ASSERT(cutoff >= 0 && cutoff <= 50);
  const auto counts = histograms(image);
  apply_tables(image,
               {autocontrast_table(counts[0], cutoff),
                autocontrast_table(counts[1], cutoff),
                autocontrast_table(counts[2], cutoff)});
}

void equalize(Image& image) {
  const auto counts = histograms(image);
  apply_tables(image,
               {equalize_table(counts[0]), equalize_table(counts[1]), equalize_table(counts[2])});
}

void apply_augmenter(Image& image, int which, Stream& random) {
  switch (which) {
    case 0: {
      std::array<double, 3> gamma;
      for (auto& g : gamma) {
        g = random.uniform(0.5, 2.0);
      }
      return gamma_contrast(image, gamma);
    }
    case 1: {
      using Kind = BrightnessStep::Kind;
      std::array<BrightnessStep, 2> steps = {
          {{Kind::kMultiply, random.uniform(0.8, 1.2)}, {Kind::kAdd, random.uniform(-30, 30)}}};
      if (random.uniform() < 0.5) {
        std::swap(steps[0], steps[1]);
      }
      return change_brightness(
          image, static_cast<ColourSpace>(random.below(kNumColourSpaces)), steps);
    }
    case 2:
      return change_sharpness(image, random.uniform(0, 2));
    case 3: {
      const auto hue = static_cast<int>(random.below(101)) - 50;
      return change_hue_saturation(image, hue, static_cast<int>(random.below(101)) - 50);
    }
    case 4: {
      const double threshold = random.uniform(32, 128);
      if (random.uniform() < 0.5) {
        solarize(image, threshold);
      }
      return;
    }
    case 5:
      return posterize(image, 1 + static_cast<int>(random.below(8)));
    case 6:
      return invert(image);
    case 7:
      return autocontrast(image, static_cast<int>(random.below(21)));
    case 8:
      return equalize(image);
    default:
      ADB_ASSERT(which == 9);
      image = rotate(image, random.uniform(-45, 45));
  }
}

void augment_texture(Image& image, int count, Stream& random) {
  ADB_ASSERT(count >= 0 && count <= kNumAugmenters && image.channels == 3);
  const auto order = random.permutation(kNumAugmenters);
  for (int i = 0; i < count; ++i) {
    apply_augmenter(image, static_cast<int>(order[static_cast<std::size_t>(i)]), random);
  }
}

}  // namespace adb
