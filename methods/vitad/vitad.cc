#include "methods/vitad/vitad.h"

#include <memory>
#include <utility>

#include <torch/torch.h>

#include "methods/optional.h"
#include "methods/vitad/augment.h"
#include "methods/vitad/golden.h"
#include "methods/vitad/network.h"
#include "nn/module_state.h"
#include "nn/schedule.h"
#include "tensor/maps.h"

namespace adb {
namespace {

using vitad::Network;
using vitad::VitadOptions;

constexpr double kReferenceBatch = 8;  // the batch that `lr` is stated for

class Vitad final : public Method, public ChangesTestImages, public RebuildsFeatures {
 public:
  Vitad(const VitadOptions& options, const Context& context)
      : options_(options),
        network_(options, at::TensorOptions().dtype(context.dtype).device(context.device)),
        optimiser_(vitad::make_optimiser(network_, OptimiserRule(), rate(), options.weight_decay)) {
    network_.initialise(context.streams);
  }

  InputSpec input() const override {
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    if (options_.augment != "none") {
      spec.sample = vitad::augmentation(
          options_.augment, static_cast<int>(spec.image_size), spec.mean, spec.std);
      spec.full_size_samples = !options_.augment_resized;
    }
    return spec;
  }

  SampleFunction test_sample() const override {
    return options_.augment_tests ? input().sample : SampleFunction();
  }

  StepResult step(const Batch& batch, const StepPlan& plan) override {
    optimiser_.set_lr(options_.scheduler == "step" ? step_schedule(rate(), plan)
                                                   : cosine_schedule(rate(), plan));
    network_.train(true);
    const auto features = encoded(batch);
    const auto losses =
        vitad::stage_losses(options_.loss, network_.teachers(features), network_.rebuild(features));
    const auto loss = vitad::sum(losses);
    UpdateOptions update_options;
    update_options.clip_norm = options_.clip_norm;
    update(loss, {&optimiser_}, plan, update_options);
    StepResult result;
    result.loss = loss.detach();
    const auto& blocks = network_.architecture().teachers;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      result.parts.emplace_back("block" + std::to_string(blocks[i]), losses[i].detach());
    }
    result.rates = optimiser_.rates();
    return result;
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.fuser, network_.decoder});
    const auto features = encoded(batch);
    const auto maps = vitad::anomaly_maps(
        network_.architecture(), network_.teachers(features), network_.rebuild(features));
    return {maps.smooth, pooled_maximum(maps.smooth, vitad::kScoreWindow)};
  }

  std::vector<FeaturePair> feature_pairs(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.fuser, network_.decoder});
    const auto features = encoded(batch);
    const auto teachers = network_.teachers(features);
    const auto rebuilt = network_.rebuild(features);
    const auto side = network_.architecture().grid;
    const auto& blocks = network_.architecture().teachers;
    std::vector<FeaturePair> pairs;
    for (std::size_t i = 0; i < teachers.size(); ++i) {
      pairs.push_back({"block" + std::to_string(blocks[i]),
                       teachers[i].transpose(1, 2).unflatten(2, {side, side}),
                       rebuilt[i].transpose(1, 2).unflatten(2, {side, side})});
    }
    return pairs;
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    return network_.encode(images);
  }

  NamedTensors state() const override { return network_.state(); }
  NamedTensors optimiser_state() const override { return optimiser_.state(); }

  // With the decoder's unused tensors, as the card's figure of trainable parameters has them.
  std::vector<std::string> trainable() const override { return names_of(network_.trained()); }

  void load_pretrained(const NamedTensors& weights, const std::string& file) override {
    network_.load_encoder(weights, file);
  }

 private:
  double rate() const {
    return options_.lr * static_cast<double>(options_.batch) / kReferenceBatch;
  }

  std::vector<at::Tensor> encoded(const Batch& batch) {
    return batch.features.empty() ? features(batch.images) : batch.features;
  }

  VitadOptions options_;
  Network network_;
  Optimiser optimiser_;
};

}  // namespace

MethodEntry vitad_method() {
  MethodEntry entry;
  entry.name = "vitad";
  entry.title = "ViTAD";
  entry.summary =
      "a plain ViT decoder rebuilds three depths of a frozen plain ViT from its last one";
  entry.options = list_options<VitadOptions>();
  entry.weights.option = "backbone";
  for (const auto& backbone : vitad::backbones()) {
    entry.weights.checkpoints[backbone.name] = backbone.checkpoint;
  }
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Vitad>(read_options<VitadOptions>(options, "vitad"), context);
  };
  entry.golden_name = "ViTAD";
  entry.golden = vitad::run_golden;
  return entry;
}

}  // namespace adb
