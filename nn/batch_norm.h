// Batch normalisation, over one process's batch or over that of all ranks.
#pragma once

#include <cstdint>

#include <torch/torch.h>

namespace adb {

// Batch normalisation over [B, C, ...]: batch statistics in training mode (over the parts of all
// processes that share a batch, nn/shared_batch.h), running ones otherwise.
class BatchNorm : public torch::nn::Module {
 public:
  BatchNorm(std::int64_t channels, double eps, const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x);

  // Evaluation mode as x * scale + shift.
  struct Affine {
    at::Tensor scale, shift;  // [C] float64
  };
  Affine affine() const;
  // Grows whenever affine() may have changed.
  std::int64_t version() const;

  // Weight of the newest batch in the running statistics. 1: they become that batch's own, which is
  // how golden cases calibrate a network.
  void set_momentum(double momentum) { momentum_ = momentum; }

 private:
  at::Tensor forward_shared(const at::Tensor& x);
  at::Tensor weight_, bias_, running_mean_, running_var_, num_batches_tracked_;
  double eps_;
  double momentum_ = 0.1;
};

// Of every batch norm below `module`, itself included.
void set_norm_momentum(torch::nn::Module& module, double momentum);

}  // namespace adb
