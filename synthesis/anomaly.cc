#include "synthesis/anomaly.h"

#include <utility>

#include "core/error.h"
#include "synthesis/augmenters.h"
#include "synthesis/rotate.h"

namespace adb {

std::vector<std::uint8_t> random_defect_mask(int width,
                                             int height,
                                             const AnomalyRecipe& recipe,
                                             Stream& random) {
  ADB_ASSERT(recipe.max_cells_exponent >= 0 && recipe.max_cells_exponent <= 10);
  const auto cells = [&] { return 1 << random.below(recipe.max_cells_exponent + 1); };
  const int rows = cells();
  const int columns = cells();
  const auto noise = perlin_noise(GradientGrid::random(rows, columns, random), width, height);
  return mask_above(rotate(noise, random.uniform(-90, 90)), recipe.threshold);
}

std::vector<float> to_planes(const Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto area = image.pixels.size() / channels;
  std::vector<float> planes(image.pixels.size());
  for (std::size_t c = 0; c < channels; ++c) {
    const auto* in = image.pixels.data() + c;
    auto* out = planes.data() + c * area;
    for (std::size_t i = 0; i < area; ++i) {
      out[i] = static_cast<float>(in[i * channels]) / 255.0F;
    }
  }
  return planes;
}

std::vector<float> blend(std::span<const float> image,
                         const Image& texture,
                         std::span<const std::uint8_t> mask,
                         float beta) {
  ADB_ASSERT(image.size() == texture.pixels.size() && image.size() == 3 * mask.size());
  std::vector<float> blended(image.begin(), image.end());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) {
      continue;
    }
    for (std::size_t c = 0; c < 3; ++c) {
      auto& value = blended[c * mask.size() + i];
      value =
          (1.0F - beta) * (static_cast<float>(texture.pixels[3 * i + c]) / 255.0F) + beta * value;
    }
  }
  return blended;
}

AnomalySample make_anomaly(Image image,
                           const std::function<Image(Stream& random)>& texture,
                           const AnomalyRecipe& recipe,
                           Stream& random) {
  ADB_ASSERT(image.channels == 3 && image.width > 0 && image.height > 0);
  // Decided first, so that no work goes into a defect that nobody will see.
  const bool normal = random.uniform() < recipe.normal_probability;
  if (random.uniform() < recipe.rotation_probability) {
    image = rotate(image, random.uniform(-90, 90));
  }
  AnomalySample sample;
  sample.target = to_planes(image);
  const auto area = sample.target.size() / 3;
  if (normal) {
    sample.image = sample.target;
    sample.mask.assign(area, 0.0F);
    return sample;
  }
  Image foreign = texture(random);
  ADB_ASSERT(foreign.width == image.width && foreign.height == image.height &&
             foreign.channels == image.channels);
  augment_texture(foreign, recipe.texture_augmenters, random);
  const auto mask = random_defect_mask(image.width, image.height, recipe, random);
  const auto beta = static_cast<float>(recipe.max_transparency * random.uniform());
  sample.image = blend(sample.target, foreign, mask, beta);
  sample.mask.assign(mask.begin(), mask.end());
  return sample;
}

}  // namespace adb
