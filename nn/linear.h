// Linear layers, by either library of matrix products that LibTorch has.
#pragma once

#include <cstdint>

#include <torch/torch.h>

#include "tensor/tensor.h"

namespace adb {

// y = x W^T + b. Values are zero until they are set; drawing them is the caller's business.
class LinearLayer : public torch::nn::Module {
 public:
  LinearLayer(std::int64_t in, std::int64_t out, const at::TensorOptions& tensor);

  // [..., in] -> [..., out]
  at::Tensor forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }
  // The same or, with `gelu`, gelu(y). In float32 on the CPU oneDNN computes y and the gradient of
  // x, in other rounding than BLAS, but faster (docs/running.md has the measurement).
  at::Tensor forward_onednn(const at::Tensor& x, bool gelu = false) const;

 private:
  at::Tensor weight_, bias_;
};

}  // namespace adb
