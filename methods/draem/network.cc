#include "methods/draem/network.h"

#include <array>
#include <cmath>

#include "core/error.h"
#include "nn/image_losses.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::draem {
namespace {

constexpr double kNormEps = 1e-5;

at::Tensor halved(const at::Tensor& x) {
  return at::max_pool2d(x, 2);
}

void tell(const Tap& tap, const std::string& name, const at::Tensor& output) {
  if (tap) {
    tap(name, output);
  }
}

Tap with_prefix(const std::string& prefix, const Tap& tap) {
  if (!tap) {
    return {};
  }
  return [prefix, &tap](const std::string& name, const at::Tensor& output) {
    tap(prefix + name, output);
  };
}

}  // namespace

namespace {

ConvShape biased(std::int64_t in, std::int64_t out) {
  ConvShape shape{in, out};
  shape.bias = true;
  shape.channels_last = false;
  return shape;
}

// Convolution, batch norm, ReLU. The bias is idle before a batch norm, but published checkpoints
// and parameter counts have it.
class ConvNormRelu {
 public:
  ConvNormRelu(torch::nn::Module& owner,
               int first_index,
               std::int64_t in,
               std::int64_t out,
               const at::TensorOptions& tensor)
      : unit_(owner,
              std::to_string(first_index),
              std::to_string(first_index + 1),
              biased(in, out),
              kNormEps,
              tensor) {}
  at::Tensor forward(const at::Tensor& x) const { return unit_.forward(x, Activation::kRelu); }

 private:
  ConvNorm unit_;
};

// The last convolution, as member "0" of "fin_out".
std::shared_ptr<Conv> output_conv(torch::nn::Module& owner,
                                  std::int64_t in,
                                  std::int64_t out,
                                  const at::TensorOptions& tensor) {
  auto group = owner.register_module("fin_out", std::make_shared<torch::nn::Module>());
  return group->register_module("0", std::make_shared<Conv>(biased(in, out), tensor));
}

}  // namespace

class Double : public torch::nn::Module {
 public:
  Double(std::int64_t in, std::int64_t middle, std::int64_t out, const at::TensorOptions& tensor)
      : first_(*this, 0, in, middle, tensor), second_(*this, 3, middle, out, tensor) {}
  at::Tensor forward(const at::Tensor& x) const { return second_.forward(first_.forward(x)); }

 private:
  ConvNormRelu first_, second_;
};

class Up : public torch::nn::Module {
 public:
  Up(std::int64_t in, std::int64_t out, const at::TensorOptions& tensor)
      : unit_(*this, 1, in, out, tensor) {}
  at::Tensor forward(const at::Tensor& x) const {
    return unit_.forward(
        at::upsample_bilinear2d(x, {2 * x.size(2), 2 * x.size(3)}, /*align_corners=*/true));
  }

 private:
  ConvNormRelu unit_;
};

Reconstructive::Reconstructive(std::int64_t base_width, const at::TensorOptions& tensor) {
  const auto b = base_width;
  auto encoder = register_module("encoder", std::make_shared<torch::nn::Module>());
  auto decoder = register_module("decoder", std::make_shared<torch::nn::Module>());
  std::int64_t in = 3;
  for (const auto out : {b, 2 * b, 4 * b, 8 * b, 8 * b}) {
    blocks_.push_back(encoder->register_module(fmt::format("block{}", blocks_.size() + 1),
                                               std::make_shared<Double>(in, out, out, tensor)));
    in = out;
  }
  for (const auto out : {4 * b, 2 * b, b, b}) {
    const auto number = ups_.size() + 1;
    ups_.push_back(decoder->register_module(fmt::format("up{}", number),
                                            std::make_shared<Up>(in, in, tensor)));
    doubles_.push_back(decoder->register_module(fmt::format("db{}", number),
                                                std::make_shared<Double>(in, in, out, tensor)));
    in = out;
  }
  out_ = output_conv(*decoder, in, 3, tensor);
}

at::Tensor Reconstructive::forward(at::Tensor x, const Tap& tap) const {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i]->forward(i == 0 ? x : halved(x));
    tell(tap, fmt::format("encoder.block{}", i + 1), x);
  }
  for (std::size_t i = 0; i < ups_.size(); ++i) {
    x = ups_[i]->forward(x);
    tell(tap, fmt::format("decoder.up{}", i + 1), x);
    x = doubles_[i]->forward(x);
    tell(tap, fmt::format("decoder.db{}", i + 1), x);
  }
  return out_->forward(x);
}

Discriminative::Discriminative(std::int64_t base_channels, const at::TensorOptions& tensor)
    : levels_({"_b", "1", "2", "3", "4"}) {
  const auto c = base_channels;
  auto encoder = register_module("encoder_segment", std::make_shared<torch::nn::Module>());
  auto decoder = register_module("decoder_segment", std::make_shared<torch::nn::Module>());
  const std::array<std::int64_t, 6> widths = {c, 2 * c, 4 * c, 8 * c, 8 * c, 8 * c};
  std::int64_t in = 6;
  for (const auto out : widths) {
    blocks_.push_back(encoder->register_module(fmt::format("block{}", blocks_.size() + 1),
                                               std::make_shared<Double>(in, out, out, tensor)));
    in = out;
  }
  const std::array<std::int64_t, 5> outs = {8 * c, 4 * c, 2 * c, c, c};
  for (std::size_t i = 0; i < outs.size(); ++i) {
    const auto out = outs[i];
    const auto skip = widths[outs.size() - 1 - i];
    ups_.push_back(
        decoder->register_module("up" + levels_[i], std::make_shared<Up>(in, out, tensor)));
    doubles_.push_back(decoder->register_module(
        "db" + levels_[i], std::make_shared<Double>(out + skip, out, out, tensor)));
    in = out;
  }
  out_ = output_conv(*decoder, in, 2, tensor);
}

at::Tensor Discriminative::forward(at::Tensor x, const Tap& tap) const {
  std::vector<at::Tensor> skips;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i]->forward(i == 0 ? x : halved(x));
    tell(tap, fmt::format("encoder_segment.block{}", i + 1), x);
    skips.push_back(x);
  }
  skips.pop_back();  // the deepest goes straight on
  for (std::size_t i = 0; i < ups_.size(); ++i) {
    x = ups_[i]->forward(x);
    tell(tap, "decoder_segment.up" + levels_[i], x);
    x = doubles_[i]->forward(at::cat({x, skips.back()}, 1));
    tell(tap, "decoder_segment.db" + levels_[i], x);
    skips.pop_back();
  }
  return out_->forward(x);
}

Network::Network(const DraemOptions& options, const at::TensorOptions& tensor)
    : model(std::make_shared<Reconstructive>(options.base_width, tensor)),
      model_seg(std::make_shared<Discriminative>(options.base_channels, tensor)) {}

Network::Output Network::forward(const at::Tensor& images, const Tap& tap) const {
  Output out;
  out.reconstruction = model->forward(images, with_prefix("model.", tap));
  out.logits =
      model_seg->forward(at::cat({out.reconstruction, images}, 1), with_prefix("model_seg.", tap));
  out.probabilities = out.logits.softmax(1);
  return out;
}

void Network::train(bool on) const {
  model->train(on);
  model_seg->train(on);
}

void Network::set_momentum(double momentum) const {
  set_norm_momentum(*model, momentum);
  set_norm_momentum(*model_seg, momentum);
}

void Network::initialise(const Streams& streams) const {
  constexpr double kStd = 0.02;
  const auto named = parameters();
  for (const auto& [name, tensor] : named) {
    const auto stream = streams.named("init.draem." + name);
    if (tensor.dim() == 4) {
      init::normal(tensor, 0, kStd, stream);
      const auto bias = name.substr(0, name.rfind('.')) + ".bias";
      const double bound =
          1 / std::sqrt(static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0)));
      init::uniform(*find_tensor(named, bias), -bound, bound, streams.named("init.draem." + bias));
    } else if (name.ends_with(".weight")) {
      init::normal(tensor, 1, kStd, stream);  // of a batch norm, whose bias stays 0
    }
  }
}

NamedTensors Network::parameters() const {
  auto all = module_parameters(*model, "model.");
  const auto more = module_parameters(*model_seg, "model_seg.");
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

NamedTensors Network::state() const {
  auto all = module_state(*model, "model.");
  const auto more = module_state(*model_seg, "model_seg.");
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Losses losses_of(const Network::Output& output,
                 const at::Tensor& target,
                 const at::Tensor& mask,
                 const at::Tensor& range,
                 const at::Tensor& window) {
  Losses losses;
  losses.mse = (output.reconstruction - target).square().mean();
  losses.ssim = 1 - ssim_map(output.reconstruction, target, range, window).mean();
  losses.focal = softmax_focal_loss(output.probabilities, mask);
  return losses;
}

at::Tensor pooled_maps(const at::Tensor& maps, bool padded) {
  return window_means(maps, kPool, padded ? kPool / 2 : 0);
}

}  // namespace adb::draem
