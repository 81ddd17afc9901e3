// Plain Vision Transformers with timm's names, as encoders of images and as decoders of tokens.
// Architecture: Dosovitskiy et al. (2021); card vitad, section 3.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "nn/linear.h"
#include "tensor/tensor.h"

namespace adb {

// Over the last dimension; 1 and 0 from the start.
class LayerNorm : public torch::nn::Module {
 public:
  LayerNorm(std::int64_t dim, double eps, const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x) const {
    return at::layer_norm(x, {weight_.size(0)}, weight_, bias_, eps_);
  }

 private:
  at::Tensor weight_, bias_;
  double eps_;
};

// The P x P convolution with stride P that makes tokens of an image, named `proj`.
class PatchEmbedding : public torch::nn::Module {
 public:
  PatchEmbedding(std::int64_t patch, std::int64_t dim, bool bias, const at::TensorOptions& tensor);
  // [B, 3, S, S] -> [B, (S/P)^2, C], row by row; S a multiple of P
  at::Tensor forward(const at::Tensor& images) const;

 private:
  std::int64_t patch_;
  at::Tensor weight_, bias_;  // bias_ undefined: none
};

// x + attention(norm1(x)), then x + mlp(norm2(x)); no dropout, no drop path. [B, T, C] -> [B, T, C]
class TransformerBlock : public torch::nn::Module {
 public:
  // dim must be a multiple of heads
  TransformerBlock(std::int64_t dim,
                   std::int64_t heads,
                   double eps,
                   const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x) const;
  at::Tensor first_norm(const at::Tensor& x) const { return norm1_->forward(x); }

 private:
  at::Tensor attention(const at::Tensor& x) const;

  std::int64_t heads_;
  std::shared_ptr<LayerNorm> norm1_, norm2_;
  std::shared_ptr<LinearLayer> qkv_, proj_, fc1_, fc2_;
};

// Blocks in a row, named 0, 1, ...
class TransformerBlocks : public torch::nn::Module {
 public:
  TransformerBlocks(std::int64_t depth,
                    std::int64_t dim,
                    std::int64_t heads,
                    double eps,
                    const at::TensorOptions& tensor);
  // The tokens after each block in `after` (ascending, 0 = x itself); later blocks are not run.
  std::vector<at::Tensor> forward(at::Tensor x, const std::vector<std::int64_t>& after) const;

 private:
  std::vector<std::shared_ptr<TransformerBlock>> blocks_;
};

struct VitShape {
  std::int64_t patch = 16;
  std::int64_t grid = 16;  // tokens along a side
  std::int64_t dim = 384;
  std::int64_t heads = 6;
  std::int64_t depth = 12;
  bool distilled = false;  // a distillation token behind the class token
  bool norm_pre = false;   // a LayerNorm in front of the blocks (CLIP)
  bool patch_bias = true;
  bool fixed_position = false;  // sine-cosine position embedding where it is drawn (MoCo v3)
  double eps = 1e-6;            // of all LayerNorms

  std::int64_t prefix() const { return distilled ? 2 : 1; }  // tokens in front of the patches
};

// [B, 3, S, S] -> patches [B, L, C] -> prefix + patches + pos_embed [B, prefix + L, C] -> blocks
class VitEncoder : public torch::nn::Module {
 public:
  VitEncoder(const VitShape& shape, const at::TensorOptions& tensor);
  // The tokens after each block in `after` (ascending; 0 = entering block 1), prefix included,
  // without the final norm. skip_norm_pre: leave `norm_pre` out.
  std::vector<at::Tensor> forward(const at::Tensor& images,
                                  const std::vector<std::int64_t>& after,
                                  bool skip_norm_pre = false) const;
  at::Tensor final_norm(const at::Tensor& tokens) const { return norm_->forward(tokens); }
  const VitShape& shape() const { return shape_; }

 private:
  VitShape shape_;
  at::Tensor cls_token_, dist_token_, pos_embed_;
  std::shared_ptr<PatchEmbedding> patch_embed_;
  std::shared_ptr<LayerNorm> norm_pre_, norm_;
  std::shared_ptr<TransformerBlocks> blocks_;
};

// A position embedding for another grid: the prefix rows stay, the others are resampled with
// antialiased bicubic interpolation (a = -0.5), align_corners = false. Card vitad, section 3.5.
//   embedding: [1, prefix + g * g, C]   returns: [1, prefix + grid * grid, C]
//   throws: Error(kWeights) when the rows are not prefix + a square
at::Tensor resample_position_embedding(const at::Tensor& embedding,
                                       std::int64_t prefix,
                                       std::int64_t grid);

// The fixed embedding of MoCo v3 (Chen, Xie, He 2021): a quarter of the channels each for sine and
// cosine of the row and of the column, temperature 10000; zero rows for the prefix.
//   returns: [1, prefix + grid * grid, dim] float64; dim a multiple of 4
at::Tensor sine_cosine_position_embedding(std::int64_t dim, std::int64_t prefix, std::int64_t grid);

// Draws a transformer's entries by name (card vitad, section 4): weights of linear layers and
// position embeddings normal with standard deviation 0.02 (the card's truncation at 100 deviations
// never happens), biases 0, class tokens normal 1e-6, patch embedding uniform +-1/sqrt(fan_in).
// LayerNorms keep 1 and 0. The stream of each entry is "PREFIX.NAME".
void init_transformer(const NamedTensors& state, const Streams& streams, const std::string& prefix);

}  // namespace adb
