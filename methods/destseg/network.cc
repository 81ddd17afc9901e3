#include "methods/destseg/network.h"

#include "core/error.h"
#include "nn/image_losses.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "nn/shared_batch.h"

namespace adb::destseg {
namespace {

constexpr double kNormEps = 1e-12;  // of normalised features
constexpr double kBatchNormEps = 1e-5;
constexpr std::int64_t kWidth = 256;    // of the segmentation network
constexpr std::int64_t kDeepest = 512;  // channels behind the student's encoder
constexpr std::int64_t kNumBlocks = 2;  // of every residual layer
const std::vector<std::int64_t> kStrides = {4, 8, 16};
const std::vector<std::int64_t> kDilations = {6, 12, 18};

void tell(const Tap& tap, const std::string& name, const at::Tensor& output) {
  if (tap) {
    tap(name, output);
  }
}

// Bilinear resize to the height and width of `like`.
at::Tensor resized(const at::Tensor& x, const at::Tensor& like) {
  if (x.size(2) == like.size(2) && x.size(3) == like.size(3)) {
    return x;
  }
  return at::upsample_bilinear2d(x, {like.size(2), like.size(3)}, /*align_corners=*/false);
}

std::shared_ptr<ResidualLayer> residual_layer(std::int64_t in,
                                              std::int64_t out,
                                              bool last_relu,
                                              const at::TensorOptions& tensor) {
  ResidualShape first;
  first.in = in;
  first.out = out;
  return std::make_shared<ResidualLayer>(first, kNumBlocks, last_relu, tensor);
}

// Convolution, batch norm, ReLU.
class ConvNormRelu : public torch::nn::Module {
 public:
  ConvNormRelu(const ConvShape& shape, const at::TensorOptions& tensor)
      : unit_(*this, "conv", "norm", shape, kBatchNormEps, tensor) {}
  at::Tensor forward(const at::Tensor& x) const { return unit_.forward(x, Activation::kRelu); }

 private:
  ConvNorm unit_;
};

// Looks at [B,256,H,W] with four fields of view, side by side: the whole image's mean, and 3 x 3
// convolutions of three dilations -> [B,1024,H,W] -> fused [B,256,H,W]
class PyramidPooling : public torch::nn::Module {
 public:
  explicit PyramidPooling(const at::TensorOptions& tensor) {
    const auto list =
        register_module("aspp_feature_extractors", std::make_shared<torch::nn::Module>());
    const auto pooled = list->register_module("0", std::make_shared<torch::nn::Module>());
    ConvShape shape{kWidth, kWidth, 1};
    whole_image_ = pooled->register_module("1", std::make_shared<ConvNormRelu>(shape, tensor));
    shape.kernel = 3;
    for (const auto dilation : kDilations) {
      shape.dilation = dilation;
      dilated_.push_back(list->register_module(std::to_string(dilated_.size() + 1),
                                               std::make_shared<ConvNormRelu>(shape, tensor)));
    }
    const ConvShape fused{kWidth * static_cast<std::int64_t>(1 + kDilations.size()), kWidth};
    fusion_ = register_module("aspp_fusion_layer", std::make_shared<ConvNormRelu>(fused, tensor));
  }

  at::Tensor forward(const at::Tensor& x, const std::string& name, const Tap& tap) const {
    const auto branch = name + ".aspp_feature_extractors.";
    const auto mean = whole_image_->forward(x.mean({2, 3}, /*keepdim=*/true));
    tell(tap, branch + "0", mean);
    std::vector<at::Tensor> views = {mean.expand({-1, -1, x.size(2), x.size(3)})};
    for (std::size_t i = 0; i < dilated_.size(); ++i) {
      views.push_back(dilated_[i]->forward(x));
      tell(tap, branch + std::to_string(i + 1), views.back());
    }
    return fusion_->forward(at::cat(views, 1));
  }

 private:
  std::shared_ptr<ConvNormRelu> whole_image_, fusion_;
  std::vector<std::shared_ptr<ConvNormRelu>> dilated_;
};

}  // namespace

class Head : public torch::nn::Module {
 public:
  explicit Head(const at::TensorOptions& tensor)
      : pooling_(register_module("0", std::make_shared<PyramidPooling>(tensor))),
        unit_(*this, "1", "2", {kWidth, kWidth}, kBatchNormEps, tensor) {
    ConvShape last{kWidth, 1, 1};
    last.bias = true;
    last_ = register_module("4", std::make_shared<Conv>(last, tensor));
  }

  at::Tensor forward(const at::Tensor& x, const std::string& name, const Tap& tap) const {
    const auto pooled = pooling_->forward(x, name + ".0", tap);
    tell(tap, name + ".0", pooled);
    return last_->forward(unit_.forward(pooled, Activation::kRelu));
  }

 private:
  std::shared_ptr<PyramidPooling> pooling_;
  ConvNorm unit_;
  std::shared_ptr<Conv> last_;
};

Student::Student(const DestsegOptions& options,
                 const std::array<std::int64_t, kNumLevels>& channels,
                 bool relu_outputs,
                 const at::TensorOptions& tensor) {
  encoder_ = register_module("encoder",
                             std::make_shared<ResNet>(*find_resnet_shape("resnet18"), 4, tensor));
  if (!options.encoder_decoder_student) {
    return;
  }
  decoder_.push_back(
      register_module("decoder_layer4", residual_layer(kDeepest, kDeepest, true, tensor)));
  std::int64_t in = kDeepest;
  for (std::size_t k = kNumLevels; k-- > 0;) {
    decoder_.push_back(register_module(fmt::format("decoder_layer{}", k + 1),
                                       residual_layer(in, channels[k], relu_outputs, tensor)));
    in = channels[k];
  }
}

Levels Student::forward(const at::Tensor& images, const Tap& tap) const {
  const auto encoded = encoder_->forward(images);  // stem, layer1 .. layer4
  for (std::size_t layer = 1; layer < encoded.size(); ++layer) {
    tell(tap, fmt::format("student_net.encoder.layer{}", layer), encoded[layer]);
  }
  if (decoder_.empty()) {
    return {encoded[1], encoded[2], encoded[3]};
  }
  auto x = decoder_.front()->forward(encoded.back());
  tell(tap, "student_net.decoder_layer4", x);
  Levels levels;
  for (std::size_t k = kNumLevels; k-- > 0;) {
    x = decoder_[kNumLevels - k]->forward(resized(x, encoded[k + 1]));
    tell(tap, fmt::format("student_net.decoder_layer{}", k + 1), x);
    levels[k] = x;
  }
  return levels;
}

void Student::initialise(const Streams& streams, const std::string& prefix) const {
  init_residual(*this, streams, prefix);
  // The encoder's blocks start as their shortcuts; the decoder's do not.
  for (const auto& [name, parameter] : module_parameters(*encoder_)) {
    if (name.ends_with(".bn2.weight")) {
      init::constant(parameter, 0);
    }
  }
}

Segmentation::Segmentation(std::int64_t in, const at::TensorOptions& tensor)
    : res_(register_module("res", residual_layer(in, kWidth, true, tensor))),
      head_(register_module("head", std::make_shared<Head>(tensor))) {}

at::Tensor Segmentation::forward(const at::Tensor& input, const Tap& tap) const {
  // At one value per channel the pooling branch's variance is 0 / 0.
  ADB_CHECK(!is_training() || input.size(0) * ranks_sharing() > 1,
            ErrorKind::kInternal,
            "destseg: the segmentation network cannot be trained on a batch of one image");
  const auto x = res_->forward(input);
  tell(tap, "segmentation_net.res", x);
  return head_->forward(x, "segmentation_net.head", tap);
}

void Segmentation::initialise(const Streams& streams, const std::string& prefix) const {
  init_residual(*res_, streams, prefix + ".res");
  for (const auto& item : head_->named_modules()) {
    if (const auto* conv = item.value()->as<Conv>()) {
      init::default_weight(
          conv->weight(), conv->bias(), streams.named(prefix + ".head." + item.key() + ".weight"));
    }
  }
}

Network::Network(const DestsegOptions& options, const at::TensorOptions& tensor)
    : teacher(make_backbone(options.backbone, {kStrides, tensor})) {
  const auto& info = backbone_info(options.backbone);
  std::array<std::int64_t, kNumLevels> channels = {};
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < kNumLevels; ++k) {
    channels[k] = info.channels(kStrides[k]);
    sum += channels[k];
  }
  student = std::make_shared<Student>(options, channels, info.relu_outputs, tensor);
  segmentation = std::make_shared<Segmentation>(sum, tensor);
}

Levels Network::teach(const at::Tensor& images) const {
  const auto maps = teacher->features(images);
  return {maps[0], maps[1], maps[2]};
}

void Network::set_modes(const Modes& modes) const {
  student->train(modes.student);
  segmentation->train(modes.segmentation);
}

void Network::set_momentum(double momentum) const {
  set_norm_momentum(*student, momentum);
  set_norm_momentum(*segmentation, momentum);
}

void Network::initialise(const Streams& streams) const {
  init::random_backbone(teacher->state(), streams, "init.destseg.teacher_net.encoder");
  student->initialise(streams, "init.destseg.student_net");
  segmentation->initialise(streams, "init.destseg.segmentation_net");
}

NamedTensors Network::student_parameters() const {
  return module_parameters(*student, "student_net.");
}

NamedTensors Network::segmentation_parameters() const {
  return module_parameters(*segmentation, "segmentation_net.");
}

NamedTensors Network::state() const {
  NamedTensors state;
  for (const auto& [name, tensor] : teacher->state()) {
    state.emplace_back("teacher_net.encoder." + name, tensor);
  }
  for (const auto& part :
       {module_state(*student, "student_net."), module_state(*segmentation, "segmentation_net.")}) {
    state.insert(state.end(), part.begin(), part.end());
  }
  return state;
}

at::Tensor normalised(const at::Tensor& features) {
  // This norm's backward formula has 0 at 0, where that of a square root has infinity.
  return features /
         (at::linalg_vector_norm(features, 2, std::vector<std::int64_t>{1}, /*keepdim=*/true) +
          kNormEps);
}

Levels cosine_maps(const Levels& student, const Levels& teacher) {
  Levels maps;
  for (std::size_t k = 0; k < kNumLevels; ++k) {
    maps[k] = 1 - (normalised(student[k]) * normalised(teacher[k])).sum(1, /*keepdim=*/true);
  }
  return maps;
}

at::Tensor segmentation_input(const Levels& student, const Levels& teacher) {
  std::vector<at::Tensor> products;
  for (std::size_t k = 0; k < kNumLevels; ++k) {
    const auto product = -(normalised(teacher[k]) * normalised(student[k]));
    products.push_back(resized(product, teacher[0]));
  }
  return at::cat(products, 1);
}

at::Tensor cosine_product(const Levels& maps) {
  return maps[0] * resized(maps[1], maps[0]) * resized(maps[2], maps[0]);
}

at::Tensor mask_at(const at::Tensor& mask, const at::Tensor& like) {
  return (resized(mask, like) >= 0.5).to(like.options());
}

at::Tensor student_loss(const Levels& cosine_maps) {
  auto loss = at::zeros({}, cosine_maps[0].options());
  for (const auto& map : cosine_maps) {
    loss = loss + map.mean({1, 2, 3}).sum();
  }
  return loss;
}

SegmentationLosses segmentation_losses(const at::Tensor& probability,
                                       const at::Tensor& mask,
                                       double gamma) {
  return {(probability - mask).abs().mean(), sigmoid_focal_loss(probability, mask, gamma)};
}

}  // namespace adb::destseg
