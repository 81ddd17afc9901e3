#include "nn/resnet.h"

#include <algorithm>

#include <torch/torch.h>

#include "core/error.h"
#include "nn/frozen.h"
#include "nn/module_state.h"
#include "nn/residual.h"

namespace adb {
namespace {

constexpr std::array<std::int64_t, 5> kStrides = {
    2, 4, 8, 16, 32};  // behind layer 0 (the stem) .. 4

std::int64_t layer_of(std::int64_t stride) {
  const auto* const found = std::find(kStrides.begin(), kStrides.end(), stride);
  ADB_CHECK(found != kStrides.end(),
            ErrorKind::kInternal,
            "a ResNet has no feature map of stride {}",
            stride);
  return found - kStrides.begin();
}

class ResNetBackbone final : public FeatureBackbone {
 public:
  ResNetBackbone(const ResNetShape& shape, const BackboneOptions& options) {
    ADB_ASSERT(!options.strides.empty());
    for (const auto stride : options.strides) {
      layers_.push_back(layer_of(stride));
    }
    last_layer_ = *std::max_element(layers_.begin(), layers_.end());
    network_ = std::make_shared<ResNet>(shape, last_layer_, options.tensor);
    freeze(*network_);
    state_ = module_state(*network_);
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    const at::NoGradGuard no_grad;
    // One image at a time: with LibTorch's CPU kernels a batch of 2 to 16 gives other bits than a
    // single image at some sizes (64 px).
    return frozen_by_image([this](const at::Tensor& image) { return run(image); }, images);
  }

  NamedTensors state() const override { return state_; }

  void load(const NamedTensors& weights, const std::string& file) override {
    LoadRules rules{{"fc."}};
    for (auto layer = last_layer_ + 1; layer <= 4; ++layer) {
      rules.drop_prefixes.push_back("layer" + std::to_string(layer) + ".");
    }
    load_weights(state_, weights, file, rules);
  }

 private:
  std::vector<at::Tensor> run(const at::Tensor& images) const {
    const auto maps = network_->forward(images);
    std::vector<at::Tensor> asked;
    for (const auto layer : layers_) {
      asked.push_back(maps[static_cast<std::size_t>(layer)]);
    }
    return asked;
  }

  std::vector<std::int64_t> layers_;  // asked for
  std::int64_t last_layer_ = 0;
  std::shared_ptr<ResNet> network_;
  NamedTensors state_;
};

}  // namespace

std::vector<BackboneEntry> resnet_backbones() {
  std::vector<BackboneEntry> entries;
  for (const auto& shape : resnet_shapes()) {
    BackboneEntry entry;
    entry.info.name = shape.name;
    for (std::size_t layer = 0; layer < kStrides.size(); ++layer) {
      entry.info.levels.push_back(
          {kStrides[layer], shape.channels(static_cast<std::int64_t>(layer))});
    }
    entry.make = [shape](const BackboneOptions& options) {
      return std::make_unique<ResNetBackbone>(shape, options);
    };
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace adb
