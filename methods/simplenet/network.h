// The networks of SimpleNet, its patch features and its anomaly map (card simplenet, sections 3 to
// 6).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "methods/simplenet/options.h"
#include "nn/backbone.h"
#include "nn/batch_norm.h"
#include "nn/optim.h"
#include "nn/vit.h"
#include "tensor/tensor.h"

namespace adb::simplenet {

constexpr std::size_t kNumLevels = 2;
using Levels = std::array<at::Tensor, kNumLevels>;  // strides 8 and 16: [B, C, H, W] each

// Pools the patches around each position of two feature maps to one vector a position.
//
// By definition a patch is C x k x k numbers, flattened; an adaptive average pooling makes P of
// them; those of the coarser map are resized bilinearly to the finer one's grid; the two vectors,
// one behind the other, are pooled to T numbers (card section 3, steps 2 to 5). All of that is
// linear, and the poolings act on every position alike, so each output is one weighted sum over
// shifted copies of a few channels, and only its coarser part is resized. The k * k times larger
// unfolded maps never exist; for WideResNet an output is a mean of 6 or 12 numbers.
class PatchAggregation {
 public:
  // channels: of the finer and the coarser map
  PatchAggregation(const std::array<std::int64_t, kNumLevels>& channels,
                   const SimplenetOptions& options);

  // [B, C0, H, W] and [B, C1, H', W'] -> [B * h * w, T], row = (image * h + y) * w + x, without
  // gradient. (h, w) is the finer map's grid of patches. An image's rows do not depend on the rest
  // of the batch.
  at::Tensor operator()(const Levels& maps) const;

  // Patches along an axis of n positions.
  std::int64_t patches(std::int64_t n) const { return (n + 2 * padding_ - size_) / stride_ + 1; }

 private:
  // output += weight * (channel, shifted by (row, column)), of each group of channels and outputs.
  struct Tap {
    std::int64_t output, channel, row, column;
    double weight;
  };
  // One map's part of the outputs. The weights repeat from group to group.
  struct Plan {
    std::int64_t channels = 0;
    std::int64_t first_output = 0, num_outputs = 0, num_groups = 1;
    std::vector<Tap> taps;
  };

  Plan plan_for(std::size_t level, std::int64_t channels, std::int64_t pooled) const;
  at::Tensor pooled(const Plan& plan, const at::Tensor& map) const;

  std::int64_t size_, stride_, padding_, dimension_;
  std::array<Plan, kNumLevels> plans_;
};

// `pre_projection`: linear layers, [N, T] -> [N, T].
class Projection : public torch::nn::Module {
 public:
  Projection(std::int64_t dimension, std::int64_t num_layers, const at::TensorOptions& tensor);
  at::Tensor forward(at::Tensor x) const;

 private:
  std::vector<std::shared_ptr<LinearLayer>> layers_;
};

// `discriminator`: [N, T] -> Linear [N, hidden] -> BatchNorm -> LeakyReLU 0.2 -> Linear [N]; high
// for normal patches. In training mode the statistics are those of all N rows.
class Discriminator : public torch::nn::Module {
 public:
  Discriminator(std::int64_t dimension, std::int64_t hidden, const at::TensorOptions& tensor);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::shared_ptr<LinearLayer> first_;
  std::shared_ptr<BatchNorm> norm_;
  at::Tensor tail_weight_;
};

// Everything that a model holds: frozen encoder, trained projection and discriminator.
class Network {
 public:
  Network(const SimplenetOptions& options, const at::TensorOptions& tensor);

  // Feature maps of images [B, 3, S, S]. Bitwise the same for an image alone, in any batch and at
  // any place.
  Levels encode(const at::Tensor& images) const;

  // Patch features, divided by `embedding_scale` where that is known: [B * h * w, T], without
  // gradient.
  at::Tensor embedding(const Levels& maps) const;

  // Sets `embedding_scale` to the standard deviation over all entries of the undivided embeddings
  // of `num_images` images. next: the maps of one image, B = 1
  //   throws: Error(kNumeric) when they do not vary or are not finite
  void calibrate(std::int64_t num_images, const std::function<Levels()>& next);

  void train(bool on) const;  // projection and discriminator

  // Draws everything (card section 4); the encoder counts as random until weights are loaded.
  void initialise(const Streams& streams) const;

  NamedTensors trained() const;  // parameters "pre_projection.*", "discriminator.*"
  NamedTensors state()
      const;  // "backbone.*" and the above, buffers included, without `embedding_scale`

  std::unique_ptr<FeatureBackbone> backbone;
  PatchAggregation aggregation;
  std::shared_ptr<Projection> projection;
  std::shared_ptr<Discriminator> discriminator;
  at::Tensor embedding_scale;  // 0-d float64 on the CPU; 0: not known yet
};

// The two means of the hinge loss (card section 5), 0-d each.
//   embedding, noise: [N, T]
struct HingeLosses {
  at::Tensor on_true, on_fake;
};
HingeLosses hinge_losses(const Network& network,
                         const at::Tensor& embedding,
                         const at::Tensor& noise,
                         double margin);

// Normal draws for the patches of each image, [B * rows, dimension] float32. Row r of an image has
// the standard deviation std * 1.1^k, k drawn from 0 .. mix - 1. What a patch gets depends on seed,
// epoch and image alone.
at::Tensor draw_noise(const Streams& streams,
                      std::int64_t epoch,
                      const std::vector<std::int64_t>& ids,
                      std::int64_t rows,
                      std::int64_t dimension,
                      double std,
                      std::int64_t mix);

// An optimiser over `parameters`; decay_on as the option `weight_decay_on`.
Optimiser make_optimiser(const OptimiserRule& rule,
                         const NamedTensors& parameters,
                         const std::string& group,
                         double lr,
                         double weight_decay,
                         const std::string& decay_on);

struct AnomalyMaps {
  at::Tensor patches;  // minus the discriminator's output: [B, h, w]
  at::Tensor raw;      // upsampled: [B, S, S]
  at::Tensor smooth;   // [B, S, S] float64
};
// projected: [B * h * w, T]   maps: the feature maps that it was made from
AnomalyMaps anomaly_maps(const SimplenetOptions& options,
                         const Network& network,
                         const at::Tensor& projected,
                         const Levels& maps);

}  // namespace adb::simplenet
