#include "nn/optim.h"

#include <torch/torch.h>

namespace adb {

void Optimiser::add_group(const std::string& group,
                          const NamedTensors& parameters,
                          double lr,
                          double weight_decay) {
  Group added{group, {}, {}, {}, {}, {}, lr, weight_decay};
  for (const auto& [name, parameter] : parameters) {
    added.names.push_back(name);
    added.parameters.push_back(parameter);
    added.first.push_back(at::zeros_like(parameter).detach());
    if (rule_.kind != OptimiserRule::Kind::kSgd) {
      added.second.push_back(at::zeros_like(parameter).detach());
    }
    added.steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)).detach());
  }
  groups_.push_back(std::move(added));
}

void Optimiser::set_lr(const std::string& group, double lr) {
  for (auto& candidate : groups_) {
    if (candidate.name == group) {
      candidate.lr = lr;
      return;
    }
  }
  fail(ErrorKind::kInternal, "no optimiser group '{}'", group);
}

void Optimiser::set_lr(double lr) {
  for (auto& group : groups_) {
    group.lr = lr;
  }
}

void Optimiser::zero_grad() {
  for (auto& group : groups_) {
    for (auto& parameter : group.parameters) {
      parameter.mutable_grad() = at::Tensor();
    }
  }
}

void Optimiser::step() {
  const at::NoGradGuard no_grad;
  for (auto& group : groups_) {
    std::vector<at::Tensor> parameters, gradients, first, second, steps;
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      if (!group.parameters[i].grad().defined()) {
        continue;
      }
      parameters.push_back(group.parameters[i]);
      gradients.push_back(
          group.parameters[i].grad().contiguous(group.parameters[i].suggest_memory_format()));
      first.push_back(group.first[i]);
      steps.push_back(group.steps[i].add_(1));
      if (rule_.kind != OptimiserRule::Kind::kSgd) {
        second.push_back(group.second[i]);
      }
    }
    if (parameters.empty()) {
      continue;
    }
    switch (rule_.kind) {
      case OptimiserRule::Kind::kAdam:
        at::_fused_adam_(parameters,
                         gradients,
                         first,
                         second,
                         {},
                         steps,
                         group.lr,
                         rule_.beta1,
                         rule_.beta2,
                         group.weight_decay,
                         rule_.eps,
                         /*amsgrad=*/false,
                         /*maximize=*/false);
        break;
      case OptimiserRule::Kind::kAdamW:
        at::_fused_adamw_(parameters,
                          gradients,
                          first,
                          second,
                          {},
                          steps,
                          group.lr,
                          rule_.beta1,
                          rule_.beta2,
                          group.weight_decay,
                          rule_.eps,
                          /*amsgrad=*/false,
                          /*maximize=*/false);
        break;
      case OptimiserRule::Kind::kSgd:
        // Buffers start at zero, which gives the same first step as starting them with the
        // gradient.
        at::_fused_sgd_(parameters,
                        gradients,
                        first,
                        group.weight_decay,
                        rule_.momentum,
                        group.lr,
                        /*dampening=*/0.0,
                        /*nesterov=*/false,
                        /*maximize=*/false,
                        /*is_first_step=*/false);
        break;
    }
  }
}

std::vector<at::Tensor> Optimiser::parameters() const {
  std::vector<at::Tensor> all;
  for (const auto& group : groups_) {
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  }
  return all;
}

NamedTensors Optimiser::state() const {
  const bool sgd = rule_.kind == OptimiserRule::Kind::kSgd;
  NamedTensors state;
  for (const auto& group : groups_) {
    const auto prefix = "optim." + group.name + ".";
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      state.emplace_back(prefix + (sgd ? "momentum_buffer." : "exp_avg.") + group.names[i],
                         group.first[i]);
      if (!sgd) {
        state.emplace_back(prefix + "exp_avg_sq." + group.names[i], group.second[i]);
      }
      state.emplace_back(prefix + "step." + group.names[i], group.steps[i]);
    }
  }
  return state;
}

std::vector<std::pair<std::string, double>> Optimiser::rates() const {
  std::vector<std::pair<std::string, double>> rates;
  for (const auto& group : groups_) {
    rates.emplace_back(group.name, group.lr);
  }
  return rates;
}

DecaySplit split_for_decay(const NamedTensors& parameters) {
  DecaySplit split;
  for (const auto& named : parameters) {
    const bool decays = named.second.dim() >= 2 && !named.first.ends_with(".bias");
    (decays ? split.decayed : split.plain).push_back(named);
  }
  return split;
}

void backward(const at::Tensor& loss, const std::vector<Optimiser*>& optimisers) {
  for (auto* optimiser : optimisers) {
    optimiser->zero_grad();
  }
  loss.backward();
}

at::Tensor clip_gradients(const std::vector<at::Tensor>& parameters, double clip_norm) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients, norms;
  for (const auto& parameter : parameters) {
    if (parameter.grad().defined()) {
      gradients.push_back(parameter.grad());
      norms.push_back(at::linalg_vector_norm(parameter.grad(), 2));
    }
  }
  if (gradients.empty()) {
    return at::zeros({});
  }
  const auto norm = at::linalg_vector_norm(at::stack(norms), 2);
  const auto factor = (clip_norm / (norm + 1e-6)).clamp_max(1.0);
  for (auto& gradient : gradients) {
    gradient.mul_(factor);
  }
  return norm;
}

void update(const at::Tensor& loss,
            const std::vector<Optimiser*>& optimisers,
            const StepPlan& plan,
            const UpdateOptions& options) {
  backward(loss, optimisers);
  std::vector<at::Tensor> parameters;
  for (const auto* optimiser : optimisers) {
    const auto more = optimiser->parameters();
    parameters.insert(parameters.end(), more.begin(), more.end());
  }
  if (plan.reduce) {
    plan.reduce(parameters, options.reduction);
  }
  if (options.clip_norm > 0 && !options.clip_each) {
    clip_gradients(parameters, options.clip_norm);
  }
  for (auto* optimiser : optimisers) {
    if (options.clip_norm > 0 && options.clip_each) {
      clip_gradients(optimiser->parameters(), options.clip_norm);
    }
    optimiser->step();
  }
}

}  // namespace adb
