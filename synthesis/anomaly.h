// One training sample with an artificial defect: foreign texture, blended into a normal image where
// Perlin noise is high (card anomaly-synthesis, section 1).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/seed.h"
#include "images/image.h"
#include "synthesis/perlin.h"

namespace adb {

// Defaults: those of DRÆM. DeSTSeg leaves no sample normal, rotates no image and augments no
// texture.
struct AnomalyRecipe {
  double normal_probability = 0.5;    // a sample is left as it is
  double rotation_probability = 0.3;  // the image is rotated first, by [-90, 90) degrees
  int texture_augmenters = 3;         // 0 .. 10, see synthesis/augmenters.h
  int max_cells_exponent = 5;         // 2^0 .. 2^this cells along either axis, drawn apart
  double threshold = 0.5;             // of the noise
  double max_transparency = 0.8;      // beta is uniform in [0, this)
};

// Planes are [3, H, W] in [0, 1].
struct AnomalySample {
  std::vector<float> image;   // with the defect
  std::vector<float> target;  // without it
  std::vector<float> mask;    // [H, W]: 1 on the defect, else 0; may be 0 everywhere
};

// Every draw comes from `random`.
//   image: RGB   texture: gives an RGB image of the same size; not called for a sample left normal
AnomalySample make_anomaly(Image image,
                           const std::function<Image(Stream& random)>& texture,
                           const AnomalyRecipe& recipe,
                           Stream& random);

// The shape of a defect: noise on 2^a x 2^b cells, rotated by [-90, 90) degrees, above the
// threshold. [H, W] of 0 and 1.
std::vector<std::uint8_t> random_defect_mask(int width,
                                             int height,
                                             const AnomalyRecipe& recipe,
                                             Stream& random);

// value / 255 as planes.
std::vector<float> to_planes(const Image& image);

// I (1 - M) + (1 - beta) A M + beta I M in float32, as planes [3, H, W].
//   image: planes I   texture: 255 A   mask: [H, W] of 0 and 1
std::vector<float> blend(std::span<const float> image,
                         const Image& texture,
                         std::span<const std::uint8_t> mask,
                         float beta);

}  // namespace adb
