#include "methods/draem/sample.h"

#include <utility>

#include "core/error.h"
#include "synthesis/anomaly.h"

namespace adb::draem {
namespace {

void swap_red_and_blue(Image& image) {
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    std::swap(image.pixels[i], image.pixels[i + 2]);
  }
}

}  // namespace

SampleFunction sample_function(const DraemOptions& options) {
  AnomalyRecipe recipe;
  recipe.normal_probability = options.normal_probability;
  recipe.rotation_probability = options.rotation_probability;
  recipe.texture_augmenters = static_cast<int>(options.texture_augmenters);
  const bool bgr = options.channel_order == "bgr";
  return [recipe, bgr](const Image& original, Stream& random, const TexturePool* textures) {
    ADB_ASSERT(textures != nullptr && original.channels == 3 && original.width == original.height);
    Image image = original;
    if (bgr) {
      swap_red_and_blue(image);
    }
    const auto texture = [&](Stream& stream) {
      auto drawn = textures->texture(stream.below(textures->size()), original.width);
      if (bgr) {  // before the augmenters, which then see what the reference's see
        swap_red_and_blue(drawn);
      }
      return drawn;
    };
    auto made = make_anomaly(std::move(image), texture, recipe, random);
    const std::int64_t side = original.width;
    std::vector<SampleField> fields;
    fields.push_back({"image", {3, side, side}, std::move(made.image)});
    fields.push_back({"target", {3, side, side}, std::move(made.target)});
    fields.push_back({"mask", {1, side, side}, std::move(made.mask)});
    return fields;
  };
}

double two_step_schedule(double lr, const StepPlan& plan) {
  const auto epoch = plan.step / plan.steps_per_epoch;
  double rate = lr;
  for (const std::int64_t tenths : {8, 9}) {
    const auto milestone = plan.epochs * tenths / 10;
    if (milestone > 0 && epoch >= milestone) {
      rate *= 0.2;
    }
  }
  return rate;
}

}  // namespace adb::draem
