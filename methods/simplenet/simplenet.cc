#include "methods/simplenet/simplenet.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include <torch/torch.h>

#include "core/error.h"
#include "methods/optional.h"
#include "methods/simplenet/golden.h"
#include "methods/simplenet/network.h"
#include "nn/module_state.h"
#include "nn/optim.h"
#include "tensor/maps.h"

namespace adb {
namespace {

using simplenet::Levels;
using simplenet::Network;
using simplenet::SimplenetOptions;

constexpr double kPublishedNoise = 0.015;
constexpr double kScaledNoise = 1.0;  // beside embeddings of standard deviation 1
constexpr std::int64_t kCalibrationImages = 32;
// Of layer4 and the classifier of WideResNet-50-2, which the published size counts.
constexpr std::int64_t kUnbuiltParameters = 44020712;

std::int64_t epoch_of(const StepPlan& plan) {
  return plan.steps_per_epoch > 0 ? plan.step / plan.steps_per_epoch : 0;
}

// The author's cosine: set anew each epoch, from lr towards 0.4 lr after the last one.
double cosine_by_epoch(double lr, const StepPlan& plan) {
  const double lowest = 0.4 * lr;
  const double done = static_cast<double>(epoch_of(plan)) / static_cast<double>(plan.epochs);
  return lowest + (lr - lowest) / 2 * (1 + std::cos(std::numbers::pi * done));
}

NamedTensors of_group(const NamedTensors& parameters, const std::string& prefix) {
  NamedTensors group;
  for (const auto& named : parameters) {
    if (named.first.starts_with(prefix)) {
      group.push_back(named);
    }
  }
  return group;
}

OptimiserRule rule_of(OptimiserRule::Kind kind) {
  OptimiserRule rule;
  rule.kind = kind;
  return rule;
}

class Simplenet final : public Method, public NeedsCalibration, public HasUnbuiltParameters {
 public:
  Simplenet(const SimplenetOptions& options, const Context& context)
      : options_(options),
        streams_(context.streams),
        network_(options, at::TensorOptions().dtype(context.dtype).device(context.device)),
        projection_optimiser_(
            simplenet::make_optimiser(rule_of(OptimiserRule::Kind::kAdamW),
                                      of_group(network_.trained(), "pre_projection."),
                                      "pre_projection",
                                      options.pre_projection_lr,
                                      options.pre_projection_weight_decay,
                                      options.weight_decay_on)),
        discriminator_optimiser_(
            simplenet::make_optimiser(rule_of(OptimiserRule::Kind::kAdam),
                                      of_group(network_.trained(), "discriminator."),
                                      "discriminator",
                                      options.discriminator_lr,
                                      options.discriminator_weight_decay,
                                      options.weight_decay_on)) {
    network_.initialise(context.streams);
  }

  InputSpec input() const override {
    const auto& info = backbone_info(options_.backbone);
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    spec.mean = info.mean;
    spec.std = info.std;
    return spec;
  }

  StepResult step(const Batch& batch, const StepPlan& plan) override {
    ADB_CHECK(network_.embedding_scale.item<double>() > 0,
              ErrorKind::kInternal,
              "simplenet: a step before calibrate: the scale of the embedding is not known");
    const double discriminator_rate = options_.schedule == "cosine"
                                          ? cosine_by_epoch(options_.discriminator_lr, plan)
                                          : options_.discriminator_lr;
    discriminator_optimiser_.set_lr(discriminator_rate);
    network_.train(true);
    const auto maps = encoded(batch);
    ADB_CHECK(static_cast<std::int64_t>(batch.ids.size()) == maps[0].size(0),
              ErrorKind::kInternal,
              "simplenet: {} ids for {} images",
              batch.ids.size(),
              maps[0].size(0));
    const auto embedding = network_.embedding(maps);
    const auto noise = simplenet::draw_noise(streams_,
                                             epoch_of(plan),
                                             batch.ids,
                                             embedding.size(0) / maps[0].size(0),
                                             embedding.size(1),
                                             noise_std(),
                                             options_.mix_noise)
                           .to(embedding.options());
    const auto losses = simplenet::hinge_losses(network_, embedding, noise, options_.margin);
    const auto loss = losses.on_true + losses.on_fake;
    update(loss,
           {&projection_optimiser_, &discriminator_optimiser_},
           plan,
           {.clip_norm = options_.clip_norm, .clip_each = true});
    StepResult result;
    result.loss = loss.detach();
    result.parts = {{"true", losses.on_true.detach()}, {"fake", losses.on_fake.detach()}};
    result.rates = {{"pre_projection", options_.pre_projection_lr},
                    {"discriminator", discriminator_rate}};
    return result;
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.projection, network_.discriminator});
    const auto levels = encoded(batch);
    const auto projected = network_.projection->forward(network_.embedding(levels));
    const auto maps = simplenet::anomaly_maps(options_, network_, projected, levels);
    return {maps.smooth, pooled_maximum(maps.patches, 1)};
  }

  // The encoder's two maps rather than the embedding made of them: that is larger, for
  // EfficientNet-Lite 20 times.
  std::vector<at::Tensor> features(const at::Tensor& images) override {
    const auto maps = network_.encode(images);
    return {maps[0], maps[1]};
  }

  NamedTensors state() const override {
    auto state = network_.state();
    state.emplace_back("embedding_scale", network_.embedding_scale);
    return state;
  }

  NamedTensors optimiser_state() const override {
    auto state = projection_optimiser_.state();
    const auto more = discriminator_optimiser_.state();
    state.insert(state.end(), more.begin(), more.end());
    return state;
  }

  std::vector<std::string> trainable() const override { return names_of(network_.trained()); }

  void load_pretrained(const NamedTensors& weights, const std::string& file) override {
    network_.backbone->load(weights, file);
    if (options_.backbone == simplenet::kPublishedBackbone) {
      published_features_ = true;
      network_.embedding_scale.fill_(1);
    }
  }

  std::int64_t calibration_images() const override {
    return published_features_ ? 0 : kCalibrationImages;
  }

  void calibrate(std::int64_t num_images,
                 const std::function<std::vector<at::Tensor>()>& next) override {
    network_.calibrate(std::min(num_images, calibration_images()), [&] { return checked(next()); });
  }

  std::int64_t unbuilt_parameters() const override {
    return options_.backbone == simplenet::kPublishedBackbone ? kUnbuiltParameters : 0;
  }

 private:
  double noise_std() const {
    if (options_.noise_std > 0) {
      return options_.noise_std;
    }
    return published_features_ ? kPublishedNoise : kScaledNoise;
  }

  static Levels checked(const std::vector<at::Tensor>& maps) {
    ADB_CHECK(maps.size() == simplenet::kNumLevels && maps[0].dim() == 4 && maps[0].size(0) > 0,
              ErrorKind::kInternal,
              "simplenet: the features are not {} maps [B, C, H, W]",
              simplenet::kNumLevels);
    return {maps[0], maps[1]};
  }

  Levels encoded(const Batch& batch) {
    return checked(batch.features.empty() ? features(batch.images) : batch.features);
  }

  SimplenetOptions options_;
  Streams streams_;
  Network network_;
  Optimiser projection_optimiser_, discriminator_optimiser_;
  bool published_features_ = false;  // the published backbone with pretrained weights
};

}  // namespace

MethodEntry simplenet_method() {
  MethodEntry entry;
  entry.name = "simplenet";
  entry.title = "SimpleNet";
  entry.summary =
      "a discriminator tells a frozen network's patch features from the same with Gaussian noise";
  entry.options = list_options<SimplenetOptions>();
  // torchvision's first training of wide_resnet50_2; other methods take timm's.
  entry.weights = {"backbone",
                   {{"resnet18", "resnet18.tv_in1k"},
                    {"resnet34", "resnet34.tv_in1k"},
                    {"resnet50", "resnet50.tv_in1k"},
                    {"wide_resnet50_2", "wide_resnet50_2.tv_in1k"},
                    {"tf_efficientnet_b4", "tf_efficientnet_b4.aa_in1k"},
                    {"tf_efficientnet_lite0", "efficientnet_lite0"},
                    {"tf_efficientnet_lite1", "efficientnet_lite1"},
                    {"tf_efficientnet_lite2", "efficientnet_lite2"}}};
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Simplenet>(read_options<SimplenetOptions>(options, "simplenet"),
                                       context);
  };
  entry.golden_name = "SimpleNet";
  entry.golden = simplenet::run_golden;
  return entry;
}

}  // namespace adb
