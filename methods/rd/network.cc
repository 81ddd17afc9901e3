#include "methods/rd/network.h"

#include "core/error.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::rd {
namespace {

const std::vector<std::int64_t> kStrides = {4, 8, 16};
constexpr double kEps = 1e-5;  // of all batch norms

ConvNorm reducing(torch::nn::Module& owner,
                  int number,
                  std::int64_t in,
                  std::int64_t out,
                  const at::TensorOptions& tensor) {
  return {owner,
          fmt::format("conv{}", number),
          fmt::format("bn{}", number),
          {in, out, 3, 2},
          kEps,
          tensor};
}

}  // namespace

Shape shape_for(const RdOptions& options) {
  const auto& info = backbone_info(options.backbone);
  Shape shape;
  for (std::size_t k = 0; k < kNumScales; ++k) {
    shape.channels[k] = info.channels(kStrides[k]);
  }
  shape.embedding_channels = 2 * shape.channels[2];
  shape.relu_outputs = info.relu_outputs;
  shape.unused_conv4 = options.bottleneck_has_unused_conv4_bn4;
  // The rule for any convolutional backbone (card section 3.5); it gives the published ResNet-18
  // network as well.
  shape.embedding_blocks = 2;
  shape.decoder_blocks = {2, 2, 2};
  if (const auto* resnet = find_resnet_shape(options.backbone)) {
    // The published networks repeat the encoder's block counts in decoder order: they are not
    // mirrored.
    shape.decoder_blocks = {resnet->blocks[0], resnet->blocks[1], resnet->blocks[2]};
    shape.embedding_blocks = resnet->blocks[3];
    if (resnet->width > 0) {
      shape.embedding_width = 8 * options.bottleneck_width_per_group;
      shape.decoder_widths = {4 * resnet->width, 2 * resnet->width, resnet->width};
    }
  }
  return shape;
}

Bottleneck::Bottleneck(const Shape& shape, const at::TensorOptions& tensor) {
  const auto [c1, c2, c3] = shape.channels;
  first1_ = reducing(*this, 1, c1, c2, tensor);
  second1_ = reducing(*this, 2, c2, c3, tensor);
  first2_ = reducing(*this, 3, c2, c3, tensor);
  if (shape.unused_conv4) {
    ConvNorm(*this, "conv4", "bn4", {4 * c3, shape.embedding_channels, 1, 1}, kEps, tensor);
  }
  ResidualShape first;
  first.in = 3 * c3;
  first.width = shape.embedding_width;
  first.out = shape.embedding_channels;
  first.scale = ResidualShape::Scale::kDown;
  embedding_ = register_module(
      "bn_layer",
      std::make_shared<ResidualLayer>(first, shape.embedding_blocks, /*last_relu=*/true, tensor));
}

Bottleneck::Output Bottleneck::forward(const Scales& features) const {
  Output out;
  constexpr auto kRelu = Activation::kRelu;
  out.reduced1 = second1_.forward(first1_.forward(features[0], kRelu), kRelu);
  out.reduced2 = first2_.forward(features[1], kRelu);
  out.embedding = embedding_->forward(at::cat({out.reduced1, out.reduced2, features[2]}, 1));
  return out;
}

Decoder::Decoder(const Shape& shape, const at::TensorOptions& tensor) {
  ResidualShape first;
  first.in = shape.embedding_channels;
  first.scale = ResidualShape::Scale::kUp;
  for (std::size_t i = 0; i < kNumScales; ++i) {
    first.width = shape.decoder_widths[i];
    first.out = shape.channels[kNumScales - 1 - i];
    layers_.push_back(
        register_module(fmt::format("layer{}", i + 1),
                        std::make_shared<ResidualLayer>(
                            first, shape.decoder_blocks[i], shape.relu_outputs, tensor)));
    first.in = first.out;
  }
}

Scales Decoder::forward(const at::Tensor& embedding) const {
  Scales rebuilt;
  auto x = embedding;
  for (std::size_t i = 0; i < kNumScales; ++i) {
    x = layers_[i]->forward(x);
    rebuilt[kNumScales - 1 - i] = x;
  }
  return rebuilt;
}

Network::Network(const RdOptions& options, const at::TensorOptions& tensor)
    : encoder(make_backbone(options.backbone, {kStrides, tensor})) {
  const auto shape = shape_for(options);
  bottleneck = std::make_shared<Bottleneck>(shape, tensor);
  decoder = std::make_shared<Decoder>(shape, tensor);
}

Scales Network::encode(const at::Tensor& images) const {
  const auto maps = encoder->features(images);
  return {maps[0], maps[1], maps[2]};
}

void Network::train(bool on) const {
  bottleneck->train(on);
  decoder->train(on);
}

void Network::initialise(const Streams& streams) const {
  init::random_backbone(encoder->state(), streams, "init.rd.encoder");
  init_residual(*bottleneck, streams, "init.rd.bn");
  init_residual(*decoder, streams, "init.rd.decoder");
}

NamedTensors Network::trained() const {
  auto parameters = module_parameters(*bottleneck, "bn.");
  const auto more = module_parameters(*decoder, "decoder.");
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

NamedTensors Network::state() const {
  NamedTensors state;
  for (const auto& [name, tensor] : encoder->state()) {
    state.emplace_back("encoder." + name, tensor);
  }
  for (const auto& part : {module_state(*bottleneck, "bn."), module_state(*decoder, "decoder.")}) {
    state.insert(state.end(), part.begin(), part.end());
  }
  return state;
}

Scales scale_losses(const std::string& kind, const Scales& features, const Scales& rebuilt) {
  Scales losses;
  for (std::size_t k = 0; k < kNumScales; ++k) {
    losses[k] = feature_loss(kind, features[k], rebuilt[k]);
  }
  return losses;
}

AnomalyMaps anomaly_maps(const RdOptions& options, const Scales& features, const Scales& rebuilt) {
  AnomalyMaps maps;
  for (std::size_t k = 0; k < kNumScales; ++k) {
    maps.by_scale[k] = upsample_maps(
        cosine_distance(features[k], rebuilt[k]), options.image_size, /*align_corners=*/true);
  }
  maps.raw = maps.by_scale[0] + maps.by_scale[1] + maps.by_scale[2];
  if (options.map == "sum/9") {
    maps.raw = maps.raw / 9;
  }
  maps.smooth =
      options.sigma > 0 ? gaussian_smooth(maps.raw, options.sigma) : maps.raw.to(at::kDouble);
  return maps;
}

}  // namespace adb::rd
