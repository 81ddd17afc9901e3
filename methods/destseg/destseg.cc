#include "methods/destseg/destseg.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <torch/torch.h>

#include "core/error.h"
#include "methods/destseg/golden.h"
#include "methods/destseg/network.h"
#include "methods/destseg/sample.h"
#include "methods/optional.h"
#include "nn/module_state.h"
#include "nn/optim.h"
#include "tensor/maps.h"

namespace adb {

std::int64_t destseg::student_steps(const StepPlan& plan) {
  if (plan.epochs == 1) {
    return std::max<std::int64_t>(1, plan.total_steps() / 5);
  }
  return std::max<std::int64_t>(1, plan.epochs / 5) * plan.steps_per_epoch;
}

namespace {

using destseg::DestsegOptions;
using destseg::Levels;
using destseg::Network;

constexpr double kReferenceBatch = 32;  // the batch that the rates are stated for

OptimiserRule optimiser_rule() {
  OptimiserRule rule;
  rule.kind = OptimiserRule::Kind::kSgd;
  rule.momentum = 0.9;
  return rule;
}

const at::Tensor& field(const Batch& batch, const char* name) {
  const auto found = batch.fields.find(name);
  ADB_CHECK(found != batch.fields.end(),
            ErrorKind::kInternal,
            "destseg: a training batch without the field '{}'",
            name);
  return found->second;
}

NamedTensors with_prefix(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors chosen;
  for (const auto& named : tensors) {
    if (named.first.starts_with(prefix)) {
      chosen.push_back(named);
    }
  }
  return chosen;
}

class Destseg final : public Method, public RebuildsFeatures {
 public:
  Destseg(const DestsegOptions& options, const Context& context)
      : options_(options),
        tensor_(at::TensorOptions().dtype(context.dtype).device(context.device)),
        network_(options, tensor_),
        student_optimiser_(optimiser_rule()),
        segmentation_optimiser_(optimiser_rule()) {
    network_.initialise(context.streams);
    const auto student = split_for_decay(network_.student_parameters());
    const double lr = scaled(options_.lr_student);
    student_optimiser_.add_group("student", student.decayed, lr, options_.weight_decay);
    student_optimiser_.add_group("student_norms",
                                 student.plain,
                                 lr,
                                 options_.decay_student_norms ? options_.weight_decay : 0);
    const auto segmentation = network_.segmentation_parameters();
    for (const auto& [group, rate] :
         {std::pair("res", options_.lr_res), std::pair("head", options_.lr_head)}) {
      segmentation_optimiser_.add_group(
          group,
          with_prefix(segmentation, fmt::format("segmentation_net.{}.", group)),
          scaled(rate),
          options_.weight_decay);
    }
  }

  InputSpec input() const override {
    const auto& info = backbone_info(options_.backbone);
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    spec.mean = info.mean;
    spec.std = info.std;
    if (options_.channel_order == "bgr") {
      // Blue gets red's statistics and red blue's; `entering` swaps the channels themselves.
      std::swap(spec.mean[0], spec.mean[2]);
      std::swap(spec.std[0], spec.std[2]);
    }
    spec.order = options_.sampling == "permutation" ? InputSpec::Order::kPermutation
                                                    : InputSpec::Order::kWithReplacement;
    spec.needs_textures = true;
    spec.features_suffice = false;  // the student sees images
    spec.sample = destseg::sample_function(options_, spec.mean, spec.std);
    return spec;
  }

  StepResult step(const Batch& batch, const StepPlan& plan) override {
    return plan.step < destseg::student_steps(plan) ? student_step(batch, plan)
                                                    : segmentation_step(batch, plan);
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.student, network_.segmentation});
    const auto images = entering(batch.images);
    const auto teacher = taught(batch, images);
    const auto student = network_.student->forward(images);
    const auto coarse =
        options_.map == "cosine"
            ? destseg::cosine_product(destseg::cosine_maps(student, teacher))
            : network_.segmentation->forward(destseg::segmentation_input(student, teacher))
                  .sigmoid();
    const auto maps = upsample_maps(coarse.squeeze(1), images.size(3), /*align_corners=*/false);
    return {maps,
            options_.image_score == "max" ? pooled_maximum(maps, 1)
                                          : top_k_mean(maps, options_.top_values)};
  }

  std::vector<FeaturePair> feature_pairs(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const EvaluationMode evaluation({network_.student, network_.segmentation});
    const auto images = entering(batch.images);
    const auto teacher = taught(batch, images);
    const auto student = network_.student->forward(images);
    std::vector<FeaturePair> pairs;
    for (std::size_t k = 0; k < teacher.size(); ++k) {
      pairs.push_back({"layer" + std::to_string(k + 1), teacher[k], student[k]});
    }
    return pairs;
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    return network_.teacher->features(entering(images));
  }

  NamedTensors state() const override { return network_.state(); }

  NamedTensors optimiser_state() const override {
    auto state = student_optimiser_.state();
    const auto more = segmentation_optimiser_.state();
    state.insert(state.end(), more.begin(), more.end());
    return state;
  }

  std::vector<std::string> trainable() const override {
    std::vector<std::string> names;
    for (const auto& part : {network_.student_parameters(), network_.segmentation_parameters()}) {
      for (const auto& [name, tensor] : part) {
        names.push_back(name);
      }
    }
    return names;
  }

  // A classifier's checkpoint fills the teacher; one of a whole model fills everything, with the
  // authors' names or ADer's (behind "destseg.", teacher and student encoder a second time).
  void load_pretrained(const NamedTensors& weights, const std::string& file) override {
    NamedTensors whole;
    for (const auto& [name, tensor] : weights) {
      const std::string prefix = "destseg.";
      whole.emplace_back(name.starts_with(prefix) ? name.substr(prefix.size()) : name, tensor);
    }
    if (with_prefix(whole, "student_net.").empty()) {
      network_.teacher->load(weights, file);
    } else {
      load_weights(network_.state(), whole, file, LoadRules{{"net_t.", "net_s."}});
    }
  }

 private:
  double scaled(double rate) const {
    return rate * static_cast<double>(options_.batch) / kReferenceBatch;
  }

  at::Tensor entering(const at::Tensor& images) const {
    const auto x = images.to(tensor_);
    return options_.channel_order == "bgr" ? x.flip({1}) : x;
  }

  // The teacher's features of the batch's images, which `images` are, entering.
  Levels taught(const Batch& batch, const at::Tensor& images) const {
    if (batch.features.empty()) {
      return network_.teach(images);
    }
    ADB_CHECK(batch.features.size() == destseg::kNumLevels,
              ErrorKind::kInternal,
              "destseg: {} feature maps instead of {}",
              batch.features.size(),
              destseg::kNumLevels);
    return {batch.features[0], batch.features[1], batch.features[2]};
  }

  StepResult student_step(const Batch& batch, const StepPlan& plan) {
    network_.set_modes({/*student=*/true, /*segmentation=*/false});
    const auto corrupted = entering(batch.images);
    const auto clean = entering(field(batch, "target"));
    if (!options_.dest) {
      // The second phase uses running statistics of corrupted images, too.
      const at::NoGradGuard no_grad;
      network_.student->forward(corrupted);
    }
    const auto student = network_.student->forward(options_.dest ? corrupted : clean);
    const auto loss = destseg::student_loss(destseg::cosine_maps(student, network_.teach(clean)));
    // The loss is a sum over the batch, so that of several ranks is the sum of theirs.
    update(loss,
           {&student_optimiser_},
           plan,
           {.clip_norm = options_.clip_norm, .reduction = Reduction::kSum});
    StepResult result;
    result.loss = loss.detach();
    result.parts = {{"cosine", result.loss}};
    result.rates = student_optimiser_.rates();
    return result;
  }

  StepResult segmentation_step(const Batch& batch, const StepPlan& plan) {
    network_.set_modes({/*student=*/false, /*segmentation=*/true});
    const auto corrupted = entering(batch.images);
    at::Tensor products;
    {
      const at::NoGradGuard no_grad;
      products = destseg::segmentation_input(network_.student->forward(corrupted),
                                             taught(batch, corrupted));
    }
    const auto probability = network_.segmentation->forward(products).sigmoid();
    const auto mask = destseg::mask_at(field(batch, "mask").to(tensor_), probability);
    const auto losses = destseg::segmentation_losses(probability, mask, options_.gamma);
    const auto loss = losses.total();
    update(loss,
           {&segmentation_optimiser_},
           plan,
           {.clip_norm = options_.clip_norm, .reduction = Reduction::kMean});
    StepResult result;
    result.loss = loss.detach();
    result.parts = {{"l1", losses.l1.detach()}, {"focal", losses.focal.detach()}};
    result.rates = segmentation_optimiser_.rates();
    return result;
  }

  DestsegOptions options_;
  at::TensorOptions tensor_;
  Network network_;
  Optimiser student_optimiser_;
  Optimiser segmentation_optimiser_;
};

}  // namespace

MethodEntry destseg_method() {
  MethodEntry entry;
  entry.name = "destseg";
  entry.title = "DeSTSeg";
  entry.summary =
      "a student denoises a frozen teacher's features; a segmentation network marks where they "
      "differ";
  entry.options = list_options<DestsegOptions>();
  entry.weights = {"backbone",
                   {{"resnet18", "resnet18.tv_in1k_2016"},
                    {"tf_efficientnet_lite0", "efficientnet_lite0"},
                    {"tf_efficientnet_lite1", "efficientnet_lite1"},
                    {"tf_efficientnet_lite2", "efficientnet_lite2"}}};
  entry.make = [](const Json& options, const Context& context) {
    return std::make_unique<Destseg>(read_options<DestsegOptions>(options, "destseg"), context);
  };
  entry.golden_name = "DeSTSeg";
  entry.golden = destseg::run_golden;
  return entry;
}

}  // namespace adb
