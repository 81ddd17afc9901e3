#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "methods/method.h"

namespace adb::destseg {

// Defaults: the multi-class recipe of card destseg, section 6.
struct DestsegOptions : CommonOptions {
  DestsegOptions() { batch = 32; }

  std::string backbone = "resnet18";
  bool encoder_decoder_student = true;
  bool dest = true;
  double gamma = 4;
  double lr_student = 0.4;
  double lr_res = 0.1;
  double lr_head = 0.01;
  double weight_decay = 1e-4;
  bool decay_student_norms = false;
  double clip_norm = 5.0;
  std::string map = "segmentation";
  std::string image_score = "top";
  std::int64_t top_values = 100;
  std::string channel_order = "rgb";
  std::string sampling = "with_replacement";
  std::string rotation = "none";

  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.choice(
        "backbone",
        backbone,
        {"resnet18", "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"},
        "teacher: the frozen encoder; the student's encoder is always a ResNet-18");
    v.boolean("encoder_decoder_student",
              encoder_decoder_student,
              "false (ablation): the student has no decoder, its encoder gives the features");
    v.boolean("dest",
              dest,
              "false (ablation): the student is trained on clean images, not on corrupted ones");
    v.number("gamma", gamma, {1, 16}, "exponent of the focal loss");
    v.number("lr_student",
             lr_student,
             {0, 100},
             "learning rate of the student at a batch of 32; all three are scaled by batch / 32");
    v.number("lr_res", lr_res, {0, 100}, "of the segmentation network's residual blocks");
    v.number("lr_head", lr_head, {0, 100}, "of the segmentation network's head");
    v.number("weight_decay", weight_decay, {0, 1}, "added to the gradient, times the parameter");
    v.boolean(
        "decay_student_norms",
        decay_student_norms,
        "true (the authors'): the student's batch norms decay, too; those of the segmentation "
        "network always do");
    v.number("clip_norm",
             clip_norm,
             {0, 1e9},
             "largest global L2 norm of the gradients of the network in training; 0: no clipping");
    v.choice("map",
             map,
             {"segmentation", "cosine"},
             "segmentation network's output, or the product of student's and teacher's distances");
    v.choice("image_score",
             image_score,
             {"top", "max"},
             "of the full-size map: mean of the T largest values, or the largest (ADer's)");
    v.integer("T", top_values, {1, 4194304}, "values that the image score averages");
    v.choice(
        "channel_order",
        channel_order,
        {"rgb", "bgr"},
        "what the networks see; bgr, normalised with the statistics of RGB, is what ADer's do");
    v.choice("sampling",
             sampling,
             {"with_replacement", "permutation"},
             "how an epoch takes its images: drawn afresh for every place, or each one once");
    v.choice("rotation",
             rotation,
             {"none", "small", "quarter_turns"},
             "of training images before the defect is made: none, by up to 5 degrees, or by a "
             "multiple of 90 and then up to 5 degrees (the authors choose per category)");
  }

  void validate() const {
    ADB_CHECK(batch >= 2,
              ErrorKind::kUsage,
              "destseg: batch must be at least 2 (one branch normalises a single value per image "
              "over the batch), got {}",
              batch);
    ADB_CHECK(encoder_decoder_student || backbone == "resnet18",
              ErrorKind::kUsage,
              "destseg: encoder_decoder_student: false needs backbone resnet18, whose features the "
              "student's encoder can give; got '{}'",
              backbone);
  }
};

}  // namespace adb::destseg
