// Linear layers, by the faster of the two libraries of matrix products that LibTorch has.
#pragma once

#include <cstdint>
#include <memory>

#include <torch/torch.h>

#include "tensor/tensor.h"

namespace adb {

// y = x W^T + b. Values are zero until they are set; drawing them is the caller's business. In
// float32 on the CPU oneDNN computes y and the gradient of x, and LibTorch's BLAS the gradient of W
// (docs/running.md has the measurement).
class LinearLayer : public torch::nn::Module {
 public:
  LinearLayer(std::int64_t in, std::int64_t out, const at::TensorOptions& tensor);
  // [..., in] -> [..., out]; without gradients several threads may call it at once
  at::Tensor forward(const at::Tensor& x) const;

 private:
  struct Packed;
  at::Tensor packed_weight(std::int64_t num_rows) const;

  at::Tensor weight_, bias_;
  std::shared_ptr<Packed> packed_;
};

}  // namespace adb
