#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "methods/method.h"

namespace adb::vitad {

// A published encoder: which weights, and the shape that follows from them (card vitad, sections 7
// and 8).
struct Backbone {
  std::string name;
  std::string checkpoint;  // in configs/weights.yaml
  std::int64_t patch = 16;
  std::int64_t dim = 384;
  std::int64_t heads = 6;
  std::int64_t depth = 12;
  std::int64_t decoder_heads = 6;
  bool distilled = false;  // two prefix tokens
  bool norm_pre = false;   // a LayerNorm in front of the blocks
  bool patch_bias = true;
  bool fixed_position = false;  // sine-cosine position embedding
  double eps = 1e-6;            // of the encoder's LayerNorms
};

// The backbone "vit" has no entry: patch, dim, heads and encoder_depth describe it.
const std::vector<Backbone>& backbones();

// What an option value of 0 or [] stands for is decided in `resolve`.
// Defaults: the multi-class recipe of card vitad, section 5.
struct VitadOptions : CommonOptions {
  VitadOptions() {}  // not an aggregate: g++ 12 takes the strings of one for uninitialised

  std::string backbone = "dino_s16";
  std::int64_t patch = 0;
  std::int64_t dim = 0;
  std::int64_t heads = 0;
  std::int64_t encoder_depth = 0;
  std::vector<std::int64_t> teachers;
  std::vector<std::int64_t> neck;
  std::vector<std::int64_t> students;
  std::int64_t decoder_depth = 0;
  std::string fuser = "linear";
  std::int64_t fuser_blocks = 1;
  bool neck_after_final_norm = false;
  bool keep_class_token = false;
  bool decoder_position_embedding = true;
  bool clip_skip_norm_pre = false;
  std::string loss = "cos_flat";
  double lr = 1e-4;
  double weight_decay = 1e-4;
  double clip_norm = 5.0;
  std::string scheduler = "step";
  std::string augment = "none";
  bool augment_tests = false;
  bool augment_resized = true;

  template <class V>
  void visit(V& v) {
    visit_common(v);
    std::vector<std::string> names = {"vit"};
    for (const auto& known : backbones()) {
      names.push_back(known.name);
    }
    v.choice("backbone",
             backbone,
             names,
             "frozen encoder, by its weights; vit: one described by patch, dim, heads and "
             "encoder_depth");
    v.integer("patch", patch, {0, 64}, "side of a patch in pixels; 0: the backbone's");
    v.integer("dim", dim, {0, 4096}, "width of encoder and decoder; 0: the backbone's");
    v.integer("heads", heads, {0, 64}, "attention heads of the encoder; 0: the backbone's");
    v.integer("encoder_depth",
              encoder_depth,
              {0, 64},
              "blocks of the encoder; 0: the backbone's, fewer cut it off");
    v.integers("teachers",
               teachers,
               {0, 64},
               "encoder blocks whose tokens are to be rebuilt, 0 = tokens entering block 1; []: "
               "after 1/4, 2/4 and 3/4 of the depth");
    v.integers("neck", neck, {0, 64}, "encoder blocks whose tokens the fuser gets; []: the last");
    v.integers("students",
               students,
               {1, 64},
               "decoder blocks that rebuild the teachers, the first one the deepest teacher; []: "
               "as the default teachers");
    v.integer("decoder_depth",
              decoder_depth,
              {0, 64},
              "blocks of the decoder; 0: as many as the last student needs");
    v.choice("fuser",
             fuser,
             {"linear", "cat", "add", "vit", "conv", "identity"},
             "what stands between encoder and decoder; cat and add take several neck features");
    v.integer("fuser_blocks", fuser_blocks, {1, 16}, "blocks of the vit and conv fusers");
    v.boolean("neck_after_final_norm",
              neck_after_final_norm,
              "give the fuser the tokens behind the encoder's final LayerNorm");
    v.boolean(
        "keep_class_token", keep_class_token, "give the class token to fuser and decoder, too");
    v.boolean("decoder_position_embedding",
              decoder_position_embedding,
              "add a learned position embedding in front of the decoder");
    v.boolean("clip_skip_norm_pre",
              clip_skip_norm_pre,
              "leave out the LayerNorm in front of CLIP's blocks, as the published code does");
    v.choice("loss",
             loss,
             {"cos_flat", "cos_pixel", "l1", "mse"},
             "distance of rebuilt and encoder features in training");
    v.number("lr", lr, {0, 10}, "learning rate at a batch of 8; scaled by batch / 8");
    v.number(
        "weight_decay", weight_decay, {0, 10}, "decoupled decay of tensors of rank 2 and above");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients; 0: no clipping");
    v.choice("scheduler",
             scheduler,
             {"step", "cosine"},
             "step: rate x 0.1 once after 80 % of the epochs; cosine: down to rate / 100");
    v.choice("augment",
             augment,
             {"none", "cc_cj", "cc_rhf", "cc_rr", "rrc", "all"},
             "random changes of training images: colour jitter, horizontal flip, rotation, resized "
             "crop");
    v.boolean("augment_tests",
              augment_tests,
              "change test images alike, but not their masks, as the published code very probably "
              "did: figures then mean little");
    v.boolean(
        "augment_resized",
        augment_resized,
        "change images that were resized to the input's size; false: images of their own size, "
        "cropped to the input's, as the published code very probably did");
  }

  void validate() const;  // throws: Error(kUsage) for options that do not fit together
};

// The options with everything decided: no zeros, no empty lists.
struct Architecture {
  Backbone encoder;  // depth is the number of blocks that are built
  std::int64_t image_size = 0;
  std::int64_t grid = 0;  // tokens along a side
  std::vector<std::int64_t> teachers, neck, students;
  std::int64_t decoder_depth = 0;
};

// throws: Error(kUsage) for options that do not fit together
Architecture resolve(const VitadOptions& options);

}  // namespace adb::vitad
