#include "nn/residual.h"

#include "core/error.h"
#include "nn/init.h"

namespace adb {
namespace {

constexpr double kEps = 1e-5;

}  // namespace

ResidualBlock::ResidualBlock(const ResidualShape& shape, const at::TensorOptions& tensor)
    : last_relu_(shape.last_relu) {
  using Scale = ResidualShape::Scale;
  const auto resampling = [&](std::int64_t in, std::int64_t out, std::int64_t kernel) {
    ConvShape conv{in, out, kernel};
    if (shape.scale == Scale::kUp) {
      conv.kernel = 2;
      conv.kind = ConvShape::Kind::kTransposed;
    }
    conv.stride = shape.scale == Scale::kSame ? 1 : 2;
    return conv;
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
    main_.emplace_back(*this, "conv" + number, "bn" + number, convolutions[i], kEps, tensor);
  }
  if (shape.scale != Scale::kSame || shape.in != shape.out) {
    const auto name = shape.scale == Scale::kUp ? "upsample" : "downsample";
    const auto both = register_module(name, std::make_shared<torch::nn::Module>());
    shortcut_ = ConvNorm(*both, "0", "1", resampling(shape.in, shape.out, 1), kEps, tensor);
  }
}

at::Tensor ResidualBlock::forward(const at::Tensor& x) const {
  const auto residual = shortcut_ ? shortcut_.forward(x, Activation::kNone) : x;
  auto y = x;
  for (std::size_t i = 0; i + 1 < main_.size(); ++i) {
    y = main_[i].forward(y, Activation::kRelu);
  }
  return main_.back().forward(y, last_relu_ ? Activation::kRelu : Activation::kNone, residual);
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
  stem_ = ConvNorm(*this, "conv1", "bn1", {3, shape.channels(0), 7, 2}, kEps, tensor);
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
  std::vector<at::Tensor> maps = {stem_.forward(images, Activation::kRelu)};
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
      if (conv->shape().kind == ConvShape::Kind::kTransposed) {
        init::default_weight(conv->weight(), {}, stream);
      } else {
        init::kaiming_fan_out(conv->weight(), stream);
      }
    }
  }
}

}  // namespace adb
