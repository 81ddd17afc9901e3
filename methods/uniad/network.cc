#include "methods/uniad/network.h"

#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "nn/efficientnet.h"
#include "nn/frozen.h"
#include "nn/init.h"
#include "nn/module_state.h"
#include "tensor/maps.h"

namespace adb::uniad {
namespace {

constexpr double kEps = 1e-5;  // of all layer norms

// The backbone of the published model, whose state holds all stages.
constexpr const char* kPublishedBackbone = "tf_efficientnet_b4";

std::vector<FeatureLevel> levels_of(const BackboneInfo& info) {
  std::vector<FeatureLevel> levels;
  for (const auto& level : info.levels) {
    if (level.stride <= kStride) {
      levels.push_back(level);
    }
  }
  return levels;
}

// A module that holds one table.
at::Tensor table(torch::nn::Module& owner,
                 const std::string& name,
                 std::int64_t rows,
                 std::int64_t dim,
                 const at::TensorOptions& tensor) {
  const auto module = owner.register_module(name, std::make_shared<torch::nn::Module>());
  return module->register_parameter("weight", at::zeros({rows, dim}, tensor));
}

at::Tensor neighbor_mask(std::int64_t grid, std::int64_t radius, const at::TensorOptions& tensor) {
  const auto index = at::arange(grid * grid, tensor.dtype(at::kLong));
  const auto row = index.div(grid, "floor"), column = index.remainder(grid);
  const auto near = (row.unsqueeze(0) - row.unsqueeze(1))
                        .abs()
                        .le(radius)
                        .logical_and((column.unsqueeze(0) - column.unsqueeze(1)).abs().le(radius));
  return at::zeros({grid * grid, grid * grid}, tensor)
      .masked_fill_(near, -std::numeric_limits<double>::infinity());
}

}  // namespace

at::Tensor Dropout::apply(const at::Tensor& x, const std::string& place) const {
  if (!active()) {
    return x;
  }
  const auto num_images = x.size(0);
  ADB_ASSERT(num_images == static_cast<std::int64_t>(ids_.size()));
  const auto count = x.numel() / num_images;
  const auto keep = static_cast<float>(1 / (1 - rate_));
  const auto threshold = static_cast<std::uint64_t>(std::llround(rate_ * 0x1.0p32));
  auto factors = at::empty({num_images, count}, at::kFloat);
  auto* const data = factors.mutable_data_ptr<float>();
  at::parallel_for(0, num_images, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto b = first; b < last; ++b) {
      auto stream =
          streams_.named("uniad.dropout." + place, epoch_, ids_[static_cast<std::size_t>(b)]);
      auto* const out = data + b * count;
      for (std::int64_t i = 0; i < count; i += 2) {
        const auto bits = stream.bits();  // two draws of 32 bits
        out[i] = (bits >> 32) < threshold ? 0.0F : keep;
        if (i + 1 < count) {
          out[i + 1] = (bits & 0xFFFFFFFF) < threshold ? 0.0F : keep;
        }
      }
    }
  });
  return x * factors.view(x.sizes()).to(x.options());
}

at::Tensor draw_jitter(const Streams& streams,
                       std::int64_t epoch,
                       const std::vector<std::int64_t>& ids,
                       std::int64_t num_tokens,
                       std::int64_t channels) {
  const auto num_images = static_cast<std::int64_t>(ids.size());
  auto draws = at::empty({num_images, num_tokens, channels}, at::kFloat);
  auto* const data = draws.mutable_data_ptr<float>();
  const auto count = num_tokens * channels;
  at::parallel_for(0, num_images, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto b = first; b < last; ++b) {
      auto stream = streams.named("uniad.jitter", epoch, ids[static_cast<std::size_t>(b)]);
      for (std::int64_t i = 0; i < count; ++i) {
        data[b * count + i] = static_cast<float>(stream.normal());
      }
    }
  });
  return draws;
}

Attention::Attention(std::int64_t dim, std::int64_t heads, const at::TensorOptions& tensor)
    : heads_(heads) {
  in_proj_weight_ = register_parameter("in_proj_weight", at::zeros({3 * dim, dim}, tensor));
  in_proj_bias_ = register_parameter("in_proj_bias", at::zeros({3 * dim}, tensor));
  out_proj_ = register_module("out_proj", std::make_shared<LinearLayer>(dim, dim, tensor));
}

at::Tensor Attention::projected(const at::Tensor& x, std::int64_t part) const {
  const auto dim = x.size(2);
  return at::linear(x,
                    in_proj_weight_.narrow(0, part * dim, dim),
                    in_proj_bias_.narrow(0, part * dim, dim))
      .view({x.size(0), x.size(1), heads_, dim / heads_})
      .transpose(1, 2);
}

at::Tensor Attention::forward(const at::Tensor& query,
                              const at::Tensor& key,
                              const at::Tensor& value,
                              const at::Tensor& mask,
                              const Dropout& dropout,
                              const std::string& place) const {
  const auto num_images = key.size(0), dim = key.size(2);
  const auto q = projected(query, 0).expand({num_images, -1, -1, -1});
  const auto k = projected(key, 1), v = projected(value, 2);
  at::Tensor mixed;
  if (dropout.active()) {
    // The fused operator would take its own draws.
    const double scale = 1 / std::sqrt(static_cast<double>(dim / heads_));
    const auto scores = at::matmul(q * scale, k.transpose(2, 3)).add_(mask);
    mixed = at::matmul(dropout.apply(scores.softmax(-1), place), v);
  } else {
    mixed = at::scaled_dot_product_attention(q, k, v, mask);
  }
  return out_proj_->forward(mixed.transpose(1, 2).reshape({num_images, -1, dim}));
}

namespace {

// What both kinds of layers end in, post-norm.
struct FeedForward {
  std::shared_ptr<LinearLayer> linear1, linear2;

  FeedForward(torch::nn::Module& owner,
              const UniadOptions& options,
              const at::TensorOptions& tensor)
      : linear1(owner.register_module(
            "linear1",
            std::make_shared<LinearLayer>(options.hidden_dim, options.feedforward, tensor))),
        linear2(owner.register_module(
            "linear2",
            std::make_shared<LinearLayer>(options.feedforward, options.hidden_dim, tensor))) {}

  at::Tensor forward(const at::Tensor& x, const Dropout& dropout, const std::string& place) const {
    const auto hidden = dropout.apply(linear1->forward(x).relu_(), place + ".hidden");
    return dropout.apply(linear2->forward(hidden), place + ".output");
  }
};

std::shared_ptr<LayerNorm> layer_norm(torch::nn::Module& owner,
                                      const std::string& name,
                                      std::int64_t dim,
                                      const at::TensorOptions& tensor) {
  return owner.register_module(name, std::make_shared<LayerNorm>(dim, kEps, tensor));
}

}  // namespace

class EncoderLayer : public torch::nn::Module {
 public:
  EncoderLayer(const UniadOptions& options, std::string place, const at::TensorOptions& tensor)
      : place_(std::move(place)),
        self_attn_(register_module(
            "self_attn", std::make_shared<Attention>(options.hidden_dim, options.heads, tensor))),
        mlp_(*this, options, tensor),
        norm1_(layer_norm(*this, "norm1", options.hidden_dim, tensor)),
        norm2_(layer_norm(*this, "norm2", options.hidden_dim, tensor)) {}

  // x: [B, L, E]   position: [L, E]
  at::Tensor forward(const at::Tensor& x,
                     const at::Tensor& position,
                     const at::Tensor& mask,
                     const Dropout& dropout) const {
    const auto placed = x + position;
    const auto mixed =
        self_attn_->forward(placed, placed, x, mask, dropout, place_ + ".self_attn.weights");
    const auto y = norm1_->forward(x + dropout.apply(mixed, place_ + ".self_attn.output"));
    return norm2_->forward(y + mlp_.forward(y, dropout, place_ + ".mlp"));
  }

 private:
  std::string place_;
  std::shared_ptr<Attention> self_attn_;
  FeedForward mlp_;
  std::shared_ptr<LayerNorm> norm1_, norm2_;
};

class DecoderLayer : public torch::nn::Module {
 public:
  DecoderLayer(const UniadOptions& options, std::string place, const at::TensorOptions& tensor)
      : place_(std::move(place)),
        learned_embed_(table(
            *this, "learned_embed", options.grid() * options.grid(), options.hidden_dim, tensor)),
        self_attn_(register_module(
            "self_attn", std::make_shared<Attention>(options.hidden_dim, options.heads, tensor))),
        multihead_attn_(register_module(
            "multihead_attn",
            std::make_shared<Attention>(options.hidden_dim, options.heads, tensor))),
        mlp_(*this, options, tensor),
        norm1_(layer_norm(*this, "norm1", options.hidden_dim, tensor)),
        norm2_(layer_norm(*this, "norm2", options.hidden_dim, tensor)),
        norm3_(layer_norm(*this, "norm3", options.hidden_dim, tensor)) {}

  // The stream starts from the layer's own queries. The published names mislead: `self_attn`
  // attends to the encoder's output, `multihead_attn` to the previous decoder layer.
  //   memory, previous: [B, L, E]
  at::Tensor forward(const at::Tensor& memory,
                     const at::Tensor& previous,
                     const at::Tensor& position,
                     const at::Tensor& mask,
                     const Dropout& dropout) const {
    const auto queries = learned_embed_.unsqueeze(0);
    auto mixed = self_attn_->forward(queries + position,
                                     memory + position,
                                     memory,
                                     mask,
                                     dropout,
                                     place_ + ".self_attn.weights");
    auto t = norm1_->forward(queries + dropout.apply(mixed, place_ + ".self_attn.output"));
    mixed = multihead_attn_->forward(t + position,
                                     previous + position,
                                     previous,
                                     mask,
                                     dropout,
                                     place_ + ".multihead_attn.weights");
    t = norm2_->forward(t + dropout.apply(mixed, place_ + ".multihead_attn.output"));
    return norm3_->forward(t + mlp_.forward(t, dropout, place_ + ".mlp"));
  }

 private:
  std::string place_;
  at::Tensor learned_embed_;  // [L, E]
  std::shared_ptr<Attention> self_attn_, multihead_attn_;
  FeedForward mlp_;
  std::shared_ptr<LayerNorm> norm1_, norm2_, norm3_;
};

Reconstruction::Reconstruction(const UniadOptions& options,
                               std::int64_t channels,
                               const at::TensorOptions& tensor)
    : grid_(options.grid()),
      jitter_scale_(options.jitter_scale),
      mask_(neighbor_mask(options.grid(), options.neighbor_radius(), tensor)) {
  const auto module = [](torch::nn::Module& owner, const std::string& name) {
    return owner.register_module(name, std::make_shared<torch::nn::Module>());
  };
  const auto dim = options.hidden_dim;
  const auto pos_embed = module(*this, "pos_embed");
  row_embed_ = table(*pos_embed, "row_embed", grid_, dim / 2, tensor);
  col_embed_ = table(*pos_embed, "col_embed", grid_, dim / 2, tensor);
  const auto transformer = module(*this, "transformer");
  const auto encoder_layers = module(*module(*transformer, "encoder"), "layers");
  for (std::int64_t i = 0; i < options.encoder_layers; ++i) {
    const auto number = std::to_string(i);
    encoder_.push_back(encoder_layers->register_module(
        number, std::make_shared<EncoderLayer>(options, "encoder." + number, tensor)));
  }
  const auto decoder = module(*transformer, "decoder");
  const auto decoder_layers = module(*decoder, "layers");
  for (std::int64_t i = 0; i < options.decoder_layers; ++i) {
    const auto number = std::to_string(i);
    decoder_.push_back(decoder_layers->register_module(
        number, std::make_shared<DecoderLayer>(options, "decoder." + number, tensor)));
  }
  norm_ = layer_norm(*decoder, "norm", dim, tensor);
  input_proj_ = register_module("input_proj", std::make_shared<LinearLayer>(channels, dim, tensor));
  output_proj_ =
      register_module("output_proj", std::make_shared<LinearLayer>(dim, channels, tensor));
}

// Position (y, x) gets [col_embed[x], row_embed[y]], the column part first.
at::Tensor Reconstruction::position() const {
  const auto half = col_embed_.size(1);
  return at::cat({col_embed_.unsqueeze(0).expand({grid_, grid_, half}),
                  row_embed_.unsqueeze(1).expand({grid_, grid_, half})},
                 2)
      .flatten(0, 1);
}

Reconstruction::Output Reconstruction::forward(const at::Tensor& features,
                                               const Noise& noise) const {
  ADB_ASSERT(features.dim() == 4 && features.size(2) == grid_ && features.size(3) == grid_);
  const auto channels = features.size(1);
  auto tokens = features.flatten(2).transpose(1, 2);
  if (noise.jitter.defined()) {
    const auto length = at::linalg_vector_norm(tokens, 2, {2}, /*keepdim=*/true);
    tokens = tokens + noise.jitter.to(tokens.options()) *
                          (length * (jitter_scale_ / static_cast<double>(channels)));
  }
  Output out;
  out.projected = input_proj_->forward(tokens);
  out.position = position();
  auto x = out.projected;
  for (const auto& layer : encoder_) {
    x = layer->forward(x, out.position, mask_, noise.dropout);
    out.encoded.push_back(x);
  }
  const auto memory = x;
  for (const auto& layer : decoder_) {
    x = layer->forward(memory, x, out.position, mask_, noise.dropout);
    out.decoded.push_back(x);
  }
  out.normed = norm_->forward(x);
  out.rebuilt = output_proj_->forward(out.normed)
                    .transpose(1, 2)
                    .reshape({features.size(0), channels, grid_, grid_});
  return out;
}

Network::Network(const UniadOptions& options, const at::TensorOptions& tensor)
    : grid_(options.grid()) {
  BackboneOptions backbone;
  backbone.tensor = tensor;
  for (const auto& level : levels_of(backbone_info(options.backbone))) {
    backbone.strides.push_back(level.stride);
    channels_ += level.channels;
  }
  encoder = options.backbone == kPublishedBackbone
                ? make_whole_efficientnet(options.backbone, backbone)
                : make_backbone(options.backbone, backbone);
  reconstruction = std::make_shared<Reconstruction>(options, channels_, tensor);
}

at::Tensor Network::align(const std::vector<at::Tensor>& levels) const {
  std::vector<at::Tensor> resized;
  for (const auto& map : levels) {
    resized.push_back(at::upsample_bilinear2d(map, {grid_, grid_}, /*align_corners=*/true));
  }
  return at::cat(resized, 1);
}

at::Tensor Network::encode(const at::Tensor& images) const {
  const at::NoGradGuard no_grad;
  // One image at a time through the resize as well, and without the maps of a whole batch.
  const auto aligned = [this](const at::Tensor& image) {
    return std::vector<at::Tensor>{align(levels(image))};
  };
  return frozen_by_image(aligned, images).front();
}

void Network::initialise(const Streams& streams) const {
  init::random_backbone(encoder->state(), streams, "init.uniad.backbone");
  for (const auto& [name, tensor] : module_parameters(*reconstruction)) {
    if (tensor.dim() < 2) {
      continue;  // biases 0, norms 1 and 0 as they were built
    }
    auto stream_name = "init.uniad." + name;
    const bool embedding = name.ends_with("learned_embed.weight");
    if (embedding || name.ends_with("in_proj_weight")) {
      // The reference copies one template into all layers and redraws only the linear layers, so
      // these start equal in each of them.
      const auto begin = stream_name.find(".layers.");
      stream_name.erase(begin, stream_name.find('.', begin + 8) - begin);
    }
    auto stream = streams.named(stream_name);
    if (embedding) {
      init::normal(tensor, 0, 1, stream);
    } else if (name.starts_with("pos_embed.")) {
      init::uniform(tensor, 0, 1, stream);
    } else {
      const double bound = std::sqrt(6.0 / static_cast<double>(tensor.size(0) + tensor.size(1)));
      init::uniform(tensor, -bound, bound, stream);
    }
  }
}

NamedTensors Network::trained() const {
  return module_parameters(*reconstruction, "net_ad.");
}

NamedTensors Network::state() const {
  NamedTensors state;
  for (const auto& [name, tensor] : encoder->state()) {
    state.emplace_back("net_backbone." + name, tensor);
  }
  const auto more = trained();
  state.insert(state.end(), more.begin(), more.end());
  return state;
}

Optimiser make_optimiser(const Network& network,
                         const OptimiserRule& rule,
                         double lr,
                         double weight_decay,
                         const std::string& decay_on) {
  Optimiser optimiser(rule);
  if (decay_on == "all") {
    optimiser.add_group("decayed", network.trained(), lr, weight_decay);
    return optimiser;
  }
  const auto split = split_for_decay(network.trained());
  optimiser.add_group("decayed", split.decayed, lr, weight_decay);
  optimiser.add_group("plain", split.plain, lr, 0);
  return optimiser;
}

AnomalyMaps anomaly_maps(const at::Tensor& features, const at::Tensor& rebuilt) {
  AnomalyMaps maps;
  maps.coarse = (rebuilt - features).square().sum(1).sqrt();
  maps.full = upsample_maps(maps.coarse, kStride * maps.coarse.size(1), /*align_corners=*/true);
  return maps;
}

}  // namespace adb::uniad
