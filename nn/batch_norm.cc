#include "nn/batch_norm.h"

#include <vector>

#include "nn/shared_batch.h"

namespace adb {

BatchNorm::BatchNorm(std::int64_t channels, double eps, const at::TensorOptions& tensor)
    : eps_(eps) {
  weight_ = register_parameter("weight", at::ones({channels}, tensor));
  bias_ = register_parameter("bias", at::zeros({channels}, tensor));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}, tensor));
  running_var_ = register_buffer("running_var", at::ones({channels}, tensor));
  num_batches_tracked_ =
      register_buffer("num_batches_tracked", at::zeros({}, tensor.dtype(at::kLong)));
}

at::Tensor BatchNorm::forward(const at::Tensor& x) {
  if (is_training()) {
    num_batches_tracked_.add_(1);
    if (ranks_sharing() > 1) {
      return forward_shared(x);
    }
  }
  return at::batch_norm(x,
                        weight_,
                        bias_,
                        running_mean_,
                        running_var_,
                        is_training(),
                        momentum_,
                        eps_,
                        at::globalContext().userEnabledCuDNN());
}

// The formulas of torch.nn.BatchNorm2d over all ranks' elements; the variance from centred values,
// which float32 carries better than the mean of squares.
at::Tensor BatchNorm::forward_shared(const at::Tensor& x) {
  std::vector<std::int64_t> others, shape(static_cast<std::size_t>(x.dim()), 1);
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != 1) {
      others.push_back(d);
    }
  }
  shape[1] = x.size(1);
  const auto n = static_cast<double>(x.numel() / x.size(1) * ranks_sharing());
  const auto mean = sum_over_ranks(x.sum(others)) / n;
  const auto centred = x - mean.view(shape);
  const auto variance = sum_over_ranks(centred.square().sum(others)) / n;
  {
    const at::NoGradGuard no_grad;
    running_mean_.lerp_(mean, momentum_);
    running_var_.lerp_(variance * (n / (n - 1)), momentum_);
  }
  return centred * (weight_ * (variance + eps_).rsqrt()).view(shape) + bias_.view(shape);
}

BatchNorm::Affine BatchNorm::affine() const {
  const auto scale = weight_.to(at::kDouble) / (running_var_.to(at::kDouble) + eps_).sqrt();
  return {scale, bias_.to(at::kDouble) - running_mean_.to(at::kDouble) * scale};
}

// LibTorch counts no version of running statistics that a batch norm's kernel writes, but each such
// batch is counted in num_batches_tracked_.
std::int64_t BatchNorm::version() const {
  std::int64_t sum = 0;
  for (const auto& tensor : {weight_, bias_, running_mean_, running_var_, num_batches_tracked_}) {
    sum += tensor._version();
  }
  return sum;
}

void set_norm_momentum(torch::nn::Module& module, double momentum) {
  module.apply([&](torch::nn::Module& part) {
    if (auto* norm = part.as<BatchNorm>()) {
      norm->set_momentum(momentum);
    }
  });
}

}  // namespace adb
