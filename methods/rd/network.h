// The networks of RD and its anomaly map (card RD, sections 3 to 6).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "methods/rd/options.h"
#include "nn/backbone.h"
#include "nn/residual.h"

namespace adb::rd {

constexpr std::size_t kNumScales = 3;
using Scales = std::array<at::Tensor, kNumScales>;  // strides 4, 8, 16, finest first: [B, Ck, S /
                                                    // stride, S / stride]

// What the trained networks look like for a backbone.
struct Shape {
  std::array<std::int64_t, kNumScales> channels = {};  // C1, C2, C3 of the backbone's maps
  std::int64_t embedding_channels = 0;                 // of the bottleneck's output
  std::int64_t embedding_width = 0;  // of the one-class embedding's blocks; 0: basic blocks
  std::int64_t embedding_blocks = 0;
  std::array<std::int64_t, kNumScales> decoder_blocks = {};  // in decoder order, coarsest first
  std::array<std::int64_t, kNumScales> decoder_widths = {};  // 0: basic blocks
  bool relu_outputs = true;                                  // each decoder layer ends in a ReLU
  bool unused_conv4 = false;
};
Shape shape_for(const RdOptions& options);

// Squeezes three feature maps into one of stride 32: multi-scale feature fusion and one-class
// embedding.
class Bottleneck : public torch::nn::Module {
 public:
  Bottleneck(const Shape& shape, const at::TensorOptions& tensor);

  struct Output {
    at::Tensor reduced1,
        reduced2;          // F1, F2 brought to F3's size and channels: [B, C3, S / 16, S / 16]
    at::Tensor embedding;  // [B, embedding_channels, S / 32, S / 32]
  };
  Output forward(const Scales& features) const;

 private:
  ConvNorm first1_, second1_, first2_;
  std::shared_ptr<ResidualLayer> embedding_;
};

// Rebuilds the three maps from the embedding.
class Decoder : public torch::nn::Module {
 public:
  Decoder(const Shape& shape, const at::TensorOptions& tensor);
  Scales forward(const at::Tensor& embedding) const;  // G1, G2, G3, of the shapes of F1, F2, F3

 private:
  std::vector<std::shared_ptr<ResidualLayer>> layers_;  // coarsest first
};

// Everything that a model holds: frozen encoder, trained bottleneck ("bn") and decoder.
struct Network {
  Network(const RdOptions& options, const at::TensorOptions& tensor);

  Scales encode(const at::Tensor& images) const;
  Scales rebuild(const Scales& features) const {
    return decoder->forward(bottleneck->forward(features).embedding);
  }
  void train(bool on) const;

  // Draws bottleneck and decoder (card section 4) and the encoder (random features, until weights
  // are loaded).
  void initialise(const Streams& streams) const;

  NamedTensors trained() const;  // parameters "bn.*" and "decoder.*"
  NamedTensors state() const;    // "encoder.*", "bn.*", "decoder.*", buffers included

  std::unique_ptr<FeatureBackbone> encoder;
  std::shared_ptr<Bottleneck> bottleneck;
  std::shared_ptr<Decoder> decoder;
};

// Losses per scale, 0-d each; the training loss is their sum.
Scales scale_losses(const std::string& kind, const Scales& features, const Scales& rebuilt);

struct AnomalyMaps {
  Scales by_scale;    // distances of each scale at input size: [B, S, S]
  at::Tensor raw;     // combined: [B, S, S]
  at::Tensor smooth;  // after the Gaussian: [B, S, S] float64
};
AnomalyMaps anomaly_maps(const RdOptions& options, const Scales& features, const Scales& rebuilt);

}  // namespace adb::rd
