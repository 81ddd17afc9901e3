// The networks of UniAD and its anomaly map (card uniad, sections 3 to 8).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "methods/uniad/options.h"
#include "nn/backbone.h"
#include "nn/optim.h"
#include "nn/vit.h"
#include "tensor/tensor.h"

namespace adb::uniad {

// Dropout whose draws come from named streams: what is dropped depends on seed, epoch and image
// alone, not on the batch around it.
class Dropout {
 public:
  Dropout() = default;  // drops nothing
  Dropout(double rate, const Streams& streams, std::int64_t epoch, std::vector<std::int64_t> ids)
      : rate_(rate), streams_(streams), epoch_(epoch), ids_(std::move(ids)) {}

  // Each element becomes 0 with probability `rate`, else x / (1 - rate).
  //   x: [B, ...], image b being ids[b]   place: name of the stream within this method
  at::Tensor apply(const at::Tensor& x, const std::string& place) const;
  bool active() const { return rate_ > 0; }

 private:
  double rate_ = 0;
  Streams streams_{0};
  std::int64_t epoch_ = 0;
  std::vector<std::int64_t> ids_;
};

// What makes a training pass differ from an evaluation pass.
struct Noise {
  at::Tensor jitter;  // [B, L, C], standard normal; undefined: none
  Dropout dropout;
};

// Standard-normal draws for the tokens of each image: [B, num_tokens, channels] float32.
at::Tensor draw_jitter(const Streams& streams,
                       std::int64_t epoch,
                       const std::vector<std::int64_t>& ids,
                       std::int64_t num_tokens,
                       std::int64_t channels);

// Multi-head attention with torch.nn.MultiheadAttention's names.
class Attention : public torch::nn::Module {
 public:
  Attention(std::int64_t dim, std::int64_t heads, const at::TensorOptions& tensor);
  //   query: [B or 1, L, E], 1 being the same for all images   key, value: [B, L, E]
  //   mask: [L, L], added to the scores   returns: [B, L, E]
  at::Tensor forward(const at::Tensor& query,
                     const at::Tensor& key,
                     const at::Tensor& value,
                     const at::Tensor& mask,
                     const Dropout& dropout,
                     const std::string& place) const;

 private:
  at::Tensor projected(const at::Tensor& x, std::int64_t part) const;  // [., h, L, E / h]

  std::int64_t heads_;
  at::Tensor in_proj_weight_, in_proj_bias_;
  std::shared_ptr<LinearLayer> out_proj_;
};

class EncoderLayer;
class DecoderLayer;

// Rebuilds the features: `net_ad`. G * G = L tokens, row by row.
class Reconstruction : public torch::nn::Module {
 public:
  Reconstruction(const UniadOptions& options,
                 std::int64_t channels,
                 const at::TensorOptions& tensor);

  struct Output {
    at::Tensor projected;             // [B, L, E]
    at::Tensor position;              // [L, E]
    std::vector<at::Tensor> encoded;  // after each encoder layer, [B, L, E]
    std::vector<at::Tensor> decoded;  // after each decoder layer, [B, L, E]
    at::Tensor normed;                // the last of them after the final norm
    at::Tensor rebuilt;               // [B, C, G, G]
  };
  //   features: [B, C, G, G]
  Output forward(const at::Tensor& features, const Noise& noise = {}) const;

 private:
  at::Tensor position() const;

  std::int64_t grid_;
  double jitter_scale_;
  at::Tensor mask_;  // [L, L]: -inf in the neighbourhood, else 0
  at::Tensor row_embed_, col_embed_;
  std::vector<std::shared_ptr<EncoderLayer>> encoder_;
  std::vector<std::shared_ptr<DecoderLayer>> decoder_;
  std::shared_ptr<LayerNorm> norm_;
  std::shared_ptr<LinearLayer> input_proj_, output_proj_;
};

// Everything that a model holds: frozen encoder and trained reconstruction.
class Network {
 public:
  Network(const UniadOptions& options, const at::TensorOptions& tensor);

  // The encoder's maps of images [B, 3, S, S], finest first.
  std::vector<at::Tensor> levels(const at::Tensor& images) const {
    return encoder->features(images);
  }
  // Those maps on one grid: [B, C, G, G].
  at::Tensor align(const std::vector<at::Tensor>& levels) const;
  // Both. Bitwise the same for an image alone, in any batch and at any place.
  at::Tensor encode(const at::Tensor& images) const;

  // Draws everything (card section 6); the encoder counts as random until weights are loaded.
  void initialise(const Streams& streams) const;

  NamedTensors trained() const;  // parameters "net_ad.*"
  NamedTensors state() const;    // "net_backbone.*", "net_ad.*", buffers included
  std::int64_t channels() const { return channels_; }

  std::unique_ptr<FeatureBackbone> encoder;
  std::shared_ptr<Reconstruction> reconstruction;

 private:
  std::int64_t grid_;
  std::int64_t channels_ = 0;
};

// AdamW over the reconstruction; decay_on as the option `weight_decay_on`.
Optimiser make_optimiser(const Network& network,
                         const OptimiserRule& rule,
                         double lr,
                         double weight_decay,
                         const std::string& decay_on);

constexpr std::int64_t kScoreWindow = 16;

struct AnomalyMaps {
  at::Tensor coarse;  // Euclidean distance along the channels: [B, G, G]
  at::Tensor full;    // upsampled: [B, S, S]
};
AnomalyMaps anomaly_maps(const at::Tensor& features, const at::Tensor& rebuilt);

}  // namespace adb::uniad
