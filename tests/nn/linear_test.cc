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

TEST(LinearLayer, HasTheProductAndGradientsOfLibTorchsOwn) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const auto [layer, weight, bias, x] = made(type);
    at::Tensor outputs[2], gradients[2][3];
    for (const bool own : {false, true}) {
      auto input = x.detach().clone().requires_grad_();
      weight.mutable_grad() = bias.mutable_grad() = at::Tensor();
      auto y = own ? layer->forward(input) : at::linear(input, weight, bias);
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
  }
}

TEST(LinearLayer, FollowsItsWeightsWithoutGradients) {
  const auto [layer, weight, bias, x] = made(at::kFloat);
  const at::NoGradGuard no_grad;
  expect_close(layer->forward(x), at::linear(x, weight, bias));
  expect_close(layer->forward(x[0].narrow(0, 0, 1)),
               at::linear(x[0].narrow(0, 0, 1), weight, bias));
  weight.detach().mul_(-2);
  expect_close(layer->forward(x), at::linear(x, weight, bias));
}

TEST(LinearLayer, HasNoGradientOfWhatIsFrozen) {
  const auto [layer, weight, bias, x] = made(at::kFloat);
  weight.requires_grad_(false);
  auto input = x.detach().clone().requires_grad_();
  layer->forward(input).sum().backward();
  EXPECT_FALSE(weight.grad().defined());
  expect_close(input.grad(), weight.sum(0).expand({3, 7, 24}));
}

}  // namespace
}  // namespace adb
