#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "methods/method.h"
#include "nn/backbone.h"

namespace adb::simplenet {

// The backbone of the published method. With its pretrained weights the published noise fits its
// embedding; everything else is scaled to unit spread (card section 3.5).
constexpr const char* kPublishedBackbone = "wide_resnet50_2";

// Defaults: the multi-class recipe of card simplenet, section 5.
struct SimplenetOptions : CommonOptions {
  SimplenetOptions() { batch = 32; }

  std::string backbone = kPublishedBackbone;
  std::int64_t patch_size = 3;
  std::int64_t patch_stride = 1;
  std::int64_t pretrain_embed_dimension = 1536;
  std::int64_t target_embed_dimension = 1536;
  std::int64_t pre_projection_layers = 1;
  std::int64_t discriminator_hidden = 1024;
  double margin = 0.5;
  double noise_std = 0;
  std::int64_t mix_noise = 1;
  double pre_projection_lr = 1e-4;
  double pre_projection_weight_decay = 0.01;
  double discriminator_lr = 2e-4;
  double discriminator_weight_decay = 1e-5;
  std::string weight_decay_on = "matrices";
  std::string schedule = "constant";
  double clip_norm = 5;
  double sigma = 4;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.choice("backbone", backbone, backbone_names(), "frozen encoder");
    v.integer("patch_size", patch_size, {1, 9}, "side of a patch in positions of a feature map");
    v.integer("patch_stride", patch_stride, {1, 8}, "positions from one patch to the next");
    v.integer("pretrain_embed_dimension",
              pretrain_embed_dimension,
              {1, 4096},
              "numbers that a patch of one feature map is pooled to");
    v.integer("target_embed_dimension",
              target_embed_dimension,
              {1, 4096},
              "numbers that the patches of both maps are pooled to: the embedding");
    v.integer("pre_projection_layers",
              pre_projection_layers,
              {1, 4},
              "linear layers of the projection, nothing between them");
    v.integer("discriminator_hidden",
              discriminator_hidden,
              {1, 16384},
              "hidden width of the discriminator");
    v.number("margin", margin, {0, 1000}, "margin of both parts of the loss");
    v.number("noise_std",
             noise_std,
             {0, 1000},
             "standard deviation of the noise; 0: 0.015 on a pretrained wide_resnet50_2, else 1");
    v.integer("mix_noise",
              mix_noise,
              {1, 16},
              "K: each patch draws k of 0 .. K-1, its noise is 1.1^k times as strong");
    v.number("pre_projection_lr", pre_projection_lr, {0, 10}, "learning rate of the projection");
    v.number("pre_projection_weight_decay",
             pre_projection_weight_decay,
             {0, 10},
             "decoupled weight decay of the projection (AdamW)");
    v.number("discriminator_lr", discriminator_lr, {0, 10}, "learning rate of the discriminator");
    v.number("discriminator_weight_decay",
             discriminator_weight_decay,
             {0, 10},
             "weight decay of the discriminator, added to the gradient (Adam)");
    v.choice("weight_decay_on",
             weight_decay_on,
             {"matrices", "all"},
             "matrices: tensors of rank 2 and above; all: biases and norms, too");
    v.choice("schedule",
             schedule,
             {"constant", "cosine"},
             "cosine: the author's switch cos_lr, the discriminator's rate falls to 0.4 times");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients of projection and discriminator, each by "
             "itself; 0: no clipping");
    v.number("sigma", sigma, {0, 64}, "Gaussian smoothing of the map, in pixels; 0: none");
  }

  // throws: Error(kUsage)
  void validate() const {
    ADB_CHECK(image_size % 16 == 0,
              ErrorKind::kUsage,
              "simplenet: image_size must be a multiple of 16, got {}",
              image_size);
    // Else the first feature map does not hold one whole patch.
    ADB_CHECK(image_size / 16 + 2 * ((patch_size - 1) / 2) >= patch_size,
              ErrorKind::kUsage,
              "simplenet: patch_size {} is too large for image_size {}",
              patch_size,
              image_size);
  }
};

}  // namespace adb::simplenet
