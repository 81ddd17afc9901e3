#include "nn/linear.h"

#include <mutex>
#include <optional>

#include "nn/onednn.h"

namespace adb {
namespace {

struct LinearOperators {
  c10::OperatorHandle linear, pack;
};

const std::optional<LinearOperators>& linear_operators() {
  static const auto found = []() -> std::optional<LinearOperators> {
    const auto linear = onednn_operator("mkldnn::_linear_pointwise", "", 6);
    const auto pack = onednn_operator("mkldnn::_reorder_linear_weight", "", 2);
    return linear && pack ? std::optional(LinearOperators{*linear, *pack}) : std::nullopt;
  }();
  return found;
}

// x W^T + b; W may be packed, or a view of any strides; b may be undefined.
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return call(linear_operators()->linear,
              {x,
               weight,
               bias.defined() ? c10::IValue(bias) : c10::IValue(),
               "none",
               c10::List<std::optional<at::Scalar>>(),
               c10::IValue()});
}

// Of [rows, in], so that the output is no view and may be changed in place.
class Trained : public torch::autograd::Function<Trained> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context,
                            const at::Tensor& x,
                            const at::Tensor& weight,
                            const at::Tensor& bias) {
    context->save_for_backward({x, weight});
    return product(x, weight, bias);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1];
    const auto& of_output = gradients[0];
    torch::autograd::variable_list of(3);
    if (context->needs_input_grad(0)) {
      of[0] = product(of_output, weight.t(), {});
    }
    if (context->needs_input_grad(1)) {
      of[1] = of_output.t().mm(x);
    }
    if (context->needs_input_grad(2)) {
      of[2] = of_output.sum(0);
    }
    return of;
  }
};

}  // namespace

// The weight in oneDNN's own order.
struct LinearLayer::Packed {
  std::mutex mutex;           // frozen networks run on several threads
  std::int64_t version = -1;  // of the weight it was made of
  at::Tensor weight;
};

LinearLayer::LinearLayer(std::int64_t in, std::int64_t out, const at::TensorOptions& tensor)
    : packed_(std::make_shared<Packed>()) {
  weight_ = register_parameter("weight", at::zeros({out, in}, tensor));
  bias_ = register_parameter("bias", at::zeros({out}, tensor));
}

at::Tensor LinearLayer::packed_weight(std::int64_t num_rows) const {
  const std::lock_guard lock(packed_->mutex);
  const auto version = static_cast<std::int64_t>(weight_._version());
  if (packed_->version != version) {
    // The order is chosen for this many rows; with others the operator reorders by itself.
    packed_->weight = call(linear_operators()->pack, {weight_, num_rows});
    packed_->version = version;
  }
  return packed_->weight;
}

at::Tensor LinearLayer::forward(const at::Tensor& x) const {
  if (!onednn_serves(x) || !linear_operators()) {
    return at::linear(x, weight_, bias_);
  }
  if (at::GradMode::is_enabled()) {
    packed_->version = -1;  // training makes it outdated
    packed_->weight = at::Tensor();
    auto shape = x.sizes().vec();
    shape.back() = weight_.size(0);
    return Trained::apply(x.reshape({-1, x.size(-1)}), weight_, bias_).view(shape);
  }
  return product(x, packed_weight(x.numel() / x.size(-1)), bias_);
}

}  // namespace adb
