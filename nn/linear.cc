#include "nn/linear.h"

#include <optional>

#include "nn/onednn.h"

namespace adb {
namespace {

const std::optional<c10::OperatorHandle>& linear_operator() {
  static const auto found = onednn_operator("mkldnn::_linear_pointwise", "", 6);
  return found;
}

// x W^T + b; W may be a view of any strides, b undefined.
at::Tensor product(const at::Tensor& x,
                   const at::Tensor& weight,
                   const at::Tensor& bias,
                   bool gelu = false) {
  return call(*linear_operator(),
              {x,
               weight,
               bias.defined() ? c10::IValue(bias) : c10::IValue(),
               gelu ? "gelu" : "none",
               c10::List<std::optional<at::Scalar>>(),
               gelu ? c10::IValue("none") : c10::IValue()});  // no approximation
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
      of[1] = of_output.t().mm(x);  // both transposed for oneDNN, which is slower then
    }
    if (context->needs_input_grad(2)) {
      of[2] = of_output.sum(0);
    }
    return of;
  }
};

}  // namespace

LinearLayer::LinearLayer(std::int64_t in, std::int64_t out, const at::TensorOptions& tensor) {
  weight_ = register_parameter("weight", at::zeros({out, in}, tensor));
  bias_ = register_parameter("bias", at::zeros({out}, tensor));
}

at::Tensor LinearLayer::forward_onednn(const at::Tensor& x, bool gelu) const {
  const bool onednn = onednn_serves(x) && linear_operator();
  if (onednn && !at::GradMode::is_enabled()) {
    return product(x, weight_, bias_, gelu);
  }
  at::Tensor y;
  if (onednn) {
    auto shape = x.sizes().vec();
    shape.back() = weight_.size(0);
    y = Trained::apply(x.reshape({-1, x.size(-1)}), weight_, bias_).view(shape);
  } else {
    y = forward(x);
  }
  return gelu ? at::gelu(y) : y;
}

}  // namespace adb
