#include "methods/draem/draem.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "methods/draem/golden.h"
#include "methods/draem/network.h"
#include "methods/draem/sample.h"
#include "nn/image_losses.h"
#include "nn/module_state.h"
#include "nn/optim.h"
#include "nn/schedule.h"
#include "tensor/maps.h"

namespace adb {
namespace {

using draem::DraemOptions;
using draem::Network;

constexpr double kReferenceBatch = 8;  // the batch that `lr` is stated for

OptimiserRule optimiser_rule() {
  OptimiserRule rule;
  rule.kind = OptimiserRule::Kind::kAdam;
  return rule;
}

const at::Tensor& field(const Batch& batch, const char* name) {
  const auto found = batch.fields.find(name);
  ADB_CHECK(found != batch.fields.end(),
            ErrorKind::kInternal,
            "draem: a training batch without the field '{}'",
            name);
  return found->second;
}

class Draem final : public Method {
 public:
  Draem(const DraemOptions& options, const Context& context)
      : options_(options),
        tensor_(at::TensorOptions().dtype(context.dtype).device(context.device)),
        network_(options, tensor_),
        optimiser_(optimiser_rule()),
        window_(ssim_window().to(tensor_)) {
    network_.initialise(context.streams);
    optimiser_.add_group("all", network_.parameters(), base_rate(), 0);
  }

  InputSpec input() const override {
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    spec.mean = {0, 0, 0};
    spec.std = {1, 1, 1};
    spec.order = options_.sampling == "permutation" ? InputSpec::Order::kPermutation
                                                    : InputSpec::Order::kWithReplacement;
    spec.needs_textures = true;
    spec.features_suffice = false;
    spec.sample = draem::sample_function(options_);
    return spec;
  }

  StepResult step(const Batch& batch, const StepPlan& plan) override {
    const auto target = field(batch, "target").to(tensor_);
    const auto mask = field(batch, "mask").to(tensor_);
    optimiser_.set_lr(rate(plan));
    network_.train(true);
    const auto out = network_.forward(batch.images.to(tensor_));
    const auto losses =
        draem::losses_of(out, target, mask, range(out.reconstruction, plan), window_);
    const auto loss = losses.total();
    UpdateOptions update_options;
    update_options.clip_norm = options_.clip_norm;
    update(loss, {&optimiser_}, plan, update_options);
    StepResult result;
    result.loss = loss.detach();
    result.parts = {{"mse", losses.mse.detach()},
                    {"ssim", losses.ssim.detach()},
                    {"focal", losses.focal.detach()}};
    result.rates = optimiser_.rates();
    return result;
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.model, network_.model_seg});
    auto images = batch.images.to(tensor_);
    if (options_.channel_order == "bgr") {
      images = images.flip({1});
    }
    const auto maps = network_.forward(images).probabilities.select(1, 1).contiguous();
    const auto pooled = draem::pooled_maps(maps, options_.image_score == "padded");
    return {maps, pooled_maximum(pooled, 1)};
  }

  NamedTensors state() const override { return network_.state(); }
  NamedTensors optimiser_state() const override { return optimiser_.state(); }

  std::vector<std::string> trainable() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : network_.parameters()) {
      names.push_back(name);
    }
    return names;
  }

  // Training starts from random weights, but trained ones can be put in: both networks with the
  // names of `state`, or, as published, one network per file without prefix.
  void load_pretrained(const NamedTensors& weights, const std::string& file) override {
    NamedTensors full;
    for (const auto& [name, tensor] : weights) {
      const bool of_seg = name.find("_segment.") != std::string::npos;
      const bool prefixed = name.starts_with("model.") || name.starts_with("model_seg.");
      full.emplace_back(prefixed ? name : (of_seg ? "model_seg." : "model.") + name, tensor);
    }
    const auto has = [&](const std::string& prefix) {
      return std::any_of(full.begin(), full.end(), [&](const auto& named) {
        return named.first.starts_with(prefix);
      });
    };
    NamedTensors wanted;
    for (const auto& part : {module_state(*network_.model, "model."),
                             module_state(*network_.model_seg, "model_seg.")}) {
      const auto& first = part.front().first;
      if (has(first.substr(0, first.find('.') + 1))) {
        wanted.insert(wanted.end(), part.begin(), part.end());
      }
    }
    load_weights(wanted.empty() ? network_.state() : wanted, full, file, {});
  }

 private:
  double base_rate() const {
    return options_.lr * static_cast<double>(options_.batch) / kReferenceBatch;
  }

  double rate(const StepPlan& plan) const {
    if (options_.schedule == "constant") {
      return base_rate();
    }
    if (options_.schedule == "step") {
      return step_schedule(base_rate(), plan);
    }
    return draem::two_step_schedule(base_rate(), plan);
  }

  // The range of the whole batch, over all ranks: each rank's decisions are 0 or 1, so that their
  // sum tells whether any rank said yes. They travel as the gradient of a tensor, which is what
  // `reduce` combines.
  at::Tensor range(const at::Tensor& reconstruction, const StepPlan& plan) const {
    auto decisions = ssim_range_decisions(reconstruction);
    if (plan.reduce) {
      const auto carrier = at::zeros_like(decisions);
      carrier.mutable_grad() = decisions;
      plan.reduce({carrier}, Reduction::kSum);
      decisions = carrier.grad();
    }
    return ssim_range(decisions);
  }

  DraemOptions options_;
  at::TensorOptions tensor_;
  Network network_;
  Optimiser optimiser_;
  at::Tensor window_;
};

}  // namespace

MethodEntry draem_method() {
  MethodEntry entry;
  entry.name = "draem";
  entry.title = "DRÆM";
  entry.summary =
      "pastes defects into normal images; one network restores them, a second one marks them";
  entry.options = list_options<DraemOptions>();
  entry.ader_pool = draem::kPool;
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Draem>(read_options<DraemOptions>(options, "draem"), context);
  };
  entry.golden_name = "DRAEM";
  entry.golden = draem::run_golden;
  return entry;
}

}  // namespace adb
