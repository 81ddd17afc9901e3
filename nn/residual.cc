#include "nn/residual.h"

#include <utility>

#include "core/error.h"
#include "nn/init.h"
#include "nn/shared_batch.h"

namespace adb {
namespace {

constexpr double kEps = 1e-5;

}  // namespace

ConvNorm conv_norm(torch::nn::Module& owner,
                   const std::string& conv_name,
                   const std::string& norm_name,
                   const ConvShape& shape,
                   const at::TensorOptions& tensor) {
  ConvNorm unit;
  unit.conv = owner.register_module(conv_name, std::make_shared<Conv>(shape, tensor));
  unit.norm =
      owner.register_module(norm_name, std::make_shared<BatchNorm>(shape.out, kEps, tensor));
  return unit;
}

Conv::Conv(const ConvShape& shape, const at::TensorOptions& tensor) : shape_(shape) {
  const auto first = shape.transposed ? shape.in : shape.out;
  const auto second = shape.transposed ? shape.out : shape.in;
  weight_ =
      register_parameter("weight", at::zeros({first, second, shape.kernel, shape.kernel}, tensor));
}

at::Tensor Conv::forward(const at::Tensor& x) const {
  if (shape_.transposed) {
    return at::conv_transpose2d(x, weight_, {}, shape_.stride);
  }
  return at::conv2d(x, weight_, {}, shape_.stride, (shape_.kernel - 1) / 2);
}

BatchNorm::BatchNorm(std::int64_t channels, double eps, const at::TensorOptions& tensor)
    : eps_(eps) {
  weight_ = register_parameter("weight", at::ones({channels}, tensor));
  bias_ = register_parameter("bias", at::zeros({channels}, tensor));
  running_mean_ = register_buffer("running_mean", at::zeros({channels}, tensor));
  running_var_ = register_buffer("running_var", at::ones({channels}, tensor));
  num_batches_tracked_ =
      register_buffer("num_batches_tracked", at::zeros({}, tensor.dtype(at::kLong)));
}

at::Tensor BatchNorm::forward(const at::Tensor& x) {
  if (is_training()) {
    num_batches_tracked_.add_(1);
    if (ranks_sharing() > 1) {
      return forward_shared(x);
    }
  }
  return at::batch_norm(x,
                        weight_,
                        bias_,
                        running_mean_,
                        running_var_,
                        is_training(),
                        momentum_,
                        eps_,
                        at::globalContext().userEnabledCuDNN());
}

// The formulas of torch.nn.BatchNorm2d over all ranks' elements; the variance from centred values,
// which float32 carries better than the mean of squares.
at::Tensor BatchNorm::forward_shared(const at::Tensor& x) {
  std::vector<std::int64_t> others, shape(static_cast<std::size_t>(x.dim()), 1);
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != 1) {
      others.push_back(d);
    }
  }
  shape[1] = x.size(1);
  const auto n = static_cast<double>(x.numel() / x.size(1) * ranks_sharing());
  const auto mean = sum_over_ranks(x.sum(others)) / n;
  const auto centred = x - mean.view(shape);
  const auto variance = sum_over_ranks(centred.square().sum(others)) / n;
  {
    const at::NoGradGuard no_grad;
    running_mean_.lerp_(mean, momentum_);
    running_var_.lerp_(variance * (n / (n - 1)), momentum_);
  }
  return centred * (weight_ * (variance + eps_).rsqrt()).view(shape) + bias_.view(shape);
}

BatchNorm::Affine BatchNorm::affine() const {
  const auto scale = weight_.to(at::kDouble) / (running_var_.to(at::kDouble) + eps_).sqrt();
  return {scale, bias_.to(at::kDouble) - running_mean_.to(at::kDouble) * scale};
}

at::Tensor ConvNorm::forward(const at::Tensor& x, bool relu, const at::Tensor& residual) const {
  // The output is ours alone, so what follows works in place; no backward formula needs the values
  // before.
  auto y = norm->forward(conv->forward(x));
  if (residual.defined()) {
    y.add_(residual);
  }
  return relu ? y.relu_() : y;
}

ResidualBlock::ResidualBlock(const ResidualShape& shape, const at::TensorOptions& tensor)
    : last_relu_(shape.last_relu) {
  using Scale = ResidualShape::Scale;
  const auto resampling = [&](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    switch (shape.scale) {
      case Scale::kDown:
        return ConvShape{in, out, kernel, 2, false};
      case Scale::kUp:
        return ConvShape{in, out, 2, 2, true};
      case Scale::kSame:
        break;
    }
    return ConvShape{in, out, kernel, 1, false};
  };
  std::vector<ConvShape> convolutions;
  if (shape.width == 0) {
    convolutions = {resampling(shape.in, shape.out, 3), {shape.out, shape.out, 3}};
  } else {
    convolutions = {{shape.in, shape.width, 1},
                    resampling(shape.width, shape.width, 3),
                    {shape.width, shape.out, 1}};
  }
  for (std::size_t i = 0; i < convolutions.size(); ++i) {
    const auto number = std::to_string(i + 1);
    main_.push_back(conv_norm(*this, "conv" + number, "bn" + number, convolutions[i], tensor));
  }
  if (shape.scale != Scale::kSame || shape.in != shape.out) {
    const auto name = shape.scale == Scale::kUp ? "upsample" : "downsample";
    const auto both = register_module(name, std::make_shared<torch::nn::Module>());
    shortcut_ = conv_norm(*both, "0", "1", resampling(shape.in, shape.out, 1), tensor);
  }
}

at::Tensor ResidualBlock::forward(const at::Tensor& x) const {
  const auto residual = shortcut_.conv ? shortcut_.forward(x, /*relu=*/false) : x;
  auto y = x;
  for (std::size_t i = 0; i + 1 < main_.size(); ++i) {
    y = main_[i].forward(y, /*relu=*/true);
  }
  return main_.back().forward(y, last_relu_, residual);
}

ResidualLayer::ResidualLayer(const ResidualShape& first,
                             std::int64_t num_blocks,
                             bool last_relu,
                             const at::TensorOptions& tensor) {
  auto shape = first;
  for (std::int64_t i = 0; i < num_blocks; ++i) {
    shape.last_relu = last_relu || i + 1 < num_blocks;
    blocks_.push_back(
        register_module(std::to_string(i), std::make_shared<ResidualBlock>(shape, tensor)));
    shape.in = shape.out;
    shape.scale = ResidualShape::Scale::kSame;
  }
}

at::Tensor ResidualLayer::forward(at::Tensor x) const {
  for (const auto& block : blocks_) {
    x = block->forward(x);
  }
  return x;
}

std::int64_t ResNetShape::channels(std::int64_t layer) const {
  ADB_ASSERT(layer >= 0 && layer <= 4);
  return layer == 0 ? 64 : (width == 0 ? 64 : 256) << (layer - 1);
}

const std::vector<ResNetShape>& resnet_shapes() {
  static const std::vector<ResNetShape> shapes = {{"resnet18", {2, 2, 2, 2}, 0},
                                                  {"resnet34", {3, 4, 6, 3}, 0},
                                                  {"resnet50", {3, 4, 6, 3}, 64},
                                                  {"wide_resnet50_2", {3, 4, 6, 3}, 128}};
  return shapes;
}

const ResNetShape* find_resnet_shape(const std::string& name) {
  for (const auto& shape : resnet_shapes()) {
    if (shape.name == name) {
      return &shape;
    }
  }
  return nullptr;
}

ResNet::ResNet(const ResNetShape& shape, std::int64_t last_layer, const at::TensorOptions& tensor) {
  ADB_ASSERT(last_layer >= 0 && last_layer <= 4);
  stem_ = conv_norm(*this, "conv1", "bn1", {3, shape.channels(0), 7, 2}, tensor);
  for (std::int64_t layer = 1; layer <= last_layer; ++layer) {
    ResidualShape first;
    first.in = shape.channels(layer - 1);
    first.width = shape.width << (layer - 1);
    first.out = shape.channels(layer);
    first.scale = layer == 1 ? ResidualShape::Scale::kSame : ResidualShape::Scale::kDown;
    const auto num_blocks = shape.blocks[static_cast<std::size_t>(layer - 1)];
    layers_.push_back(
        register_module("layer" + std::to_string(layer),
                        std::make_shared<ResidualLayer>(first, num_blocks, true, tensor)));
  }
}

std::vector<at::Tensor> ResNet::forward(const at::Tensor& images) const {
  std::vector<at::Tensor> maps = {stem_.forward(images, /*relu=*/true)};
  for (const auto& layer : layers_) {
    const auto pooled =
        maps.size() == 1 ? at::max_pool2d(maps[0], {3, 3}, {2, 2}, {1, 1}) : maps.back();
    maps.push_back(layer->forward(pooled));
  }
  return maps;
}

void init_residual(const torch::nn::Module& module,
                   const Streams& streams,
                   const std::string& prefix) {
  for (const auto& item : module.named_modules()) {
    if (const auto* conv = item.value()->as<Conv>()) {
      const auto stream = streams.named(prefix + "." + item.key() + ".weight");
      if (conv->transposed()) {
        init::default_weight(conv->weight(), {}, stream);
      } else {
        init::kaiming_fan_out(conv->weight(), stream);
      }
    }
  }
}

}  // namespace adb
