#include "runners/worker/speed.h"

#define AT_PER_OPERATOR_HEADERS
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <ATen/ops/empty.h>

#include "runners/worker/efficiency.h"
#include "runners/worker/formula_trial.h"

namespace adb {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A call that is timed again and again.
struct Series {
  std::string name;
  std::function<void()> call;
  std::vector<double> samples{};
};

double timed(const std::function<void()>& call) {
  const double started = now();
  call();
  return now() - started;
}

// Times all series in turn until each has what the plan asks for.
void run_in_turn(std::vector<Series>& list, const SpeedPlan& plan) {
  for (auto& series : list) {
    for (std::int64_t i = 0; i < plan.warm_up; ++i) {
      series.call();
    }
  }
  const double started = now();
  const double limit = plan.seconds * static_cast<double>(list.size());
  for (std::int64_t round = 0;
       round < plan.min_samples || (round < plan.max_samples && now() - started < limit);
       ++round) {
    for (auto& series : list) {
      series.samples.push_back(timed(series.call));
    }
  }
}

// Kernels of an accelerator run on after the call returns; reading one value waits for them.
void wait_for(const at::Tensor& result) {
  if (result.defined() && !result.device().is_cpu()) {
    result.flatten()[0].item<double>();
  }
}

std::map<std::string, std::vector<double>> samples_by_name(const std::vector<Series>& list) {
  std::map<std::string, std::vector<double>> samples;
  for (const auto& series : list) {
    samples[series.name] = series.samples;
  }
  return samples;
}

std::vector<std::string> part_names(const StepResult& result) {
  std::vector<std::string> names;
  for (const auto& [name, part] : result.parts) {
    names.push_back(name);
  }
  return names;
}

// The training steps of a method that is being timed: each goes on where the last one stopped.
class Steps {
 public:
  Steps(Method& method, const FormulaTrial& trial)
      : method_(method), input_(method.input()), batch_(trial.training(input_, 0)) {
    if (!input_.sample) {
      features_ = method.features(batch_.images);
    }
  }

  bool cacheable() const { return !features_.empty(); }

  StepResult step(bool first_phase, bool cached) {
    StepPlan plan;
    plan.epochs = 100;
    plan.steps_per_epoch = 100;
    plan.step = first_phase ? 0 : plan.total_steps() - 1;
    batch_.features = cached ? features_ : std::vector<at::Tensor>();
    auto result = method_.step(batch_, plan);
    wait_for(result.loss);
    return result;
  }

  void features() {
    for (const auto& feature : method_.features(batch_.images)) {
      wait_for(feature);
    }
  }

 private:
  Method& method_;
  InputSpec input_;
  Batch batch_;
  std::vector<at::Tensor> features_;
};

std::vector<Series> training_series(Method& method,
                                    const FormulaTrial& trial,
                                    const SpeedPlan& plan) {
  Steps steps(method, trial);
  std::vector<Series> list;
  const bool phases = part_names(steps.step(true, false)) != part_names(steps.step(false, false));
  list.push_back({"step", [&] { steps.step(false, false); }});
  if (phases) {
    list.push_back({"step_first", [&] { steps.step(true, false); }});
  }
  if (steps.cacheable()) {
    list.push_back({"step_cached", [&] { steps.step(false, true); }});
    list.push_back({"features", [&] { steps.features(); }});
  }
  run_in_turn(list, plan);
  return list;
}

std::vector<Series> prediction_series(Method& method,
                                      const at::Tensor& image,
                                      const SpeedPlan& plan) {
  std::vector<Series> list;
  for (const auto n : plan.batches) {
    Batch batch;
    batch.images = image.expand({n, -1, -1, -1}).contiguous();
    for (std::int64_t i = 0; i < n; ++i) {
      batch.ids.push_back(i);
    }
    std::vector<Series> one;
    one.push_back({fmt::format("predict_{}", n), [&] { wait_for(method.predict(batch).maps); }});
    run_in_turn(one, plan);
    list.push_back({one[0].name, {}, std::move(one[0].samples)});
  }
  return list;
}

}  // namespace

std::map<std::string, std::vector<double>> measure_predictions(Method& method,
                                                               const at::Tensor& image,
                                                               const SpeedPlan& plan) {
  return samples_by_name(prediction_series(method, image, plan));
}

Json measure_speed(const MethodEntry& entry,
                   const Json& options,
                   const Context& context,
                   const SpeedPlan& plan) {
  const FormulaTrial trial(entry, options, context);
  const auto method = trial.make();
  const auto input = method->input();
  reset_peak_memory();
  auto series = prediction_series(*method, trial.images(input, {0}).images, plan);
  const auto peak_predict = peak_memory_bytes();
  reset_peak_memory();
  if (plan.train && !method->trainable().empty()) {
    for (auto& one : training_series(*method, trial, plan)) {
      series.push_back({one.name, {}, std::move(one.samples)});
    }
  }
  return {{"batch", input.batch},
          {"size", input.image_size},
          {"series", samples_by_name(series)},
          {"peak_predict_bytes", peak_predict},
          {"peak_train_bytes", peak_memory_bytes()}};
}

}  // namespace adb
