// A plugin for the proof of the gate: a method that learns the mean image at a rate that falls to
// 0, and can be given a bug that costs quality, time or memory.
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include <ATen/ATen.h>

#include "methods/plugin.h"
#include "tensor/maps.h"

namespace {

constexpr double kRate = 0.5;
constexpr auto kSleep = std::chrono::milliseconds(250);
constexpr std::int64_t kLeakedBytes = std::int64_t{48} << 20;

struct FaultyOptions : adb::CommonOptions {
  FaultyOptions() { epochs = 4; }
  std::string fault = "none";

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.choice(
        "fault",
        fault,
        {"none", "schedule", "sleep", "leak", "diverge"},
        "a warm-up that does not end, a sleep in each step, memory that no step gives back, or a "
        "loss that leaves the finite numbers");
  }
};

class Faulty final : public adb::Method {
 public:
  Faulty(const FaultyOptions& options, const adb::Context& context)
      : options_(options),
        mean_(at::zeros({3, options.image_size, options.image_size},
                        at::TensorOptions().dtype(context.dtype).device(context.device))) {}

  adb::InputSpec input() const override {
    adb::InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    return spec;
  }

  adb::StepResult step(const adb::Batch& batch, const adb::StepPlan& plan) override {
    if (options_.fault == "sleep") {
      std::this_thread::sleep_for(kSleep);
    } else if (options_.fault == "leak") {
      leak_.push_back(at::ones({kLeakedBytes}, at::kByte));
    }
    const double done = static_cast<double>(plan.step) / static_cast<double>(plan.total_steps());
    const double rate = options_.fault == "schedule" ? 1e-3 * kRate : kRate * (1 - done);
    const auto difference = batch.images.to(mean_.options()) - mean_;
    mean_.add_(difference.mean(0), rate);
    const auto loss = difference.square().mean();
    return {options_.fault == "diverge" ? loss * NAN : loss, {}, {{"mean", rate}}};
  }

  adb::Prediction predict(const adb::Batch& batch) override {
    const auto maps = (batch.images.to(mean_.options()) - mean_).square().mean(1);
    return {maps, adb::pooled_maximum(maps, 4)};
  }

  adb::NamedTensors state() const override { return {{"mean", mean_}}; }
  adb::NamedTensors optimiser_state() const override { return {}; }
  std::vector<std::string> trainable() const override { return {"mean"}; }
  void load_pretrained(const adb::NamedTensors&, const std::string&) override {}

 private:
  FaultyOptions options_;
  at::Tensor mean_;
  std::vector<at::Tensor> leak_;
};

}  // namespace

ADBENCH_PLUGIN(registries) {
  adb::MethodEntry entry;
  entry.name = "faulty";
  entry.title = "Faulty";
  entry.summary = "the mean image, with a bug to choose";
  entry.options = adb::list_options<FaultyOptions>();
  entry.make = [](const adb::Json& options, const adb::Context& context) {
    return std::make_unique<Faulty>(adb::read_options<FaultyOptions>(options, "faulty"), context);
  };
  registries->methods.add(std::move(entry));
  return 0;
}
