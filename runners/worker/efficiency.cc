#include "runners/worker/efficiency.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <fstream>
#include <numeric>
#include <set>
#include <string_view>

#include <ATen/core/ivalue.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>

#include "core/error.h"
#include "methods/optional.h"
#include "tensor/separate_operators.h"

namespace adb {
namespace {

// What the observer saw. The callbacks are plain functions, and a prediction runs on one thread.
struct Counter {
  std::int64_t macs = 0;
  std::int64_t extra = 0;
};
thread_local Counter* counter = nullptr;
thread_local int inside =
    0;  // depth below an operator that was counted: its parts are not counted again

at::Tensor tensor_at(const at::RecordFunction& fn, std::size_t i) {
  const auto inputs = fn.inputs();
  return i < inputs.size() && inputs[i].isTensor() ? inputs[i].toTensor() : at::Tensor();
}

std::int64_t convolution_macs(const at::RecordFunction& fn) {
  const auto input = tensor_at(fn, 0);
  const auto weight = tensor_at(fn, 1);
  const auto stride = fn.inputs()[3].toIntVector();
  const auto padding = fn.inputs()[4].toIntVector();
  const auto dilation = fn.inputs()[5].toIntVector();
  const bool transposed = fn.inputs()[6].toBool();
  // A list of one number stands for every axis.
  const auto along = [](const std::vector<std::int64_t>& list, std::size_t axis) {
    return list.at(std::min(axis, list.size() - 1));
  };
  // A transposed convolution multiplies every input element with every weight of its channel.
  std::int64_t positions = input.size(0);
  for (std::int64_t d = 2; d < input.dim(); ++d) {
    const auto k = static_cast<std::size_t>(d - 2);
    const auto reach = along(dilation, k) * (weight.size(d) - 1);
    positions *= transposed
                     ? input.size(d)
                     : (input.size(d) + 2 * along(padding, k) - reach - 1) / along(stride, k) + 1;
  }
  return positions * weight.numel();
}

// Multiply-accumulates of the operator, or -1 for one that is not counted.
std::int64_t operator_macs(const at::RecordFunction& fn, std::string_view name) {
  const auto a = tensor_at(fn, 0);
  const auto b = tensor_at(fn, 1);
  if (name == "aten::convolution") {
    return convolution_macs(fn);
  }
  if (name == "aten::linear") {
    return a.numel() * b.size(0);
  }
  if (name == "aten::scaled_dot_product_attention") {
    const auto v = tensor_at(fn, 2);
    return a.numel() * b.size(-2) + a.numel() / a.size(-1) * b.size(-2) * v.size(-1);
  }
  if (name == "aten::matmul" || name == "aten::mm" || name == "aten::bmm") {
    return a.numel() * (b.dim() == 1 ? 1 : b.size(-1));
  }
  if (name == "aten::addmm" || name == "aten::baddbmm") {
    return b.numel() * tensor_at(fn, 2).size(-1);
  }
  return -1;
}

std::int64_t norm_operations(const at::RecordFunction& fn, std::string_view name) {
  const auto input = tensor_at(fn, 0);
  if (name == "aten::batch_norm") {
    return 2 * input.numel();
  }
  if (name == "aten::layer_norm") {
    return 5 * input.numel();
  }
  if (name == "aten::upsample_bilinear2d") {
    const auto size = fn.inputs()[1];
    if (size.isIntList()) {
      const auto to = size.toIntVector();
      return to.size() == 2 ? 4 * input.size(0) * input.size(1) * to[0] * to[1] : 0;
    }
  }
  return 0;
}

struct Inside : at::ObserverContext {
  bool counted = false;
};

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& fn) {
  auto context = std::make_unique<Inside>();
  if (counter == nullptr || inside > 0 || !tensor_at(fn, 0).defined() ||
      tensor_at(fn, 0).scalar_type() == at::kDouble) {
    return context;
  }
  const std::string_view name = fn.name();
  if (const auto macs = operator_macs(fn, name); macs >= 0) {
    counter->macs += macs;
    context->counted = true;
    ++inside;
  } else if (const auto extra = norm_operations(fn, name); extra > 0) {
    counter->extra += extra;
    context->counted = true;
    ++inside;
  }
  return context;
}

void on_end(const at::RecordFunction&, at::ObserverContext* context) {
  if (static_cast<Inside*>(context)->counted) {
    --inside;
  }
}

}  // namespace

ParameterCount count_parameters(const Method& method) {
  const auto trainable = method.trainable();
  const std::set<std::string> trained(trainable.begin(), trainable.end());
  ParameterCount count;
  for (const auto& [name, tensor] : method.state()) {
    // Scalars are buffers, too: counters and scales.
    const bool buffer = tensor.dim() == 0 || name.ends_with("running_mean") ||
                        name.ends_with("running_var") || name.ends_with("num_batches_tracked");
    count.total += buffer ? 0 : tensor.numel();
    count.trainable += trained.count(name) != 0 ? tensor.numel() : 0;
  }
  if (const auto* unbuilt = dynamic_cast<const HasUnbuiltParameters*>(&method)) {
    count.total += unbuilt->unbuilt_parameters();
  }
  return count;
}

MacCount count_macs(Method& method, at::Device device) {
  const auto input = method.input();
  Batch batch;
  batch.images = at::zeros({1, 3, input.image_size, input.image_size},
                           at::TensorOptions().dtype(at::kFloat).device(device));
  batch.ids = {0};
  Counter counted;
  counter = &counted;
  inside = 0;
  const SeparateOperators separate;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                                     .needsInputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  try {
    method.predict(batch);
  } catch (...) {
    at::removeCallback(handle);
    counter = nullptr;
    throw;
  }
  at::removeCallback(handle);
  counter = nullptr;
  return {counted.macs, counted.macs + counted.extra};
}

std::int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stoll(line.substr(6)) * 1024;
    }
  }
  return 0;
}

void reset_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace adb
