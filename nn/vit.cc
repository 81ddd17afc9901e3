#include "nn/vit.h"

#include <cmath>
#include <utility>

#include "core/error.h"
#include "formats/array.h"
#include "nn/init.h"

namespace adb {

LayerNorm::LayerNorm(std::int64_t dim, double eps, const at::TensorOptions& tensor) : eps_(eps) {
  weight_ = register_parameter("weight", at::ones({dim}, tensor));
  bias_ = register_parameter("bias", at::zeros({dim}, tensor));
}

PatchEmbedding::PatchEmbedding(std::int64_t patch,
                               std::int64_t dim,
                               bool bias,
                               const at::TensorOptions& tensor)
    : patch_(patch) {
  const auto proj = register_module("proj", std::make_shared<torch::nn::Module>());
  weight_ = proj->register_parameter("weight", at::zeros({dim, 3, patch, patch}, tensor));
  if (bias) {
    bias_ = proj->register_parameter("bias", at::zeros({dim}, tensor));
  }
}

at::Tensor PatchEmbedding::forward(const at::Tensor& images) const {
  ADB_ASSERT(images.dim() == 4 && images.size(2) % patch_ == 0 && images.size(3) % patch_ == 0);
  return at::conv2d(images, weight_, bias_, patch_).flatten(2).transpose(1, 2);
}

TransformerBlock::TransformerBlock(std::int64_t dim,
                                   std::int64_t heads,
                                   double eps,
                                   const at::TensorOptions& tensor)
    : heads_(heads) {
  ADB_ASSERT(heads > 0 && dim % heads == 0);
  norm1_ = register_module("norm1", std::make_shared<LayerNorm>(dim, eps, tensor));
  const auto attn = register_module("attn", std::make_shared<torch::nn::Module>());
  qkv_ = attn->register_module("qkv", std::make_shared<LinearLayer>(dim, 3 * dim, tensor));
  proj_ = attn->register_module("proj", std::make_shared<LinearLayer>(dim, dim, tensor));
  norm2_ = register_module("norm2", std::make_shared<LayerNorm>(dim, eps, tensor));
  const auto mlp = register_module("mlp", std::make_shared<torch::nn::Module>());
  fc1_ = mlp->register_module("fc1", std::make_shared<LinearLayer>(dim, 4 * dim, tensor));
  fc2_ = mlp->register_module("fc2", std::make_shared<LinearLayer>(4 * dim, dim, tensor));
}

at::Tensor TransformerBlock::attention(const at::Tensor& x) const {
  const auto num_images = x.size(0), num_tokens = x.size(1), dim = x.size(2);
  // [B, T, 3C] -> three of [B, T, h, d], whose gradients are joined in one pass
  const auto qkv =
      qkv_->forward_onednn(x).view({num_images, num_tokens, 3, heads_, dim / heads_}).unbind(2);
  const auto mixed = at::scaled_dot_product_attention(
      qkv[0].transpose(1, 2), qkv[1].transpose(1, 2), qkv[2].transpose(1, 2));
  return proj_->forward_onednn(mixed.transpose(1, 2).reshape({num_images, num_tokens, dim}));
}

at::Tensor TransformerBlock::forward(const at::Tensor& x) const {
  const auto y = x + attention(norm1_->forward(x));
  return y + fc2_->forward_onednn(fc1_->forward_onednn(norm2_->forward(y), /*gelu=*/true));
}

TransformerBlocks::TransformerBlocks(std::int64_t depth,
                                     std::int64_t dim,
                                     std::int64_t heads,
                                     double eps,
                                     const at::TensorOptions& tensor) {
  for (std::int64_t i = 0; i < depth; ++i) {
    blocks_.push_back(register_module(std::to_string(i),
                                      std::make_shared<TransformerBlock>(dim, heads, eps, tensor)));
  }
}

std::vector<at::Tensor> TransformerBlocks::forward(at::Tensor x,
                                                   const std::vector<std::int64_t>& after) const {
  std::vector<at::Tensor> kept;
  std::int64_t done = 0;
  for (const auto wanted : after) {
    ADB_ASSERT(wanted >= done && wanted <= static_cast<std::int64_t>(blocks_.size()));
    for (; done < wanted; ++done) {
      x = blocks_[static_cast<std::size_t>(done)]->forward(x);
    }
    kept.push_back(x);
  }
  return kept;
}

VitEncoder::VitEncoder(const VitShape& shape, const at::TensorOptions& tensor) : shape_(shape) {
  const auto num_tokens = shape.prefix() + shape.grid * shape.grid;
  cls_token_ = register_parameter("cls_token", at::zeros({1, 1, shape.dim}, tensor));
  if (shape.distilled) {
    dist_token_ = register_parameter("dist_token", at::zeros({1, 1, shape.dim}, tensor));
  }
  pos_embed_ = register_parameter("pos_embed", at::zeros({1, num_tokens, shape.dim}, tensor));
  patch_embed_ = register_module(
      "patch_embed",
      std::make_shared<PatchEmbedding>(shape.patch, shape.dim, shape.patch_bias, tensor));
  if (shape.norm_pre) {
    norm_pre_ =
        register_module("norm_pre", std::make_shared<LayerNorm>(shape.dim, shape.eps, tensor));
  }
  blocks_ = register_module(
      "blocks",
      std::make_shared<TransformerBlocks>(shape.depth, shape.dim, shape.heads, shape.eps, tensor));
  norm_ = register_module("norm", std::make_shared<LayerNorm>(shape.dim, shape.eps, tensor));
}

std::vector<at::Tensor> VitEncoder::forward(const at::Tensor& images,
                                            const std::vector<std::int64_t>& after,
                                            bool skip_norm_pre) const {
  const auto num_images = images.size(0);
  std::vector<at::Tensor> tokens = {cls_token_.expand({num_images, 1, shape_.dim})};
  if (shape_.distilled) {
    tokens.push_back(dist_token_.expand({num_images, 1, shape_.dim}));
  }
  tokens.push_back(patch_embed_->forward(images));
  auto x = at::cat(tokens, 1) + pos_embed_;
  if (norm_pre_ && !skip_norm_pre) {
    x = norm_pre_->forward(x);
  }
  return blocks_->forward(x, after);
}

at::Tensor resample_position_embedding(const at::Tensor& embedding,
                                       std::int64_t prefix,
                                       std::int64_t grid) {
  const bool rows = embedding.dim() == 3 && embedding.size(0) == 1 && embedding.size(1) > prefix;
  const auto patches = rows ? embedding.size(1) - prefix : 0;
  const auto side = std::llround(std::sqrt(static_cast<double>(patches)));
  ADB_CHECK(patches > 0 && side * side == patches,
            ErrorKind::kWeights,
            "position embedding {}: expected [1, {} + a square, C]",
            shape_text(embedding.sizes()),
            prefix);
  if (side == grid) {
    return embedding;
  }
  const auto dim = embedding.size(2);
  const auto map =
      embedding.slice(1, prefix).reshape({1, side, side, dim}).permute({0, 3, 1, 2}).contiguous();
  const auto resized = at::_upsample_bicubic2d_aa(map, {grid, grid}, /*align_corners=*/false);
  return at::cat(
      {embedding.slice(1, 0, prefix), resized.permute({0, 2, 3, 1}).reshape({1, grid * grid, dim})},
      1);
}

at::Tensor sine_cosine_position_embedding(std::int64_t dim,
                                          std::int64_t prefix,
                                          std::int64_t grid) {
  ADB_ASSERT(dim % 4 == 0);
  constexpr double kTemperature = 10000;
  const auto quarter = dim / 4;
  const auto exponent = at::arange(quarter, at::kDouble) / static_cast<double>(quarter);
  const auto omega = at::pow(kTemperature, exponent).reciprocal();
  const auto place = at::arange(grid * grid, at::kLong);
  const auto row = at::outer(place.floor_divide(grid).to(at::kDouble), omega);
  const auto column = at::outer(place.remainder(grid).to(at::kDouble), omega);
  const auto patches = at::cat({row.sin(), row.cos(), column.sin(), column.cos()}, 1);
  return at::cat({at::zeros({prefix, dim}, at::kDouble), patches}, 0).unsqueeze(0);
}

void init_transformer(const NamedTensors& state,
                      const Streams& streams,
                      const std::string& prefix) {
  constexpr double kStd = 0.02, kTokenStd = 1e-6;
  at::Tensor patch_weight;
  for (const auto& [name, tensor] : state) {
    const auto stream = streams.named(prefix + "." + name);
    if (name.ends_with("patch_embed.proj.weight")) {
      patch_weight = tensor;
      init::default_weight(tensor, {}, stream);
    } else if (name.ends_with("patch_embed.proj.bias")) {
      const double bound = 1 / std::sqrt(static_cast<double>(patch_weight.numel()) /
                                         static_cast<double>(patch_weight.size(0)));
      init::uniform(tensor, -bound, bound, stream);
    } else if (name.ends_with("cls_token")) {
      init::normal(tensor, 0, kTokenStd, stream);
    } else if (tensor.dim() >= 2) {
      init::normal(tensor, 0, kStd, stream);
    }
  }
}

}  // namespace adb
