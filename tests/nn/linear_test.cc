#include "nn/linear.h"

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "nn/module_state.h"

namespace adb {
namespace {

struct Case {
  std::shared_ptr<LinearLayer> layer;
  at::Tensor weight, bias, x;
};

Case made(at::ScalarType type) {
  Case made;
  made.layer = std::make_shared<LinearLayer>(24, 40, at::TensorOptions().dtype(type));
  auto draws = at::detail::createCPUGenerator(3);
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : module_state(*made.layer)) {
    tensor.detach().normal_(0, 1, draws);
    (name == "weight" ? made.weight : made.bias) = tensor;
  }
  made.x = at::randn({3, 7, 24}, draws, at::TensorOptions().dtype(type));
  return made;
}

void expect_close(const at::Tensor& got, const at::Tensor& expected) {
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_TRUE(at::allclose(got, expected, 1e-5, 1e-5)) << (got - expected).abs().max();
}

// Both products are checked against LibTorch's, with gradients and without, in float32 (oneDNN) and
// in double.
TEST(LinearLayer, HasTheProductAndGradientsOfLibTorchsOwn) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const bool gelu : {false, true}) {
      const auto [layer, weight, bias, x] = made(type);
      at::Tensor outputs[2], gradients[2][3];
      for (const bool own : {false, true}) {
        auto input = x.detach().clone().requires_grad_();
        weight.mutable_grad() = bias.mutable_grad() = at::Tensor();
        const auto plain = own ? at::Tensor() : at::linear(input, weight, bias);
        auto y = own ? layer->forward_onednn(input, gelu) : gelu ? at::gelu(plain) : plain;
        y.relu_();  // what follows may work in place
        y.square().sum().backward();
        outputs[own] = y.detach();
        gradients[own][0] = input.grad();
        gradients[own][1] = weight.grad();
        gradients[own][2] = bias.grad();
      }
      expect_close(outputs[1], outputs[0]);
      for (std::size_t i = 0; i < 3; ++i) {
        expect_close(gradients[1][i] / 100, gradients[0][i] / 100);
      }
      const at::NoGradGuard no_grad;
      expect_close(layer->forward_onednn(x, gelu).relu(), outputs[0]);
    }
  }
}

TEST(LinearLayer, HasNoGradientOfWhatIsFrozen) {
  const auto [layer, weight, bias, x] = made(at::kFloat);
  weight.requires_grad_(false);
  auto input = x.detach().clone().requires_grad_();
  layer->forward_onednn(input).sum().backward();
  EXPECT_FALSE(weight.grad().defined());
  expect_close(input.grad(), weight.sum(0).expand({3, 7, 24}));
}

}  // namespace
}  // namespace adb
