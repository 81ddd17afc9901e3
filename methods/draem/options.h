#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "methods/method.h"

namespace adb::draem {

// Defaults: the multi-class recipe of card draem, section 6.
struct DraemOptions : CommonOptions {
  DraemOptions() { epochs = 300; }

  std::int64_t base_width = 128;
  std::int64_t base_channels = 64;
  double lr = 1e-4;
  std::string schedule = "step";
  double clip_norm = 5.0;
  std::string image_score = "inside";
  std::string channel_order = "rgb";
  std::string sampling = "with_replacement";
  double normal_probability = 0.5;
  double rotation_probability = 0.3;
  std::int64_t texture_augmenters = 3;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.integer("base_width",
              base_width,
              {1, 1024},
              "width of the reconstructive network's first convolutions; the deepest have 8 times "
              "as many");
    v.integer("base_channels",
              base_channels,
              {1, 1024},
              "width of the discriminative network's first convolutions");
    v.number("lr", lr, {0, 10}, "learning rate at a batch of 8; scaled by batch / 8");
    v.choice(
        "schedule",
        schedule,
        {"step", "two_steps", "constant"},
        "step: rate x 0.1 once after 80 % of the epochs; two_steps (the author's): x 0.2 after "
        "80 % and again after 90 %");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients of both networks; 0: no clipping");
    v.choice("image_score",
             image_score,
             {"inside", "padded"},
             "maximum of the map's 21 x 21 means: inside: windows inside the map; padded (the "
             "author's): zeros around the map count");
    v.choice("channel_order",
             channel_order,
             {"rgb", "bgr"},
             "what the networks see; the published weights want bgr");
    v.choice("sampling",
             sampling,
             {"with_replacement", "permutation"},
             "how an epoch takes its images: drawn afresh for every place, or each one once");
    v.number("normal_probability", normal_probability, {0, 1}, "share of samples left normal");
    v.number("rotation_probability",
             rotation_probability,
             {0, 1},
             "share of samples whose image is rotated before the defect is made");
    v.integer("texture_augmenters",
              texture_augmenters,
              {0, 10},
              "how many of the ten augmenters change a texture before it is pasted");
  }

  // Five halvings in the discriminative network.
  void validate() const {
    ADB_CHECK(image_size % 32 == 0,
              ErrorKind::kUsage,
              "draem: image_size must be a multiple of 32, got {}",
              image_size);
  }
};

}  // namespace adb::draem
