#include "runners/worker/formula_trial.h"

#define AT_PER_OPERATOR_HEADERS
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include "images/resize.h"
#include "methods/optional.h"
#include "runners/worker/loader.h"
#include "runners/worker/textures.h"

namespace adb {
namespace {

constexpr std::int64_t kTextureSeed = 7;

Image formula_image(const Streams& streams, std::int64_t side, std::int64_t index) {
  Image image(static_cast<int>(side), static_cast<int>(side), 3);
  Stream random = streams.named("formula_image", 0, index);
  const double fx = random.uniform(2, 6), fy = random.uniform(2, 6);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin((fx * x + fy * y) / static_cast<double>(side) + c);
        image.pixels[image.offset(x, y) + static_cast<std::size_t>(c)] =
            static_cast<std::uint8_t>(128 + 80 * wave + random.uniform(-8, 8));
      }
    }
  }
  return image;
}

}  // namespace

FormulaTrial::FormulaTrial(const MethodEntry& entry, const Json& options, const Context& context)
    : entry_(entry),
      options_(options),
      context_(context),
      textures_(procedural_textures(kTextureSeed)) {}

std::unique_ptr<Method> FormulaTrial::make() const {
  auto method = entry_.make(options_, context_);
  if (auto* asks = dynamic_cast<NeedsCalibration*>(method.get());
      asks != nullptr && asks->calibration_images() > 0) {
    std::int64_t next = 0;
    asks->calibrate(2, [&] { return method->features(images(method->input(), {next++}).images); });
  }
  return method;
}

Batch FormulaTrial::images(const InputSpec& input, std::vector<std::int64_t> ids) const {
  const auto plane = static_cast<std::size_t>(input.image_size * input.image_size);
  std::vector<float> values(ids.size() * 3 * plane);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    normalise_planes(formula_image(context_.streams, input.image_size, ids[i]),
                     input.mean,
                     input.std,
                     {values.data() + i * 3 * plane, 3 * plane});
  }
  Batch batch;
  batch.images =
      at::from_blob(values.data(),
                    {static_cast<std::int64_t>(ids.size()), 3, input.image_size, input.image_size},
                    at::kFloat)
          .clone();
  batch.ids = std::move(ids);
  to_device(&batch, context_.device);
  return batch;
}

Batch FormulaTrial::training(const InputSpec& input, std::int64_t step) const {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < input.batch; ++i) {
    ids.push_back(i % 2);
  }
  Batch batch = images(input, ids);
  if (!input.sample) {
    return batch;
  }
  std::map<std::string, std::vector<at::Tensor>> fields;
  for (std::int64_t i = 0; i < input.batch; ++i) {
    Stream random = context_.streams.named("sample", step, i);
    const auto image =
        formula_image(context_.streams, input.image_size, ids[static_cast<std::size_t>(i)]);
    for (auto& field :
         input.sample(image, random, input.needs_textures ? textures_.get() : nullptr)) {
      fields[field.name].push_back(
          at::from_blob(field.values.data(), field.shape, at::kFloat).clone());
    }
  }
  for (const auto& [name, list] : fields) {
    (name == "image" ? batch.images : batch.fields[name]) = at::stack(list);
  }
  to_device(&batch, context_.device);
  return batch;
}

}  // namespace adb
