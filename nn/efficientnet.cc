#include "nn/efficientnet.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "core/text.h"
#include "nn/conv.h"
#include "nn/frozen.h"
#include "nn/module_state.h"
#include "nn/vit.h"

namespace adb {
namespace {

constexpr double kEps = 1e-3;  // of all batch norms
constexpr std::int64_t kNumClasses = 1000;
constexpr std::int64_t kExpansion = 6;

// A member of the family: widths and depths of the base network are multiplied.
struct Scaling {
  const char* name;
  double width;
  double depth;
  bool lite;  // ReLU6 instead of SiLU, no squeeze-and-excitation; stem, head and the depths of the
              // first and last stage stay as in the base network
};
constexpr std::array kScalings = {Scaling{"tf_efficientnet_b4", 1.4, 1.8, false},
                                  Scaling{"tf_efficientnet_lite0", 1.0, 1.0, true},
                                  Scaling{"tf_efficientnet_lite1", 1.0, 1.1, true},
                                  Scaling{"tf_efficientnet_lite2", 1.1, 1.2, true},
                                  Scaling{"tf_efficientnet_lite3", 1.2, 1.4, true},
                                  Scaling{"tf_efficientnet_lite4", 1.4, 1.8, true}};

struct Stage {
  std::int64_t out;
  std::int64_t num_blocks;
  std::int64_t kernel;
  std::int64_t stride;  // of the first block
};
constexpr std::size_t kNumStages = 7;
constexpr std::array<Stage, kNumStages> kBaseStages = {{{16, 1, 3, 1},
                                                        {24, 2, 3, 2},
                                                        {40, 2, 5, 2},
                                                        {80, 3, 3, 2},
                                                        {112, 3, 5, 1},
                                                        {192, 4, 5, 2},
                                                        {320, 1, 3, 1}}};
constexpr std::int64_t kBaseStem = 32;
constexpr std::int64_t kBaseHead = 1280;

// The last stage at each stride.
struct Level {
  std::int64_t stride;
  std::size_t stage;
};
constexpr std::array kLevels = {Level{2, 0}, Level{4, 1}, Level{8, 2}, Level{16, 4}, Level{32, 6}};

// To the nearest multiple of 8, but not more than a tenth down.
std::int64_t scaled_width(std::int64_t base, double factor) {
  const double wanted = static_cast<double>(base) * factor;
  auto width = std::max<std::int64_t>(8, static_cast<std::int64_t>(wanted + 4) / 8 * 8);
  if (static_cast<double>(width) < 0.9 * wanted) {
    width += 8;
  }
  return width;
}

struct NetworkShape {
  std::string name;
  std::int64_t stem = 0;
  std::array<Stage, kNumStages> stages = {};
  std::int64_t head = 0;
  bool squeeze = false;
  Activation activation = Activation::kNone;
};

NetworkShape shape_of(const Scaling& scaling) {
  NetworkShape shape;
  shape.name = scaling.name;
  shape.squeeze = !scaling.lite;
  shape.activation = scaling.lite ? Activation::kRelu6 : Activation::kSilu;
  shape.stem = scaling.lite ? kBaseStem : scaled_width(kBaseStem, scaling.width);
  shape.head = scaling.lite ? kBaseHead : scaled_width(kBaseHead, scaling.width);
  for (std::size_t s = 0; s < kNumStages; ++s) {
    auto stage = kBaseStages[s];
    stage.out = scaled_width(stage.out, scaling.width);
    if (!scaling.lite || (s > 0 && s + 1 < kNumStages)) {
      stage.num_blocks = static_cast<std::int64_t>(
          std::ceil(static_cast<double>(stage.num_blocks) * scaling.depth));
    }
    shape.stages[s] = stage;
  }
  return shape;
}

NetworkShape shape_of(const std::string& name) {
  for (const auto& scaling : kScalings) {
    if (name == scaling.name) {
      return shape_of(scaling);
    }
  }
  fail(ErrorKind::kInternal, "'{}' is no EfficientNet", name);
}

ConvShape same_conv(std::int64_t in,
                    std::int64_t out,
                    std::int64_t kernel = 1,
                    std::int64_t stride = 1,
                    std::int64_t groups = 1) {
  ConvShape shape{in, out, kernel, stride};
  shape.groups = groups;
  shape.kind = ConvShape::Kind::kTensorFlow;
  return shape;
}

// x * sigmoid(expand(silu(reduce(mean of x over positions)))); works in place.
class SqueezeExcitation : public torch::nn::Module {
 public:
  SqueezeExcitation(std::int64_t channels, std::int64_t squeezed, const at::TensorOptions& tensor) {
    ConvShape shape{channels, squeezed, 1};
    shape.bias = true;
    reduce_ = register_module("conv_reduce", std::make_shared<Conv>(shape, tensor));
    std::swap(shape.in, shape.out);
    expand_ = register_module("conv_expand", std::make_shared<Conv>(shape, tensor));
  }

  at::Tensor forward(at::Tensor x) const {
    auto gate = reduce_->forward(x.mean({2, 3}, /*keepdim=*/true));
    gate = expand_->forward(at::silu_(gate));
    return x.mul_(gate.sigmoid_());
  }

 private:
  std::shared_ptr<Conv> reduce_, expand_;
};

struct BlockShape {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  bool expands = true;  // an inverted residual; else a depthwise-separable convolution
  bool squeeze = false;
  Activation activation = Activation::kNone;
};

// [B,in,H,W] -> expand [B,6 in,H,W] -> depthwise [B,6 in,H/s,W/s] -> squeeze -> project
// [B,out,H/s,W/s] (+ input); without `expands` the depthwise convolution comes first
class Block : public torch::nn::Module {
 public:
  Block(const BlockShape& shape, const at::TensorOptions& tensor)
      : activation_(shape.activation), adds_input_(shape.stride == 1 && shape.in == shape.out) {
    const auto width = shape.expands ? kExpansion * shape.in : shape.in;
    if (shape.expands) {
      expand_ = ConvNorm(*this, "conv_pw", "bn1", same_conv(shape.in, width), kEps, tensor);
    }
    depthwise_ = ConvNorm(*this,
                          "conv_dw",
                          shape.expands ? "bn2" : "bn1",
                          same_conv(width, width, shape.kernel, shape.stride, width),
                          kEps,
                          tensor);
    if (shape.squeeze) {
      // A quarter of the block's input, not of the expanded width.
      squeeze_ =
          register_module("se", std::make_shared<SqueezeExcitation>(width, shape.in / 4, tensor));
    }
    project_ = ConvNorm(*this,
                        shape.expands ? "conv_pwl" : "conv_pw",
                        shape.expands ? "bn3" : "bn2",
                        same_conv(width, shape.out),
                        kEps,
                        tensor);
  }

  at::Tensor forward(const at::Tensor& x) const {
    auto y = depthwise_.forward(expand_ ? expand_.forward(x, activation_) : x, activation_);
    if (squeeze_) {
      y = squeeze_->forward(y);
    }
    return project_.forward(y, Activation::kNone, adds_input_ ? x : at::Tensor());
  }

 private:
  Activation activation_;
  bool adds_input_;
  ConvNorm expand_, depthwise_, project_;
  std::shared_ptr<SqueezeExcitation> squeeze_;
};

}  // namespace

// [B,3,H,W] -> stem [B,.,H/2,W/2] -> stages 0 .. 6 (strides 2, 4, 8, 16, 16, 32, 32) -> head
class EfficientNet : public torch::nn::Module {
 public:
  // Builds the stem and the first `num_stages` stages; the head only behind all of them.
  EfficientNet(const NetworkShape& shape,
               std::size_t num_stages,
               bool head,
               const at::TensorOptions& tensor)
      : shape_(shape) {
    stem_ = ConvNorm(*this, "conv_stem", "bn1", same_conv(3, shape.stem, 3, 2), kEps, tensor);
    const auto blocks = register_module("blocks", std::make_shared<torch::nn::Module>());
    BlockShape block;
    block.in = shape.stem;
    block.squeeze = shape.squeeze;
    block.activation = shape.activation;
    for (std::size_t s = 0; s < num_stages; ++s) {
      const auto stage =
          blocks->register_module(std::to_string(s), std::make_shared<torch::nn::Module>());
      block.out = shape.stages[s].out;
      block.kernel = shape.stages[s].kernel;
      block.stride = shape.stages[s].stride;
      block.expands = s > 0;
      stages_.emplace_back();
      for (std::int64_t i = 0; i < shape.stages[s].num_blocks; ++i) {
        stages_.back().push_back(
            stage->register_module(std::to_string(i), std::make_shared<Block>(block, tensor)));
        block.in = block.out;
        block.stride = 1;
      }
    }
    if (head) {
      ADB_ASSERT(num_stages == kNumStages);
      head_ = ConvNorm(*this, "conv_head", "bn2", same_conv(block.in, shape.head), kEps, tensor);
      classifier_ = register_module("classifier",
                                    std::make_shared<LinearLayer>(shape.head, kNumClasses, tensor));
    }
    freeze(*this);
  }

  // Outputs of the first `count` stages.
  std::vector<at::Tensor> stages(const at::Tensor& images, std::size_t count) const {
    ADB_ASSERT(count <= stages_.size());
    std::vector<at::Tensor> outputs;
    auto x = stem_.forward(images, shape_.activation);
    for (std::size_t s = 0; s < count; ++s) {
      for (const auto& block : stages_[s]) {
        x = block->forward(x);
      }
      outputs.push_back(x);
    }
    return outputs;
  }

  // Last stage's output -> logits.
  at::Tensor classify(const at::Tensor& x) const {
    return classifier_->forward(head_.forward(x, shape_.activation).mean({2, 3}));
  }

  const NetworkShape& shape() const { return shape_; }

 private:
  NetworkShape shape_;
  ConvNorm stem_, head_;
  std::vector<std::vector<std::shared_ptr<Block>>> stages_;
  std::shared_ptr<LinearLayer> classifier_;
};

namespace {

// Entries of EfficientNet-PyTorch under timm's names; others as they are. There, blocks are counted
// through all stages, and the norm behind a block's expansion is bn0.
NamedTensors timm_names(const NamedTensors& weights, const NetworkShape& shape) {
  if (find_tensor(weights, "_conv_stem.weight") == nullptr) {
    return weights;
  }
  const std::map<std::string, std::string> outside = {{"_conv_stem", "conv_stem"},
                                                      {"_bn0", "bn1"},
                                                      {"_conv_head", "conv_head"},
                                                      {"_bn1", "bn2"},
                                                      {"_fc", "classifier"}};
  const std::map<std::string, std::string> squeeze = {{"_se_reduce", "se.conv_reduce"},
                                                      {"_se_expand", "se.conv_expand"}};
  std::map<std::string, std::string> separable = {{"_depthwise_conv", "conv_dw"},
                                                  {"_bn1", "bn1"},
                                                  {"_project_conv", "conv_pw"},
                                                  {"_bn2", "bn2"}};
  std::map<std::string, std::string> inverted = {{"_expand_conv", "conv_pw"},
                                                 {"_bn0", "bn1"},
                                                 {"_depthwise_conv", "conv_dw"},
                                                 {"_bn1", "bn2"},
                                                 {"_project_conv", "conv_pwl"},
                                                 {"_bn2", "bn3"}};
  separable.insert(squeeze.begin(), squeeze.end());
  inverted.insert(squeeze.begin(), squeeze.end());
  // Prefix there -> prefix here.
  std::map<std::string, std::string> prefixes = outside;
  std::int64_t number = 0;
  for (std::size_t s = 0; s < kNumStages; ++s) {
    for (std::int64_t i = 0; i < shape.stages[s].num_blocks; ++i, ++number) {
      for (const auto& [from, to] : s == 0 ? separable : inverted) {
        prefixes["_blocks." + std::to_string(number) + "." + from] =
            "blocks." + std::to_string(s) + "." + std::to_string(i) + "." + to;
      }
    }
  }
  NamedTensors renamed;
  for (const auto& [name, tensor] : weights) {
    const auto dot = name.rfind('.');
    const auto found = prefixes.find(name.substr(0, dot));
    renamed.emplace_back(found == prefixes.end() || dot == std::string::npos
                             ? name
                             : found->second + name.substr(dot),
                         tensor);
  }
  return renamed;
}

const Level& level_of(std::int64_t stride) {
  const auto* const found = std::find_if(
      kLevels.begin(), kLevels.end(), [&](const Level& level) { return level.stride == stride; });
  ADB_CHECK(found != kLevels.end(),
            ErrorKind::kInternal,
            "an EfficientNet has no feature map of stride {}",
            stride);
  return *found;
}

class EfficientNetBackbone final : public FeatureBackbone {
 public:
  EfficientNetBackbone(const NetworkShape& shape, const BackboneOptions& options, bool whole) {
    ADB_ASSERT(!options.strides.empty());
    for (const auto stride : options.strides) {
      wanted_.push_back(level_of(stride).stage);
    }
    num_run_ = *std::max_element(wanted_.begin(), wanted_.end()) + 1;
    num_built_ = whole ? kNumStages : num_run_;
    network_ = std::make_shared<EfficientNet>(shape, num_built_, /*head=*/false, options.tensor);
    state_ = module_state(*network_);
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    const at::NoGradGuard no_grad;
    // One image at a time: kernels choose their blocking by the batch size.
    return frozen_by_image([this](const at::Tensor& image) { return run(image); }, images);
  }

  NamedTensors state() const override { return state_; }

  void load(const NamedTensors& weights, const std::string& file) override {
    LoadRules rules{{"conv_head.", "bn2.", "classifier."}};
    for (auto s = num_built_; s < kNumStages; ++s) {
      rules.drop_prefixes.push_back("blocks." + std::to_string(s) + ".");
    }
    load_weights(state_, timm_names(weights, network_->shape()), file, rules);
  }

 private:
  std::vector<at::Tensor> run(const at::Tensor& image) const {
    const auto outputs = network_->stages(image, num_run_);
    std::vector<at::Tensor> maps;
    for (const auto stage : wanted_) {
      maps.push_back(outputs[stage]);
    }
    return maps;
  }

  std::vector<std::size_t> wanted_;  // stages whose outputs are asked for
  std::size_t num_run_ = 0;
  std::size_t num_built_ = 0;
  std::shared_ptr<EfficientNet> network_;
  NamedTensors state_;
};

}  // namespace

std::vector<BackboneEntry> efficientnet_backbones() {
  std::vector<BackboneEntry> entries;
  for (const auto& scaling : kScalings) {
    const auto shape = shape_of(scaling);
    BackboneEntry entry;
    entry.info.name = shape.name;
    for (const auto& level : kLevels) {
      entry.info.levels.push_back({level.stride, shape.stages[level.stage].out});
    }
    entry.info.relu_outputs = false;
    if (scaling.lite) {
      // Trained on (x - 127) / 128 of 8-bit values.
      entry.info.mean.fill(127.0F / 255.0F);
      entry.info.std.fill(128.0F / 255.0F);
    }
    entry.make = [shape](const BackboneOptions& options) {
      return std::make_unique<EfficientNetBackbone>(shape, options, /*whole=*/false);
    };
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::unique_ptr<FeatureBackbone> make_whole_efficientnet(const std::string& name,
                                                         const BackboneOptions& options) {
  return std::make_unique<EfficientNetBackbone>(shape_of(name), options, /*whole=*/true);
}

EfficientNetClassifier::EfficientNetClassifier(const std::string& name,
                                               const at::TensorOptions& tensor)
    : network_(std::make_shared<EfficientNet>(shape_of(name), kNumStages, /*head=*/true, tensor)) {}

EfficientNetClassifier::Output EfficientNetClassifier::forward(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  const auto outputs = network_->stages(images, kNumStages);
  Output result;
  for (const auto& level : kLevels) {
    result.levels.push_back(outputs[level.stage]);
  }
  result.logits = network_->classify(outputs.back());
  return result;
}

NamedTensors EfficientNetClassifier::state() const {
  return module_state(*network_);
}

void EfficientNetClassifier::load(const NamedTensors& weights, const std::string& file) const {
  load_weights(state(), timm_names(weights, network_->shape()), file, {});
}

}  // namespace adb
