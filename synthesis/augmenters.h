// The ten augmenters that change a texture before it is pasted (card anomaly-synthesis, section 5).
// Each works in place on an 8-bit RGB image of any size.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/seed.h"
#include "images/image.h"
#include "synthesis/colour.h"

namespace adb {

inline constexpr int kNumAugmenters = 10;

// v -> 255 (v / 255)^gamma, truncated; an exponent for each channel.
void gamma_contrast(Image& image, const std::array<double, 3>& gamma);

struct BrightnessStep {
  enum class Kind { kMultiply, kAdd } kind = Kind::kMultiply;
  double value = 1;
};
// The steps in order on the brightness channel of a colour space.
void change_brightness(Image& image, ColourSpace space, std::span<const BrightnessStep> steps);

// factor 0: smoothed, 1: unchanged, 2: sharpened. The outermost pixels stay as they are.
void change_sharpness(Image& image, double factor);

// Added to hue (255 units are a full turn) and to saturation: -255 .. 255.
void change_hue_saturation(Image& image, int hue, int saturation);

// Values from floor(threshold) on are inverted. threshold: [0, 256]
void solarize(Image& image, double threshold);

// Keeps the upper `bits` bits: 1 .. 8.
void posterize(Image& image, int bits);

void invert(Image& image);

// Stretches each channel to 0 .. 255 after leaving out cutoff percent of its pixels at either end.
//   cutoff: 0 .. 50
void autocontrast(Image& image, int cutoff);

// Flattens each channel's histogram.
void equalize(Image& image);

// The tenth is rotate() of synthesis/rotate.h.

// Augmenter `which` (0 .. 9, in the card's order) with parameters drawn as the card says.
void apply_augmenter(Image& image, int which, Stream& random);

// `count` different augmenters (0 .. 10) in random order.
void augment_texture(Image& image, int count, Stream& random);

}  // namespace adb
