// Residual networks as modules with torchvision's names: the blocks of He et al. (2016), their
// mirror images that enlarge by a transposed convolution, and ResNets built of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "nn/conv.h"

namespace adb {

// A 3 x 3 residual block: basic (width 0) or bottleneck, where `width` is that of its 3 x 3
// convolution.
//   kDown: stride 2 at the first (basic) or middle (bottleneck) convolution; kUp: a transposed one
//   in its place
struct ResidualShape {
  enum class Scale { kSame, kDown, kUp };
  std::int64_t in = 0;
  std::int64_t width = 0;
  std::int64_t out = 0;
  Scale scale = Scale::kSame;
  bool last_relu = true;  // after the addition
};

// [B, in, H, W] -> [B, out, H', W'], H' = H, H / 2 or 2 H. The shortcut is the identity, or
// `downsample` or `upsample` (convolution and norm) where size or channels change.
class ResidualBlock : public torch::nn::Module {
 public:
  ResidualBlock(const ResidualShape& shape, const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::vector<ConvNorm> main_;
  ConvNorm shortcut_;  // without modules: the identity
  bool last_relu_;
};

// Blocks in a row, named 0, 1, ...; the first one is `first`, the others keep its output's size and
// channels.
class ResidualLayer : public torch::nn::Module {
 public:
  // `last_relu` is that of the last block; all others end in a ReLU.
  ResidualLayer(const ResidualShape& first,
                std::int64_t num_blocks,
                bool last_relu,
                const at::TensorOptions& tensor);
  at::Tensor forward(at::Tensor x) const;

 private:
  std::vector<std::shared_ptr<ResidualBlock>> blocks_;
};

struct ResNetShape {
  std::string name;
  std::array<std::int64_t, 4> blocks = {};  // of layer1 .. layer4
  std::int64_t width = 0;  // of layer1's 3 x 3 convolutions in bottleneck blocks, doubled at each
                           // layer; 0: basic blocks

  // Channels behind layer `layer` (1 .. 4); layer 0 is the stem.
  std::int64_t channels(std::int64_t layer) const;
};

// resnet18, resnet34, resnet50, wide_resnet50_2.
const std::vector<ResNetShape>& resnet_shapes();
// The one of this name, or nullptr.
const ResNetShape* find_resnet_shape(const std::string& name);

// [B,3,H,W] -> stem [B,64,H/2,W/2] -> max pool -> layer1 (H/4) -> layer2 (H/8) -> layer3 (H/16) ->
// layer4 (H/32)
class ResNet : public torch::nn::Module {
 public:
  // Builds the stem and the layers 1 .. last_layer.
  ResNet(const ResNetShape& shape, std::int64_t last_layer, const at::TensorOptions& tensor);
  // Outputs of the stem and of each layer, all after a ReLU.
  std::vector<at::Tensor> forward(const at::Tensor& images) const;

 private:
  ConvNorm stem_;
  std::vector<std::shared_ptr<ResidualLayer>> layers_;
};

// Draws the convolutions of `module`: Kaiming normal by fan-out, transposed ones PyTorch's default
// (uniform). Batch norms are 1 / 0 from the start. The stream of each weight is "PREFIX.NAME".
void init_residual(const torch::nn::Module& module,
                   const Streams& streams,
                   const std::string& prefix);

}  // namespace adb
