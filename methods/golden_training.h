// What the training cases of several methods share: fields of their recipes, and the steps.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "methods/golden.h"
#include "nn/optim.h"
#include "tensor/tensor.h"

namespace adb {

// The recipe of a case that trains all parameters with one Adam.
struct AdamRecipe {
  OptimiserRule rule;
  double lr = 0;
  double weight_decay = 0;
};

// The functions that read `train` throw Error(kData) naming the case and the field.

// "optimiser", which must be `kind` (kAdam or kAdamW), "betas", "eps", "lr" and "weight_decay" of
// `train`.
AdamRecipe adam_recipe(const GoldenCase& golden, OptimiserRule::Kind kind);
// The first three of `entry`, which stands at `where`.
OptimiserRule adam_rule(const Json& entry, OptimiserRule::Kind kind, const std::string& where);
// train.KEY; infinity where it is absent or null.
double clip_norm(const GoldenCase& golden, const std::string& key);
std::int64_t num_steps(const GoldenCase& golden);  // train.steps, within reason

// The steps of a training case, and what is told of their gradients.
struct GoldenTraining {
  NamedTensors trained;
  std::vector<Optimiser*> optimisers;
  double clip_norm = std::numeric_limits<double>::infinity();  // of each optimiser by itself
  std::int64_t steps = 0;
  std::function<at::Tensor(std::int64_t step)> forward = {};  // the loss
  std::function<void(std::int64_t step)> after_step = {};     // may be empty
  std::string gradient_norms = "grad_norm/";  // before the names of the first step's norms
  // The name of the norm of all gradients before clipping; "": it is not told.
  std::function<std::string(std::int64_t step, std::size_t optimiser)> total_norm = {};
};

// Runs them. Adds the norms, and the first step's gradients that the case names grad.NAME.
void run_steps(const GoldenCase& golden, const GoldenTraining& training, GoldenResult* result);

// Detached copies.
NamedTensors copies_of(const NamedTensors& tensors);

// Adds the L2 norms of now - before under PREFIX + NAME.
void add_changes(const std::string& prefix,
                 const NamedTensors& before,
                 const NamedTensors& now,
                 GoldenResult* result);

}  // namespace adb
