// EfficientNet-b4 and the EfficientNet-Lite family as frozen backbones (Tan, Le 2019; cards uniad,
// section 3, and efficientnet-lite).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/backbone.h"

namespace adb {

// tf_efficientnet_b4 and tf_efficientnet_lite0 .. lite4 with timm's parameter names. Strides 2, 4,
// 8, 16, 32: the outputs of stages 0, 1, 2, 4, 6, which end in a norm without activation.
// Checkpoints may also have the names of the EfficientNet-PyTorch packages (`_blocks.5._bn0.bias`).
std::vector<BackboneEntry> efficientnet_backbones();

// As make_backbone gives it, but with all stages: those behind the deepest stride asked for are
// loaded and part of the state, and never run. For models whose published state holds them.
//   throws: Error(kInternal) for a name that is none of efficientnet_backbones
std::unique_ptr<FeatureBackbone> make_whole_efficientnet(const std::string& name,
                                                         const BackboneOptions& options);

class EfficientNet;

// The network with its head of 1000 ImageNet classes: what published outputs are compared with.
class EfficientNetClassifier {
 public:
  // throws: Error(kInternal) for a name that is none of efficientnet_backbones
  EfficientNetClassifier(const std::string& name, const at::TensorOptions& tensor);

  struct Output {
    std::vector<at::Tensor> levels;  // strides 2, 4, 8, 16, 32: [B, C, H / stride, W / stride]
    at::Tensor logits;               // [B, 1000]
  };
  // images: [B, 3, H, W], normalised
  Output forward(const at::Tensor& images) const;

  NamedTensors state() const;
  // throws: Error(kWeights), as FeatureBackbone::load
  void load(const NamedTensors& weights, const std::string& file) const;

 private:
  std::shared_ptr<EfficientNet> network_;
};

}  // namespace adb
