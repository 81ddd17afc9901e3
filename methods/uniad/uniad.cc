#include "methods/uniad/uniad.h"

#include <cmath>
#include <memory>
#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "methods/optional.h"
#include "methods/uniad/golden.h"
#include "methods/uniad/network.h"
#include "nn/schedule.h"
#include "tensor/maps.h"

namespace adb {
namespace {

using uniad::Network;
using uniad::Noise;
using uniad::UniadOptions;

constexpr double kReferenceBatch = 8;  // the batch that `lr` is stated for

std::int64_t epoch_of(const StepPlan& plan) {
  return plan.steps_per_epoch > 0 ? plan.step / plan.steps_per_epoch : 0;
}

// The authors' rule: x 0.1 every 800 epochs, told the number of the epoch that has just ended, so
// that it takes effect one epoch late.
double every_800_epochs(double lr, const StepPlan& plan) {
  const auto ended = std::max<std::int64_t>(epoch_of(plan) - 1, 0);
  return lr * std::pow(0.1, static_cast<double>(ended / 800));
}

class Uniad final : public Method, public RebuildsFeatures {
 public:
  Uniad(const UniadOptions& options, const Context& context)
      : options_(options),
        streams_(context.streams),
        network_(options, at::TensorOptions().dtype(context.dtype).device(context.device)),
        optimiser_(uniad::make_optimiser(
            network_, OptimiserRule(), rate(), options.weight_decay, options.weight_decay_on)) {
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
    optimiser_.set_lr(options_.schedule == "step" ? step_schedule(rate(), plan)
                                                  : every_800_epochs(rate(), plan));
    const auto target = encoded(batch);
    const auto rebuilt =
        network_.reconstruction->forward(target, draw_noise(batch, target, plan)).rebuilt;
    const auto loss = feature_loss(options_.loss, rebuilt, target);
    UpdateOptions update_options;
    update_options.clip_norm = options_.clip_norm;
    update(loss, {&optimiser_}, plan, update_options);
    StepResult result;
    result.loss = loss.detach();
    result.parts = {{options_.loss, result.loss}};
    result.rates = optimiser_.rates();
    return result;
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const auto target = encoded(batch);
    const auto maps = uniad::anomaly_maps(target, network_.reconstruction->forward(target).rebuilt);
    return {maps.full, pooled_maximum(maps.full, uniad::kScoreWindow)};
  }

  std::vector<FeaturePair> feature_pairs(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const auto target = encoded(batch);
    return {{"levels", target, network_.reconstruction->forward(target).rebuilt}};
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    return {network_.encode(images)};
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

  at::Tensor encoded(const Batch& batch) {
    const auto all = batch.features.empty() ? features(batch.images) : batch.features;
    ADB_CHECK(all.size() == 1 && all[0].dim() == 4 && all[0].size(1) == network_.channels() &&
                  all[0].size(2) == options_.grid() && all[0].size(3) == options_.grid(),
              ErrorKind::kInternal,
              "uniad: the features are not one tensor [B, {}, {}, {}]",
              network_.channels(),
              options_.grid(),
              options_.grid());
    return all[0];
  }

  Noise draw_noise(const Batch& batch, const at::Tensor& target, const StepPlan& plan) const {
    ADB_CHECK(static_cast<std::int64_t>(batch.ids.size()) == target.size(0),
              ErrorKind::kInternal,
              "uniad: {} ids for {} images",
              batch.ids.size(),
              target.size(0));
    const auto epoch = epoch_of(plan);
    Noise noise;
    // One decision for the whole batch, on all ranks.
    if (options_.jitter_scale > 0 &&
        streams_.named("uniad.jitter.batch", 0, plan.step).uniform() < options_.jitter_prob) {
      noise.jitter = uniad::draw_jitter(
          streams_, epoch, batch.ids, options_.grid() * options_.grid(), network_.channels());
    }
    noise.dropout = uniad::Dropout(options_.dropout, streams_, epoch, batch.ids);
    return noise;
  }

  UniadOptions options_;
  Streams streams_;
  Network network_;
  Optimiser optimiser_;
};

}  // namespace

MethodEntry uniad_method() {
  MethodEntry entry;
  entry.name = "uniad";
  entry.title = "UniAD";
  entry.summary =
      "a transformer with neighbour-masked attention rebuilds a frozen network's jittered features";
  entry.options = list_options<UniadOptions>();
  entry.weights = {"backbone",
                   {{"tf_efficientnet_b4", "tf_efficientnet_b4.aa_in1k"},
                    {"tf_efficientnet_lite0", "efficientnet_lite0"},
                    {"tf_efficientnet_lite1", "efficientnet_lite1"},
                    {"tf_efficientnet_lite2", "efficientnet_lite2"},
                    {"resnet18", "resnet18.tv_in1k"},
                    {"resnet34", "resnet34.tv_in1k"},
                    {"resnet50", "resnet50.tv_in1k"},
                    {"wide_resnet50_2", "wide_resnet50_2.racm_in1k"}}};
  entry.ader_pool = uniad::kScoreWindow;
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Uniad>(read_options<UniadOptions>(options, "uniad"), context);
  };
  entry.golden_name = "UniAD";
  entry.golden = uniad::run_golden;
  return entry;
}

}  // namespace adb
