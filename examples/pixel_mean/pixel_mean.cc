// A method outside adbench, as small as one can be: it learns the mean image of the good parts by
// gradient descent and calls anomalous what differs from it.
#include <memory>

#include <ATen/ATen.h>

#include "methods/plugin.h"
#include "tensor/maps.h"

namespace {

struct PixelMeanOptions : adb::CommonOptions {
  PixelMeanOptions() { epochs = 5; }
  double rate = 0.2;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.number("rate", rate, {0, 1}, "share of the way to a batch's mean that one step goes");
  }
};

class PixelMean final : public adb::Method {
 public:
  PixelMean(const PixelMeanOptions& options, const adb::Context& context)
      : options_(options),
        mean_(at::zeros({3, options.image_size, options.image_size},
                        at::TensorOptions().dtype(context.dtype).device(context.device))) {}

  adb::InputSpec input() const override {
    adb::InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    return spec;
  }

  // The gradient of the mean squared difference is known, so autograd is not needed.
  adb::StepResult step(const adb::Batch& batch, const adb::StepPlan&) override {
    const auto difference = batch.images.to(mean_.options()) - mean_;
    mean_.add_(difference.mean(0), options_.rate);
    return {difference.square().mean(), {}, {{"mean", options_.rate}}};
  }

  adb::Prediction predict(const adb::Batch& batch) override {
    const auto maps = (batch.images.to(mean_.options()) - mean_).square().mean(1);
    return {maps, adb::pooled_maximum(maps, 1)};
  }

  adb::NamedTensors state() const override { return {{"mean", mean_}}; }
  adb::NamedTensors optimiser_state() const override { return {}; }
  std::vector<std::string> trainable() const override { return {"mean"}; }
  void load_pretrained(const adb::NamedTensors&, const std::string&) override {}

 private:
  PixelMeanOptions options_;
  at::Tensor mean_;
};

}  // namespace

ADBENCH_PLUGIN(registries) {
  adb::MethodEntry entry;
  entry.name = "pixel_mean";
  entry.title = "Pixel mean";
  entry.summary = "squared difference from the mean image";
  entry.options = adb::list_options<PixelMeanOptions>();
  entry.make = [](const adb::Json& options, const adb::Context& context) {
    return std::make_unique<PixelMean>(adb::read_options<PixelMeanOptions>(options, "pixel_mean"),
                                       context);
  };
  registries->methods.add(std::move(entry));
  return 0;
}
