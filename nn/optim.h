// Optimisers over named parameters, and the one update step that all methods share.
#pragma once

#include <string>
#include <vector>

#include "methods/method.h"
#include "tensor/tensor.h"

namespace adb {

struct OptimiserRule {
  enum class Kind { kAdam, kAdamW, kSgd } kind = Kind::kAdamW;
  double beta1 = 0.9;  // kAdam, kAdamW
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.9;  // kSgd
};

// Parameters without a gradient are skipped: neither stepped nor decayed.
// Source of the formulas: torch.optim.Adam, AdamW and SGD (weight decay of kAdam and kSgd is added
// to the gradient, that of kAdamW shrinks the parameter by 1 - lr * decay).
class Optimiser {
 public:
  explicit Optimiser(const OptimiserRule& rule) : rule_(rule) {}

  // `group` is part of the state's names; the parameters are stepped in place.
  void add_group(const std::string& group,
                 const NamedTensors& parameters,
                 double lr,
                 double weight_decay);
  void set_lr(const std::string& group, double lr);
  void set_lr(double lr);  // all groups
  void zero_grad();        // makes every gradient undefined
  void step();

  std::vector<at::Tensor> parameters() const;
  // "optim.GROUP.exp_avg.NAME", ".exp_avg_sq.", ".step." (or ".momentum_buffer."), allocated from
  // the start.
  NamedTensors state() const;
  std::vector<std::pair<std::string, double>> rates() const;

 private:
  struct Group {
    std::string name;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters;
    std::vector<at::Tensor> first, second, steps;  // moments, and numbers of updates (0-d float)
    double lr = 0;
    double weight_decay = 0;
  };
  OptimiserRule rule_;
  std::vector<Group> groups_;
};

// Splits named parameters as the common builder of the protocol card does: decay on tensors of rank
// >= 2 whose name does not end with ".bias".
struct DecaySplit {
  NamedTensors decayed, plain;
};
DecaySplit split_for_decay(const NamedTensors& parameters);

struct UpdateOptions {
  double clip_norm = 0;    // global L2 norm; 0: no clipping
  bool clip_each = false;  // each optimiser's gradients by their own norm
  Reduction reduction = Reduction::kMean;
};

// Zero gradients, backward, reduce over ranks, clip g * min(1, clip / (norm + 1e-6)), step.
void update(const at::Tensor& loss,
            const std::vector<Optimiser*>& optimisers,
            const StepPlan& plan,
            const UpdateOptions& options);

// The two halves of `update`, for callers that look at gradients in between (golden cases).
void backward(const at::Tensor& loss, const std::vector<Optimiser*>& optimisers);
at::Tensor clip_gradients(const std::vector<at::Tensor>& parameters,
                          double clip_norm);  // returns the norm

}  // namespace adb
