// Initialisation from named streams. Values are drawn in double in row-major order, so they depend
// neither on the tensor's dtype and device nor on threads.
#pragma once

#include "core/seed.h"
#include "tensor/tensor.h"

namespace adb::init {

void normal(const at::Tensor& t, double mean, double std, Stream stream);
void uniform(const at::Tensor& t, double low, double high, Stream stream);
void constant(const at::Tensor& t, double value);

// PyTorch's default for Linear and convolutions: uniform in +-1/sqrt(fan_in), fan_in = numel /
// shape[0] of the weight as stored; `bias` may be undefined and uses the weight's fan_in.
void default_weight(const at::Tensor& weight, const at::Tensor& bias, Stream stream);

// Normal with standard deviation sqrt(2 / fan): fan_out = shape[0] * k * k, fan_in = shape[1] * k *
// k (shape[1] is in/groups).
void kaiming_fan_out(const at::Tensor& weight, Stream stream);
void kaiming_fan_in(const at::Tensor& weight, Stream stream);

// A frozen convolutional backbone without a checkpoint (card training-protocol, section 3):
// convolutions He normal by fan-in, biases 0, batch norms 1 / 0 with running mean 0 and variance 1.
// The stream of each entry is "PREFIX.NAME". `state`: parameters and buffers by name.
void random_backbone(const NamedTensors& state, const Streams& streams, const std::string& prefix);

}  // namespace adb::init
