// The two networks of DRÆM (card draem, section 3).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "methods/draem/options.h"
#include "nn/conv.h"
#include "tensor/tensor.h"

namespace adb::draem {

inline constexpr std::int64_t kPool = 21;  // side of the image score's windows

class Double;
class Up;

// Called with a part's name ("encoder.block1") and its output after the last ReLU.
using Tap = std::function<void(const std::string& name, const at::Tensor& output)>;

// The reconstructive network: an autoencoder without skips, b = base_width.
// [N,3,S,S] -> block1 [b,S,S] -> block2 [2b,S/2,S/2] -> block3 [4b,S/4,S/4] -> block4 [8b,S/8,S/8]
// -> block5 [8b,S/16,S/16] -> up1, db1 [4b,S/8,S/8] -> up2, db2 [2b,S/4,S/4] -> up3, db3
// [b,S/2,S/2] -> up4, db4 [b,S,S] -> fin_out [3,S,S], unbounded
class Reconstructive : public torch::nn::Module {
 public:
  Reconstructive(std::int64_t base_width, const at::TensorOptions& tensor);
  at::Tensor forward(at::Tensor x, const Tap& tap = {}) const;

 private:
  std::vector<std::shared_ptr<Double>> blocks_, doubles_;
  std::vector<std::shared_ptr<Up>> ups_;
  std::shared_ptr<Conv> out_;
};

// The discriminative network: a U-Net, c = base_channels.
// [N,6,S,S] -> block1 [c,S,S] -> block2 [2c,S/2,S/2] -> block3 [4c,S/4,S/4] -> block4 [8c,S/8,S/8]
// -> block5 [8c,S/16,S/16] -> block6 [8c,S/32,S/32] -> up_b, db_b with block5 [8c,S/16,S/16] ->
// up1, db1 with block4 [4c,S/8,S/8] -> up2, db2 with block3 [2c,S/4,S/4] -> up3, db3 with block2
// [c,S/2,S/2] -> up4, db4 with block1 [c,S,S] -> fin_out [2,S,S]
class Discriminative : public torch::nn::Module {
 public:
  Discriminative(std::int64_t base_channels, const at::TensorOptions& tensor);
  at::Tensor forward(at::Tensor x, const Tap& tap = {}) const;  // logits: normal, defect

 private:
  std::vector<std::shared_ptr<Double>> blocks_, doubles_;
  std::vector<std::shared_ptr<Up>> ups_;
  std::vector<std::string> levels_;  // "b", "1", ...: how up_ and db_ end
  std::shared_ptr<Conv> out_;
};

// Both together.
struct Network {
  Network(const DraemOptions& options, const at::TensorOptions& tensor);

  struct Output {
    at::Tensor reconstruction;  // [B, 3, S, S]
    at::Tensor logits;          // [B, 2, S, S]
    at::Tensor probabilities;   // [B, 2, S, S]; channel 1 is the anomaly map
  };
  // images: [B, 3, S, S] in [0, 1], S a multiple of 32. Names given to `tap` start with "model." or
  // "model_seg.".
  Output forward(const at::Tensor& images, const Tap& tap = {}) const;

  void train(bool on) const;
  // Weight of the newest batch in the running statistics; 0.1 from the start.
  void set_momentum(double momentum) const;
  // Card section 4. The stream of each entry is "init.draem.NAME".
  void initialise(const Streams& streams) const;

  NamedTensors parameters() const;  // "model.*" and "model_seg.*"; all are trained
  NamedTensors state() const;       // with buffers

  std::shared_ptr<Reconstructive> model;
  std::shared_ptr<Discriminative> model_seg;
};

// The three terms of the training loss, 0-d each.
struct Losses {
  at::Tensor mse, ssim, focal;
  at::Tensor total() const { return mse + ssim + focal; }
};
//   target: [B, 3, S, S] clean image   mask: [B, 1, S, S] of 0 and 1   range: 0-d,
//   nn/image_losses.h window: [1, 1, K, K]
Losses losses_of(const Network::Output& output,
                 const at::Tensor& target,
                 const at::Tensor& mask,
                 const at::Tensor& range,
                 const at::Tensor& window);

// 21 x 21 means with stride 1, in double, of maps [B, S, S]. padded: zeros around the map, which
// count in the mean, [B, S, S]; else windows inside it, [B, S - 20, S - 20].
at::Tensor pooled_maps(const at::Tensor& maps, bool padded);

}  // namespace adb::draem
