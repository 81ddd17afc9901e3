// The networks of ViTAD and its anomaly map (card vitad, sections 3 to 6).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "methods/vitad/options.h"
#include "nn/optim.h"
#include "nn/residual.h"
#include "nn/vit.h"
#include "tensor/tensor.h"

namespace adb::vitad {

// Turns the neck features into the decoder's input.
class Fuser : public torch::nn::Module {
 public:
  Fuser(const VitadOptions& options, const Architecture& built, const at::TensorOptions& tensor);
  at::Tensor forward(const std::vector<at::Tensor>& neck) const;  // [B, T, C] each -> [B, T, C]

 private:
  bool add_ = false;
  std::shared_ptr<LinearLayer> fc_;
  std::shared_ptr<TransformerBlocks> transformer_;
  std::shared_ptr<ResidualLayer> bottlenecks_;
  std::int64_t num_blocks_ = 0;
  std::int64_t grid_ = 0;
};

// A plain ViT on tokens. It holds the tensors of a whole classifier, as the published checkpoints
// do: class token, patch embedding, final norm and head are never used.
class Decoder : public torch::nn::Module {
 public:
  Decoder(const VitadOptions& options, const Architecture& built, const at::TensorOptions& tensor);
  // The tokens after each block in `after` (ascending), [B, T, C] each.
  std::vector<at::Tensor> forward(const at::Tensor& fused,
                                  const std::vector<std::int64_t>& after) const;

 private:
  at::Tensor pos_embed_;  // [1, T, C]; undefined: none
  std::shared_ptr<TransformerBlocks> blocks_;
};

// Everything that a model holds. T = L = grid^2 tokens, or 1 + L where the class token is kept.
class Network {
 public:
  Network(const VitadOptions& options, const at::TensorOptions& tensor);

  // Frozen features of images [B, 3, S, S], each image computed by itself: one tensor for every
  // encoder block that teaches or feeds the neck, patches only [B, L, C], and where the neck gets
  // something else (normalised, with class token) one more, [B, T, C].
  std::vector<at::Tensor> encode(const at::Tensor& images) const;
  // Restraint features and neck features out of those, in the order of the options.
  std::vector<at::Tensor> teachers(const std::vector<at::Tensor>& features) const;
  std::vector<at::Tensor> neck(const std::vector<at::Tensor>& features) const;

  // Decoder tokens [B, L, C], already reversed: the k-th rebuilds the k-th teacher.
  std::vector<at::Tensor> rebuild(const at::Tensor& fused) const;
  std::vector<at::Tensor> rebuild(const std::vector<at::Tensor>& features) const {
    return rebuild(fuser->forward(neck(features)));
  }

  void train(bool on) const;  // of fuser and decoder; the encoder stays in evaluation mode

  // Draws everything (card section 4); the encoder counts as random until weights are loaded.
  void initialise(const Streams& streams) const;
  // Loads a published checkpoint of the encoder (card section 7). throws: Error(kWeights)
  void load_encoder(const NamedTensors& weights, const std::string& file) const;

  NamedTensors state() const;    // "net_t.*", "net_fusion.*", "net_s.*", buffers included
  NamedTensors trained() const;  // parameters of fuser and decoder, unused ones included
  NamedTensors used() const;     // those of them that get gradients

  const Architecture& architecture() const { return built_; }

  std::shared_ptr<VitEncoder> encoder;
  std::shared_ptr<Fuser> fuser;
  std::shared_ptr<Decoder> decoder;

 private:
  struct Tap {
    std::int64_t block;
    bool plain;  // patches as they are
    bool operator==(const Tap&) const = default;
  };
  Tap neck_tap(std::int64_t block) const;
  at::Tensor tapped(const Tap& tap, const at::Tensor& tokens) const;

  Architecture built_;
  bool neck_after_final_norm_, keep_class_token_, skip_norm_pre_;
  std::vector<Tap> taps_;  // what encode returns, by block
};

// AdamW over the used parameters, decay on tensors of rank 2 and above (card section 5).
Optimiser make_optimiser(const Network& network,
                         const OptimiserRule& rule,
                         double lr,
                         double weight_decay);

// Losses of the stages, 0-d each; the training loss is their sum.
std::vector<at::Tensor> stage_losses(const std::string& kind,
                                     const std::vector<at::Tensor>& teachers,
                                     const std::vector<at::Tensor>& students);
at::Tensor sum(const std::vector<at::Tensor>& losses);

constexpr double kSigma = 4;  // pixels, whatever the image size
constexpr std::int64_t kScoreWindow = 16;

struct AnomalyMaps {
  std::vector<at::Tensor> by_stage;  // cosine distances [B, G, G]
  at::Tensor raw;                    // their upsampled sum over n^2: [B, S, S] float64
  at::Tensor smooth;                 // after the Gaussian: [B, S, S] float64
};
AnomalyMaps anomaly_maps(const Architecture& built,
                         const std::vector<at::Tensor>& teachers,
                         const std::vector<at::Tensor>& students);

}  // namespace adb::vitad
