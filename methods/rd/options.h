#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "methods/method.h"
#include "nn/backbone.h"

namespace adb::rd {

// Defaults: the multi-class recipe of card RD, section 5.
struct RdOptions : CommonOptions {
  RdOptions() { batch = 16; }

  std::string backbone = "wide_resnet50_2";
  std::int64_t bottleneck_width_per_group = 64;
  bool bottleneck_has_unused_conv4_bn4 = false;
  std::string loss = "cos_flat";
  double lr = 0.005;
  std::string schedule = "step";
  double clip_norm = 5.0;
  std::string map = "sum/9";
  double sigma = 4.0;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.choice("backbone", backbone, backbone_names(), "frozen encoder");
    v.integer("bottleneck_width_per_group",
              bottleneck_width_per_group,
              {1, 1024},
              "width of the one-class embedding is 8 times this (networks of bottleneck blocks "
              "only); the author's: 128");
    v.boolean("bottleneck_has_unused_conv4_bn4",
              bottleneck_has_unused_conv4_bn4,
              "build the two modules that the author's bottleneck holds and never uses");
    v.choice("loss",
             loss,
             {"cos_flat", "cos_pixel", "mse", "l1"},
             "distance of rebuilt and encoder features");
    v.number("lr", lr, {0, 10}, "learning rate at a batch of 16; scaled by batch / 16");
    v.choice("schedule",
             schedule,
             {"step", "constant"},
             "step: rate x 0.1 once after 80 % of the epochs");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients; 0: no clipping");
    v.choice("map", map, {"sum/9", "sum"}, "how the three distance maps become one");
    v.number("sigma", sigma, {0, 64}, "Gaussian smoothing of the map, in pixels; 0: none");
  }

  void validate() const {
    ADB_CHECK(image_size % 32 == 0,
              ErrorKind::kUsage,
              "rd: image_size must be a multiple of 32, got {}",
              image_size);
  }
};

}  // namespace adb::rd
