#pragma once

#include <cstdint>
#include <string>

#include "methods/method.h"
#include "nn/backbone.h"

namespace adb::uniad {

constexpr std::int64_t kStride = 16;  // input pixels along a side of a grid position

// Defaults: the multi-class recipe of card uniad, section 7, at the epochs of the `paper` protocol.
struct UniadOptions : CommonOptions {
  UniadOptions() {}  // not an aggregate: g++ 12 takes the strings of one for uninitialised

  std::string backbone = "tf_efficientnet_b4";
  std::int64_t neighbor_size = 0;
  std::int64_t hidden_dim = 256;
  std::int64_t heads = 8;
  std::int64_t encoder_layers = 4;
  std::int64_t decoder_layers = 4;
  std::int64_t feedforward = 1024;
  double dropout = 0.1;
  double jitter_scale = 20;
  double jitter_prob = 1;
  std::string loss = "mse";
  double lr = 1e-4;
  double weight_decay = 1e-4;
  std::string weight_decay_on = "matrices";
  std::string schedule = "step";
  double clip_norm = 5;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.choice("backbone", backbone, backbone_names(), "frozen encoder");
    v.integer("neighbor_size",
              neighbor_size,
              {0, 128},
              "n: no attention within n / 2 (rounded down) rows and columns; 0: image_size / 32");
    v.integer("hidden_dim", hidden_dim, {2, 4096}, "width of the transformer; even");
    v.integer("heads", heads, {1, 256}, "attention heads; must divide hidden_dim");
    v.integer("encoder_layers", encoder_layers, {1, 64}, "transformer encoder layers");
    v.integer("decoder_layers", decoder_layers, {1, 64}, "transformer decoder layers");
    v.integer("feedforward", feedforward, {1, 65536}, "hidden width of the feed-forward parts");
    v.number("dropout", dropout, {0, 0.99}, "dropout rate in the transformer");
    v.number("jitter_scale",
             jitter_scale,
             {0, 1e6},
             "noise on a training token: normal draws times this, times its norm / channels");
    v.number(
        "jitter_prob", jitter_prob, {0, 1}, "probability that a training batch gets the noise");
    v.choice("loss",
             loss,
             {"mse", "l1", "cos_pixel", "cos_flat"},
             "distance of rebuilt and encoder features in training; the map stays the L2 distance");
    v.number("lr", lr, {0, 10}, "learning rate at a batch of 8; scaled by batch / 8");
    v.number("weight_decay", weight_decay, {0, 10}, "decoupled weight decay of AdamW");
    v.choice(
        "weight_decay_on",
        weight_decay_on,
        {"matrices", "all"},
        "matrices: tensors of rank 2 and above, embeddings included; all: norms and biases, too");
    v.choice("schedule",
             schedule,
             {"step", "every_800_epochs"},
             "step: rate x 0.1 once after 80 % of the epochs; every_800_epochs: the authors'");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients; 0: no clipping");
  }

  std::int64_t grid() const { return image_size / kStride; }
  // Positions along each direction from a position that it may not attend to.
  std::int64_t neighbor_radius() const {
    return (neighbor_size > 0 ? neighbor_size : image_size / 32) / 2;
  }

  // throws: Error(kUsage)
  void validate() const;
};

}  // namespace adb::uniad
