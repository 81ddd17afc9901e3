#include "nn/conv.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "nn/onednn.h"

namespace adb {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

bool stored_channels_last(const at::TensorOptions& tensor) {
  return tensor.dtype() == caffe2::TypeMeta::Make<float>() && tensor.device().is_cpu();
}

// {before, after} along a side of the input.
std::pair<std::int64_t, std::int64_t> padding(const ConvShape& shape, std::int64_t size) {
  const auto [k, s] = std::pair(shape.kernel, shape.stride);
  switch (shape.kind) {
    case ConvShape::Kind::kTransposed:
      return {0, 0};
    case ConvShape::Kind::kTensorFlow:
      if (s > 1) {
        const auto total = std::max<std::int64_t>(((size + s - 1) / s - 1) * s + k - size, 0);
        return {total / 2, total - total / 2};
      }
      break;
    case ConvShape::Kind::kPlain:
      break;
  }
  const auto each = shape.dilation * (k - 1) / 2;
  return {each, each};
}

at::Tensor activated(at::Tensor x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return x.relu_();
    case Activation::kRelu6:
      return x.clamp_(0, 6);
    case Activation::kSilu:
      return at::silu_(x);
  }
  return x;
}

struct FusedOperators {
  c10::OperatorHandle plain, transposed, added, pack, pack_transposed;
};

const std::optional<FusedOperators>& fused_operators() {
  static const auto found = []() -> std::optional<FusedOperators> {
    const auto plain = onednn_operator("mkldnn::_convolution_pointwise", "", 10);
    const auto transposed = onednn_operator("mkldnn::_convolution_transpose_pointwise", "", 11);
    const auto added = onednn_operator("mkldnn::_convolution_pointwise", "binary", 13);
    const auto pack = onednn_operator("mkldnn::_reorder_convolution_weight", "", 6);
    const auto pack_transposed =
        onednn_operator("mkldnn::_reorder_convolution_transpose_weight", "", 7);
    if (!plain || !transposed || !added || !pack || !pack_transposed) {
      return std::nullopt;
    }
    return FusedOperators{*plain, *transposed, *added, *pack, *pack_transposed};
  }();
  return found;
}

using Integers = std::vector<std::int64_t>;
using Scalars = c10::List<std::optional<at::Scalar>>;

struct Pointwise {
  const char* name;
  Scalars arguments;
};

Pointwise pointwise(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return {"relu", Scalars()};
    case Activation::kRelu6:
      return {"hardtanh", Scalars({at::Scalar(0.0), at::Scalar(6.0)})};
    case Activation::kSilu:
      return {"swish", Scalars()};
  }
  return {"none", Scalars()};
}

}  // namespace

Conv::Conv(const ConvShape& shape, const at::TensorOptions& tensor) : shape_(shape) {
  const bool transposed = shape.kind == ConvShape::Kind::kTransposed;
  ADB_ASSERT(!transposed || shape.groups == 1);
  const auto first = transposed ? shape.in : shape.out;
  const auto second = transposed ? shape.out : shape.in / shape.groups;
  weight_ = register_parameter("weight",
                               at::zeros({first, second, shape.kernel, shape.kernel}, tensor)
                                   .contiguous(shape.channels_last && stored_channels_last(tensor)
                                                   ? kChannelsLast
                                                   : at::MemoryFormat::Contiguous));
  if (shape.bias) {
    bias_ = register_parameter("bias", at::zeros({shape.out}, tensor));
  }
}

Conv::Prepared Conv::prepared(const at::Tensor& x, bool channels_last) const {
  auto input = stored_channels_last(x.options())
                   ? x.contiguous(channels_last ? kChannelsLast : at::MemoryFormat::Contiguous)
                   : x;
  const auto rows = padding(shape_, x.size(2)), columns = padding(shape_, x.size(3));
  if (rows.first == rows.second && columns.first == columns.second) {
    return {input, rows.first, columns.first};
  }
  return {
      at::constant_pad_nd(input, {columns.first, columns.second, rows.first, rows.second}), 0, 0};
}

at::Tensor Conv::forward(const at::Tensor& x) const {
  const auto [input, rows, columns] = prepared(x, shape_.channels_last);
  if (shape_.kind == ConvShape::Kind::kTransposed) {
    return at::conv_transpose2d(
        input, weight_, bias_, shape_.stride, 0, 0, shape_.groups, shape_.dilation);
  }
  return at::conv2d(
      input, weight_, bias_, shape_.stride, {rows, columns}, shape_.dilation, shape_.groups);
}

// Weights with the norm's scale in them, in oneDNN's own order, and the bias that is left.
struct ConvNorm::Folded {
  std::mutex mutex;           // frozen networks run on several threads
  std::int64_t version = -1;  // sum of the versions of what they were made of
  at::Tensor weight, bias;
};

ConvNorm::ConvNorm(torch::nn::Module& owner,
                   const std::string& conv_name,
                   const std::string& norm_name,
                   const ConvShape& shape,
                   double eps,
                   const at::TensorOptions& tensor)
    : conv_(owner.register_module(conv_name, std::make_shared<Conv>(shape, tensor))),
      norm_(owner.register_module(norm_name, std::make_shared<BatchNorm>(shape.out, eps, tensor))),
      folded_(std::make_shared<Folded>()) {}

at::Tensor ConvNorm::forward(const at::Tensor& x,
                             Activation activation,
                             const at::Tensor& residual) const {
  if (!norm_->is_training() && !at::GradMode::is_enabled() && onednn_serves(x) &&
      fused_operators()) {
    return forward_folded(x, activation, residual);
  }
  if (at::GradMode::is_enabled()) {  // training makes them outdated; no version counts its steps
    folded_->version = -1;
    folded_->weight = folded_->bias = at::Tensor();
  }
  // The output is ours alone, so what follows works in place; no backward formula needs the values
  // before.
  auto y = norm_->forward(conv_->forward(x));
  if (residual.defined()) {
    y.add_(residual);
  }
  return activated(y, activation);
}

at::Tensor ConvNorm::forward_folded(const at::Tensor& x,
                                    Activation activation,
                                    const at::Tensor& residual) const {
  const auto& ops = *fused_operators();
  const auto& shape = conv_->shape();
  const bool transposed = shape.kind == ConvShape::Kind::kTransposed;
  const auto [input, rows, columns] = conv_->prepared(x, /*channels_last=*/true);
  const Integers strides(2, shape.stride), dilations(2, shape.dilation), none(2, 0);
  const Integers paddings = {rows, columns};
  auto version = norm_->version() + conv_->weight()._version();
  if (shape.bias) {
    version += conv_->bias()._version();
  }
  std::unique_lock lock(folded_->mutex);
  if (folded_->version != version) {
    const auto [scale, shift] = norm_->affine();
    const auto weight =
        (conv_->weight().to(at::kDouble) *
         scale.view(transposed ? at::IntArrayRef{1, -1, 1, 1} : at::IntArrayRef{-1, 1, 1, 1}))
            .to(at::kFloat);
    folded_->bias =
        (shape.bias ? shift + conv_->bias().to(at::kDouble) * scale : shift).to(at::kFloat);
    // The order is chosen for this input's size; with others the operator reorders by itself.
    folded_->weight =
        transposed
            ? call(ops.pack_transposed,
                   {weight, paddings, none, strides, dilations, shape.groups, input.sizes().vec()})
            : call(ops.pack,
                   {weight, paddings, strides, dilations, shape.groups, input.sizes().vec()});
    folded_->version = version;
  }
  const auto weight = folded_->weight, bias = folded_->bias;
  lock.unlock();
  const auto [name, arguments] = pointwise(activation);
  const c10::IValue no_algorithm;
  if (transposed) {
    const auto y = call(ops.transposed,
                        {input,
                         weight,
                         bias,
                         paddings,
                         none,
                         strides,
                         dilations,
                         shape.groups,
                         residual.defined() ? "none" : name,
                         residual.defined() ? Scalars() : arguments,
                         no_algorithm});
    return residual.defined() ? activated(y.add(residual), activation) : y;
  }
  if (!residual.defined()) {
    return call(ops.plain,
                {input,
                 weight,
                 bias,
                 paddings,
                 strides,
                 dilations,
                 shape.groups,
                 name,
                 arguments,
                 no_algorithm});
  }
  // Behind an addition oneDNN does a ReLU only.
  const bool relu = activation == Activation::kRelu;
  const auto y = call(ops.added,
                      {input,
                       residual.contiguous(kChannelsLast),
                       weight,
                       bias,
                       paddings,
                       strides,
                       dilations,
                       shape.groups,
                       "add",
                       at::Scalar(1.0),
                       relu ? c10::IValue(name) : c10::IValue(),
                       arguments,
                       no_algorithm});
  return relu ? y : activated(y, activation);
}

}  // namespace adb
