#include "nn/conv.h"

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "nn/init.h"
#include "nn/module_state.h"
#include "nn/optim.h"

namespace adb {
namespace {

constexpr double kEps = 1e-3;

struct Case {
  std::string name;
  ConvShape shape;
};

ConvShape shape_of(std::int64_t in,
                   std::int64_t out,
                   std::int64_t kernel,
                   std::int64_t stride,
                   std::int64_t dilation,
                   std::int64_t groups,
                   bool bias,
                   ConvShape::Kind kind) {
  return {in, out, kernel, stride, dilation, groups, bias, /*channels_last=*/true, kind};
}

const std::vector<Case>& cases() {
  using Kind = ConvShape::Kind;
  static const std::vector<Case> all = {
      {"1 x 1", shape_of(6, 10, 1, 1, 1, 1, false, Kind::kPlain)},
      {"3 x 3 of stride 2 with bias", shape_of(5, 16, 3, 2, 1, 1, true, Kind::kPlain)},
      {"dilated", shape_of(8, 8, 3, 1, 6, 1, false, Kind::kPlain)},
      {"depthwise, same padding", shape_of(12, 12, 5, 2, 1, 12, false, Kind::kTensorFlow)},
      {"transposed", shape_of(9, 7, 2, 2, 1, 1, false, Kind::kTransposed)}};
  return all;
}

// A unit with random weights and statistics, in evaluation mode.
struct Unit {
  explicit Unit(const ConvShape& shape, at::ScalarType dtype = at::kFloat)
      : owner(std::make_shared<torch::nn::Module>()),
        unit(*owner, "conv", "norm", shape, kEps, at::TensorOptions().dtype(dtype)) {
    const Streams streams(11);
    for (const auto& [name, tensor] : module_state(*owner)) {
      if (!name.ends_with("num_batches_tracked")) {
        init::uniform(tensor, name.ends_with("var") ? 0.5 : -1, 1.5, streams.named(name));
      }
    }
    owner->eval();
  }
  at::Tensor infer(const at::Tensor& x, Activation activation, const at::Tensor& residual = {}) {
    const at::NoGradGuard no_grad;
    return unit.forward(x, activation, residual);
  }
  at::Tensor with_gradients(const at::Tensor& x,
                            Activation activation,
                            const at::Tensor& residual = {}) {
    return unit.forward(x, activation, residual).detach();
  }

  std::shared_ptr<torch::nn::Module> owner;
  ConvNorm unit;
};

at::Tensor images(std::int64_t channels, std::int64_t side, at::ScalarType dtype = at::kFloat) {
  return at::rand({2, channels, side, side}, at::detail::createCPUGenerator(3))
      .sub(0.5)
      .mul(4)
      .to(dtype);
}

TEST(ConvNorm, FoldedGivesWhatConvolutionNormAndActivationGive) {
  for (const auto& [name, shape] : cases()) {
    Unit unit(shape);
    for (const auto activation :
         {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kSilu}) {
      for (const std::int64_t side : {9, 16}) {  // packed for the first, used for both
        const auto x = images(shape.in, side);
        const auto plain = unit.with_gradients(x, activation);
        const auto residual = at::rand_like(plain);
        EXPECT_LT((unit.infer(x, activation) - plain).abs().max().item<float>(), 2e-5) << name;
        EXPECT_LT(
            (unit.infer(x, activation, residual) - unit.with_gradients(x, activation, residual))
                .abs()
                .max()
                .item<float>(),
            2e-5)
            << name;
      }
    }
  }
}

// The definition, element by element, in double: padding, dilation, groups, and the norm behind.
TEST(ConvNorm, IsTheSumThatItStandsFor) {
  const auto shape = shape_of(4, 6, 3, 2, 2, 2, true, ConvShape::Kind::kPlain);
  Unit unit(shape, at::kDouble);
  const auto x = images(4, 7, at::kDouble);
  const auto y = unit.infer(x, Activation::kRelu);
  const auto state = module_state(*unit.owner);
  const auto& weight = *find_tensor(state, "conv.weight");
  const auto at_channel = [&](const char* name, std::int64_t c) {
    return (*find_tensor(state, name))[c].item<double>();
  };
  ASSERT_EQ(y.sizes(), (std::vector<std::int64_t>{2, 6, 4, 4}));
  for (std::int64_t o = 0; o < 6; ++o) {
    for (std::int64_t r = 0; r < 4; ++r) {
      for (std::int64_t c = 0; c < 4; ++c) {
        double sum = at_channel("conv.bias", o);
        for (std::int64_t i = 0; i < 2; ++i) {
          for (std::int64_t k = 0; k < 9; ++k) {
            const auto row = 2 * r + 2 * (k / 3) - 2, column = 2 * c + 2 * (k % 3) - 2;
            if (row >= 0 && row < 7 && column >= 0 && column < 7) {
              sum += weight[o][i][k / 3][k % 3].item<double>() *
                     x[1][o / 3 * 2 + i][row][column].item<double>();
            }
          }
        }
        const auto normed = (sum - at_channel("norm.running_mean", o)) /
                                std::sqrt(at_channel("norm.running_var", o) + kEps) *
                                at_channel("norm.weight", o) +
                            at_channel("norm.bias", o);
        EXPECT_NEAR(y[1][o][r][c].item<double>(), std::max(normed, 0.0), 1e-12);
      }
    }
  }
}

// Every way in which a folded weight can become outdated.
TEST(ConvNorm, FoldsAgainAfterEveryChange) {
  const auto shape = shape_of(3, 8, 3, 1, 1, 1, true, ConvShape::Kind::kPlain);
  Unit unit(shape);
  const auto x = images(3, 16);
  auto before = unit.infer(x, Activation::kNone);
  const auto expect_followed = [&](const char* change) {
    const auto now = unit.infer(x, Activation::kNone);
    EXPECT_GT((now - before).abs().max().item<float>(), 1e-3) << change;
    EXPECT_LT((now - unit.with_gradients(x, Activation::kNone)).abs().max().item<float>(), 2e-5)
        << change;
    before = unit.infer(x, Activation::kNone);
  };
  const auto state = module_state(*unit.owner);
  for (const auto& [name, tensor] : state) {
    if (!name.ends_with("num_batches_tracked")) {
      const at::NoGradGuard no_grad;
      at::Tensor(tensor).mul_(1.5);
      expect_followed(name.c_str());
    }
  }
  Optimiser optimiser(OptimiserRule{});
  optimiser.add_group("all", module_parameters(*unit.owner), 0.1, 0);
  unit.unit.forward(x, Activation::kNone).square().sum().backward();
  optimiser.step();
  expect_followed("an optimiser's step");
  unit.owner->train();
  {
    const at::NoGradGuard no_grad;
    unit.unit.forward(x, Activation::kNone);
  }
  unit.owner->eval();
  expect_followed("running statistics");
}

TEST(Conv, KeepsFloatsChannelsLastOnTheCpu) {
  Unit unit(cases()[1].shape);
  EXPECT_TRUE(unit.with_gradients(images(5, 8), Activation::kRelu)
                  .is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(
      unit.infer(images(5, 8), Activation::kRelu).is_contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace
}  // namespace adb
