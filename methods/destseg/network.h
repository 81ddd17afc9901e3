// The networks of DeSTSeg (card destseg, section 3), with the published parameter names.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "core/seed.h"
#include "methods/destseg/options.h"
#include "nn/backbone.h"
#include "nn/residual.h"
#include "tensor/tensor.h"

namespace adb::destseg {

constexpr std::size_t kNumLevels = 3;
using Levels =
    std::array<at::Tensor, kNumLevels>;  // strides 4, 8, 16, finest first: [B, Ck, Hk, Wk]

// Sees the outputs of modules under their full names, after their last ReLU.
using Tap = std::function<void(const std::string& name, const at::Tensor& output)>;

// [B,3,S,S] -> ResNet-18 -> [B,512,S/32,S/32] -> decoder, a layer per level, each behind a bilinear
// resize -> [B,C3,S/16,S/16], [B,C2,S/8,S/8], [B,C1,S/4,S/4]; no connections past the bottleneck
class Student : public torch::nn::Module {
 public:
  // channels: C1, C2, C3 of the teacher's levels. relu_outputs: those are outputs of a ReLU.
  Student(const DestsegOptions& options,
          const std::array<std::int64_t, kNumLevels>& channels,
          bool relu_outputs,
          const at::TensorOptions& tensor);
  Levels forward(const at::Tensor& images, const Tap& tap = {}) const;
  void initialise(const Streams& streams, const std::string& prefix) const;

 private:
  std::shared_ptr<ResNet> encoder_;
  std::vector<std::shared_ptr<ResidualLayer>> decoder_;  // coarsest first; empty: no decoder
};

class Head;

// [B,C1+C2+C3,H,W] -> res -> [B,256,H,W] -> head: atrous spatial pyramid pooling (Chen et al.
// 2017), 3 x 3, 1 x 1 -> logits [B,1,H,W]
class Segmentation : public torch::nn::Module {
 public:
  Segmentation(std::int64_t in, const at::TensorOptions& tensor);
  // In training mode the batch must hold at least two images.
  at::Tensor forward(const at::Tensor& input, const Tap& tap = {}) const;
  void initialise(const Streams& streams, const std::string& prefix) const;

 private:
  std::shared_ptr<ResidualLayer> res_;
  std::shared_ptr<Head> head_;
};

// Everything that a model holds.
struct Network {
  Network(const DestsegOptions& options, const at::TensorOptions& tensor);

  Levels teach(const at::Tensor& images) const;  // the frozen teacher's features

  // Training modes of the two trained networks.
  struct Modes {
    bool student = false;
    bool segmentation = false;
  };
  void set_modes(const Modes& modes) const;
  // Weight of the newest batch in the running statistics; 0.1 from the start.
  void set_momentum(double momentum) const;

  // Draws both trained networks (card section 4) and the teacher (random features, until weights
  // are loaded). The stream of each weight is "init.destseg.NAME".
  void initialise(const Streams& streams) const;

  NamedTensors student_parameters() const;       // "student_net.*"
  NamedTensors segmentation_parameters() const;  // "segmentation_net.*"
  NamedTensors state() const;                    // with "teacher_net.encoder.*" and buffers

  std::unique_ptr<FeatureBackbone> teacher;
  std::shared_ptr<Student> student;
  std::shared_ptr<Segmentation> segmentation;
};

// F / (|F| + 1e-12) along the channels. The derivative of the norm at 0 counts as 0.
at::Tensor normalised(const at::Tensor& features);

// 1 - cosine of student and teacher at every position of each level: [B, 1, Hk, Wk].
Levels cosine_maps(const Levels& student, const Levels& teacher);

// What the segmentation network sees: minus the products of both normalised features at every
// channel, at the size of the first level, one level behind the other: [B, C1 + C2 + C3, H1, W1].
at::Tensor segmentation_input(const Levels& student, const Levels& teacher);

// The product of the three cosine maps at the size of the first: [B, 1, H1, W1].
at::Tensor cosine_product(const Levels& maps);

// [B, 1, S, S] of 0 and 1 -> bilinear resize to the size of `like` [B, 1, H, W] -> 0 where < 0.5,
// else 1, with the dtype of `like`.
at::Tensor mask_at(const at::Tensor& mask, const at::Tensor& like);

// Mean over positions of each level's map, SUMMED over levels and images: 0-d.
at::Tensor student_loss(const Levels& cosine_maps);

// Terms of the segmentation network's loss, 0-d each.
struct SegmentationLosses {
  at::Tensor l1, focal;  // focal is float32 whatever the dtype
  at::Tensor total() const { return l1 + focal; }
};
//   probability, mask: [B, 1, H, W]
SegmentationLosses segmentation_losses(const at::Tensor& probability,
                                       const at::Tensor& mask,
                                       double gamma);

}  // namespace adb::destseg
