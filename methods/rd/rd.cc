#include "methods/rd/rd.h"

#include <memory>
#include <utility>

#include <torch/torch.h>

#include "methods/optional.h"
#include "methods/rd/golden.h"
#include "methods/rd/network.h"
#include "nn/module_state.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "tensor/maps.h"

namespace adb {
namespace {

using rd::Network;
using rd::RdOptions;
using rd::Scales;

constexpr double kReferenceBatch = 16;  // the batch that `lr` is stated for

OptimiserRule optimiser_rule() {
  OptimiserRule rule;
  rule.kind = OptimiserRule::Kind::kAdam;
  rule.beta1 = 0.5;
  rule.beta2 = 0.999;
  return rule;
}

class Rd final : public Method, public RebuildsFeatures {
 public:
  Rd(const RdOptions& options, const Context& context)
      : options_(options),
        network_(options, at::TensorOptions().dtype(context.dtype).device(context.device)),
        optimiser_(optimiser_rule()) {
    network_.initialise(context.streams);
    optimiser_.add_group("trained", network_.trained(), rate(), 0);
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
    optimiser_.set_lr(options_.schedule == "step" ? step_schedule(rate(), plan) : rate());
    network_.train(true);
    const auto targets = encoded(batch);
    const auto losses = rd::scale_losses(options_.loss, targets, network_.rebuild(targets));
    const auto loss = losses[0] + losses[1] + losses[2];
    UpdateOptions update_options;
    update_options.clip_norm = options_.clip_norm;
    update(loss, {&optimiser_}, plan, update_options);
    StepResult result;
    result.loss = loss.detach();
    for (std::size_t k = 0; k < losses.size(); ++k) {
      result.parts.emplace_back("layer" + std::to_string(k + 1), losses[k].detach());
    }
    result.rates = optimiser_.rates();
    return result;
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.bottleneck, network_.decoder});
    const auto targets = encoded(batch);
    const auto maps = rd::anomaly_maps(options_, targets, network_.rebuild(targets));
    return {maps.smooth, pooled_maximum(maps.smooth, 1)};
  }

  std::vector<FeaturePair> feature_pairs(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.bottleneck, network_.decoder});
    const auto targets = encoded(batch);
    const auto rebuilt = network_.rebuild(targets);
    std::vector<FeaturePair> pairs;
    for (std::size_t k = 0; k < targets.size(); ++k) {
      pairs.push_back({"layer" + std::to_string(k + 1), targets[k], rebuilt[k]});
    }
    return pairs;
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    return network_.encoder->features(images);
  }

  NamedTensors state() const override { return network_.state(); }
  NamedTensors optimiser_state() const override { return optimiser_.state(); }

  std::vector<std::string> trainable() const override { return names_of(network_.trained()); }

  void load_pretrained(const NamedTensors& weights, const std::string& file) override {
    network_.encoder->load(weights, file);
  }

 private:
  double rate() const {
    return options_.lr * static_cast<double>(options_.batch) / kReferenceBatch;
  }

  Scales encoded(const Batch& batch) {
    const auto maps = batch.features.empty() ? features(batch.images) : batch.features;
    ADB_CHECK(maps.size() == rd::kNumScales,
              ErrorKind::kInternal,
              "rd: {} feature maps instead of {}",
              maps.size(),
              rd::kNumScales);
    return {maps[0], maps[1], maps[2]};
  }

  RdOptions options_;
  Network network_;
  Optimiser optimiser_;
};

}  // namespace

MethodEntry rd_method() {
  MethodEntry entry;
  entry.name = "rd";
  entry.title = "RD";
  entry.summary =
      "reverse distillation: a decoder rebuilds a frozen classifier's features from a bottleneck";
  entry.options = list_options<RdOptions>();
  // The author's own wide_resnet50_2 is torchvision's, another training of the same network.
  entry.weights = {"backbone",
                   {{"resnet18", "resnet18.tv_in1k"},
                    {"resnet34", "resnet34.tv_in1k"},
                    {"resnet50", "resnet50.tv_in1k"},
                    {"wide_resnet50_2", "wide_resnet50_2.racm_in1k"},
                    {"tf_efficientnet_b4", "tf_efficientnet_b4.aa_in1k"},
                    {"tf_efficientnet_lite0", "efficientnet_lite0"},
                    {"tf_efficientnet_lite1", "efficientnet_lite1"},
                    {"tf_efficientnet_lite2", "efficientnet_lite2"}}};
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Rd>(read_options<RdOptions>(options, "rd"), context);
  };
  entry.golden_name = "RD";
  entry.golden = rd::run_golden;
  return entry;
}

}  // namespace adb
