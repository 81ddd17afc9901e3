#include "methods/golden_training.h"

#include <torch/torch.h>

#include "core/error.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr std::int64_t kMostSteps = 1000;

double norm_of(const at::Tensor& tensor) {
  return at::linalg_vector_norm(tensor.detach(), 2).item<double>();
}

}  // namespace

OptimiserRule adam_rule(const Json& entry, OptimiserRule::Kind kind, const std::string& where) {
  const std::string expected = kind == OptimiserRule::Kind::kAdam ? "Adam" : "AdamW";
  const auto optimiser = json_string(json_at(entry, "optimiser", where, kKind), where, kKind);
  ADB_CHECK(optimiser == expected,
            kKind,
            "{}: optimiser: expected {}, got '{}'",
            where,
            expected,
            optimiser);
  const auto& betas = json_at(entry, "betas", where, kKind);
  ADB_CHECK(betas.is_array() && betas.size() == 2, kKind, "{}: betas: expected two numbers", where);
  OptimiserRule rule;
  rule.kind = kind;
  rule.beta1 = json_number(betas[0], where, kKind);
  rule.beta2 = json_number(betas[1], where, kKind);
  rule.eps = json_number(json_at(entry, "eps", where, kKind), where, kKind);
  return rule;
}

AdamRecipe adam_recipe(const GoldenCase& golden, OptimiserRule::Kind kind) {
  const auto where = golden.name + ": train";
  const auto& train = golden.json["train"];
  return {adam_rule(train, kind, where),
          json_number(json_at(train, "lr", where, kKind), where, kKind),
          json_number(json_at(train, "weight_decay", where, kKind), where, kKind)};
}

double clip_norm(const GoldenCase& golden, const std::string& key) {
  const auto& train = golden.json["train"];
  const auto found = train.find(key);
  return found == train.end() || found->is_null()
             ? std::numeric_limits<double>::infinity()
             : json_number(*found, golden.name + ": train: " + key, kKind);
}

std::int64_t num_steps(const GoldenCase& golden) {
  const auto where = golden.name + ": train";
  const auto steps = json_int(json_at(golden.json["train"], "steps", where, kKind), where, kKind);
  ADB_CHECK(steps >= 0 && steps <= kMostSteps,
            kKind,
            "{}: steps: expected 0 to {}, got {}",
            where,
            kMostSteps,
            steps);
  return steps;
}

void run_steps(const GoldenCase& golden, const GoldenTraining& training, GoldenResult* result) {
  for (std::int64_t step = 0; step < training.steps; ++step) {
    backward(training.forward(step), training.optimisers);
    if (step == 0) {
      for (const auto& [name, parameter] : training.trained) {
        if (!parameter.grad().defined()) {
          continue;
        }
        result->scalars[training.gradient_norms + name] = norm_of(parameter.grad());
        if (golden.wants("grad." + name)) {
          result->tensors.emplace_back("grad." + name, parameter.grad().clone());
        }
      }
    }
    for (std::size_t i = 0; i < training.optimisers.size(); ++i) {
      auto& optimiser = *training.optimisers[i];
      const auto norm = clip_gradients(optimiser.parameters(), training.clip_norm);
      if (const auto name = training.total_norm(step, i); !name.empty()) {
        result->scalars[name] = norm.item<double>();
      }
      optimiser.step();
    }
    if (training.after_step) {
      training.after_step(step);
    }
  }
}

NamedTensors copies_of(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) {
    copies.emplace_back(name, tensor.detach().clone());
  }
  return copies;
}

void add_changes(const std::string& prefix,
                 const NamedTensors& before,
                 const NamedTensors& now,
                 GoldenResult* result) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto& [name, tensor] = now[i];
    result->scalars[prefix + name] = norm_of(tensor.detach() - before[i].second);
  }
}

}  // namespace adb
