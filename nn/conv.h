// Convolutions, and convolutions with a batch norm behind them, for all convolutional networks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <torch/torch.h>

#include "nn/batch_norm.h"

namespace adb {

struct ConvShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  bool bias = false;
  // False: training keeps planes apart. LibTorch's batch norm sums channels-last planes in float32
  // and contiguous ones in double, which large planes need.
  bool channels_last = true;
  enum class Kind {
    kPlain,       // padding dilation * (kernel - 1) / 2 on all sides
    kTensorFlow,  // "same" padding: at stride 2 it depends on the input's size and may be larger
                  // behind than before
    kTransposed,  // transposed, without padding; weight [in, out, kernel, kernel]
  } kind = Kind::kPlain;
};

// A convolution over [B, in, H, W]. Weight and bias are zero until they are set; drawing them is
// the caller's business.
//
// In float32 on the CPU, weights and outputs are stored channels-last (unless the shape says no):
// oneDNN's 1 x 1 convolutions are up to twice as fast that way (docs/running.md has the times of
// whole methods).
class Conv : public torch::nn::Module {
 public:
  Conv(const ConvShape& shape, const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x) const;
  const ConvShape& shape() const { return shape_; }
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }  // undefined without one

  // What a kernel is called with: the input in the order of storage that suits it, padded where
  // padding is not the same on both sides, and the padding that is left to do.
  struct Prepared {
    at::Tensor input;
    std::int64_t rows = 0, columns = 0;
  };
  Prepared prepared(const at::Tensor& x, bool channels_last) const;

 private:
  ConvShape shape_;
  at::Tensor weight_, bias_;
};

enum class Activation { kNone, kRelu, kRelu6, kSilu };

// A convolution and the batch norm behind it; the two modules are registered with the owner, under
// its names. In evaluation mode without gradients, in float32 on the CPU, both and what follows
// them are one oneDNN operator on weights folded once.
class ConvNorm {
 public:
  ConvNorm() = default;  // holds nothing
  ConvNorm(torch::nn::Module& owner,
           const std::string& conv_name,
           const std::string& norm_name,
           const ConvShape& shape,
           double eps,
           const at::TensorOptions& tensor);

  explicit operator bool() const { return conv_ != nullptr; }
  // activation(norm(conv(x)) + residual?)
  at::Tensor forward(const at::Tensor& x,
                     Activation activation,
                     const at::Tensor& residual = {}) const;

 private:
  struct Folded;
  at::Tensor forward_folded(const at::Tensor& x,
                            Activation activation,
                            const at::Tensor& residual) const;

  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> norm_;
  std::shared_ptr<Folded> folded_;
};

}  // namespace adb
