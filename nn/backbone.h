// Frozen convolutional networks as suppliers of feature maps: one interface for every method that
// takes any backbone.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace adb {

struct FeatureLevel {
  std::int64_t stride = 0;
  std::int64_t channels = 0;
};

// What is known of a backbone without building it.
struct BackboneInfo {
  std::string name;                  // "wide_resnet50_2"
  std::vector<FeatureLevel> levels;  // the last feature map of each stride, finest first
  bool relu_outputs =
      true;  // the maps come out of a ReLU: a decoder that rebuilds them ends in one, too
  std::array<float, 3> mean = {
      0.485F, 0.456F, 0.406F};  // input normalisation, per RGB channel of x / 255
  std::array<float, 3> std = {0.229F, 0.224F, 0.225F};

  // throws: Error(kInternal) for a stride without a level
  std::int64_t channels(std::int64_t stride) const;
};

// A frozen network: evaluation mode and no gradients, always. Not thread-safe.
class FeatureBackbone {
 public:
  virtual ~FeatureBackbone() = default;

  // Feature maps of images [B, 3, H, W], normalised: one contiguous [B, C, H / stride, W / stride]
  // for each stride asked for, in that order. Bitwise the same for an image alone, in any batch and
  // at any place.
  virtual std::vector<at::Tensor> features(const at::Tensor& images) = 0;

  // Parameters and buffers under the names of the published checkpoint, as handles: writing into
  // them changes the network. Zeros until they are loaded or drawn (init::random_backbone).
  virtual NamedTensors state() const = 0;

  // Copies a published checkpoint; entries of layers that are not built are dropped.
  //   throws: Error(kWeights) that lists missing, unexpected and mis-shaped names
  virtual void load(const NamedTensors& weights, const std::string& file) = 0;
};

struct BackboneOptions {
  std::vector<std::int64_t> strides;  // which levels; layers behind the deepest one are not built
  at::TensorOptions tensor;           // dtype and device
};

struct BackboneEntry {
  BackboneInfo info;
  std::function<std::unique_ptr<FeatureBackbone>(const BackboneOptions& options)> make;
};

std::vector<std::string> backbone_names();

// throws: Error(kUsage) naming the known backbones
const BackboneInfo& backbone_info(const std::string& name);
std::unique_ptr<FeatureBackbone> make_backbone(const std::string& name,
                                               const BackboneOptions& options);

}  // namespace adb
