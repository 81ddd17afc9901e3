#include "nn/module_state.h"

#include <map>
#include <set>

#include <torch/torch.h>

#include "core/error.h"
#include "core/text.h"

namespace adb {
namespace {

std::string shown(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, names.size())));
  auto text = join(first, ", ");
  return names.size() > kShown ? fmt::format("{} and {} more", text, names.size() - kShown) : text;
}

}  // namespace

NamedTensors module_parameters(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors parameters;
  for (const auto& item : module.named_parameters()) {
    parameters.emplace_back(prefix + item.key(), item.value());
  }
  return parameters;
}

NamedTensors module_state(const torch::nn::Module& module, const std::string& prefix) {
  auto state = module_parameters(module, prefix);
  for (const auto& item : module.named_buffers()) {
    state.emplace_back(prefix + item.key(), item.value());
  }
  return state;
}

void freeze(torch::nn::Module& module) {
  module.eval();
  for (auto& parameter : module.parameters()) {
    parameter.requires_grad_(false);
  }
}

EvaluationMode::EvaluationMode(std::vector<std::shared_ptr<torch::nn::Module>> modules)
    : modules_(std::move(modules)) {
  for (const auto& module : modules_) {
    were_training_.push_back(module->is_training());
    module->train(false);
  }
}

EvaluationMode::~EvaluationMode() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    modules_[i]->train(were_training_[i]);
  }
}

void load_weights(const NamedTensors& state,
                  const NamedTensors& weights,
                  const std::string& file,
                  const LoadRules& rules) {
  std::map<std::string, at::Tensor> given(weights.begin(), weights.end());
  std::vector<std::string> missing, misshaped, unexpected;
  std::set<std::string> used;
  for (const auto& [name, tensor] : state) {
    const auto found = given.find(name);
    if (found == given.end()) {
      if (!name.ends_with(
              "num_batches_tracked")) {  // old checkpoints have none; nothing depends on it
        missing.push_back(name);
      }
      continue;
    }
    used.insert(name);
    if (found->second.sizes() != tensor.sizes()) {
      misshaped.push_back(fmt::format("{} [{}] instead of [{}]",
                                      name,
                                      fmt::join(found->second.sizes(), ", "),
                                      fmt::join(tensor.sizes(), ", ")));
    }
  }
  for (const auto& [name, tensor] : weights) {
    const bool dropped =
        std::any_of(rules.drop_prefixes.begin(),
                    rules.drop_prefixes.end(),
                    [&, &key = name](const auto& prefix) { return key.starts_with(prefix); });
    if (!dropped && used.count(name) == 0) {
      unexpected.push_back(name);
    }
  }
  std::vector<std::string> complaints;
  if (!missing.empty()) {
    complaints.push_back("missing: " + shown(missing));
  }
  if (!unexpected.empty()) {
    complaints.push_back("unexpected: " + shown(unexpected));
  }
  if (!misshaped.empty()) {
    complaints.push_back("of another shape: " + shown(misshaped));
  }
  ADB_CHECK(complaints.empty(),
            ErrorKind::kWeights,
            "'{}' does not fit: {}",
            file,
            join(complaints, "; "));
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : state) {
    if (const auto found = given.find(name); found != given.end()) {
      at::Tensor(tensor).copy_(found->second);
    }
  }
}

}  // namespace adb
