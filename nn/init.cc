#include "nn/init.h"

#include <cmath>

#include <torch/torch.h>

#include "core/error.h"

namespace adb::init {
namespace {

template <class Draw>
void fill(const at::Tensor& t, Draw draw) {
  const at::NoGradGuard no_grad;
  auto values = at::empty(t.sizes(), at::kDouble);
  auto* out = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    out[i] = draw();
  }
  at::Tensor(t).copy_(values);
}

double fan_in(const at::Tensor& weight) {
  return static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
}

}  // namespace

void normal(const at::Tensor& t, double mean, double std, Stream stream) {
  fill(t, [&] { return mean + std * stream.normal(); });
}

void uniform(const at::Tensor& t, double low, double high, Stream stream) {
  fill(t, [&] { return stream.uniform(low, high); });
}

void constant(const at::Tensor& t, double value) {
  const at::NoGradGuard no_grad;
  at::Tensor(t).fill_(value);
}

void default_weight(const at::Tensor& weight, const at::Tensor& bias, Stream stream) {
  const double bound = 1.0 / std::sqrt(fan_in(weight));
  fill(weight, [&] { return stream.uniform(-bound, bound); });
  if (bias.defined()) {
    fill(bias, [&] { return stream.uniform(-bound, bound); });
  }
}

void kaiming_fan_out(const at::Tensor& weight, Stream stream) {
  const double area = fan_in(weight) / static_cast<double>(weight.size(1));
  normal(weight, 0, std::sqrt(2.0 / (static_cast<double>(weight.size(0)) * area)), stream);
}

void kaiming_fan_in(const at::Tensor& weight, Stream stream) {
  normal(weight, 0, std::sqrt(2.0 / fan_in(weight)), stream);
}

void random_backbone(const NamedTensors& state, const Streams& streams, const std::string& prefix) {
  for (const auto& [name, tensor] : state) {
    if (tensor.dim() >= 2) {
      kaiming_fan_in(tensor, streams.named(prefix + "." + name));
    } else {
      constant(tensor, name.ends_with("weight") || name.ends_with("running_var") ? 1 : 0);
    }
  }
}

}  // namespace adb::init
