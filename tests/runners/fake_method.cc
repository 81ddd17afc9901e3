#include "tests/runners/fake_method.h"

#define AT_PER_OPERATOR_HEADERS
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "methods/optional.h"
#include "nn/init.h"
#include "nn/optim.h"
#include "tensor/maps.h"

namespace adb::testing {
namespace {

struct FakeOptions : CommonOptions {
  double lr = 0.05;
  FakeOptions() {
    image_size = 32;
    batch = 4;
  }
  template <class V>
  void visit(V& v) {
    visit_common(v);
    v.number("lr", lr, {0, 1}, "learning rate");
  }
};

// Reconstructs pooled colours: a frozen 3 x 3 mixing matrix, then phase 1 trains a gain, phase 2 an
// offset.
class Fake final : public Method, public RebuildsFeatures {
 public:
  Fake(const FakeOptions& options, const Context& context, std::string broken)
      : options_(options), broken_(std::move(broken)) {
    const auto like = at::TensorOptions().dtype(context.dtype).device(context.device);
    mix_ = at::zeros({3, 3}, like);
    init::normal(mix_, 0, 1, context.streams.named("fake.mix"));
    gain_ = at::ones({3, 1, 1}, like) * 3;
    offset_ = at::zeros({3, 1, 1}, like);
    gain_.requires_grad_(true);
    offset_.requires_grad_(true);
    first_.add_group("gain", {{"gain", gain_}}, options.lr, 0);
    second_.add_group("offset", {{"offset", offset_}}, options.lr, 0);
  }

  InputSpec input() const override {
    InputSpec spec;
    spec.image_size = options_.image_size;
    spec.batch = options_.batch;
    spec.order = InputSpec::Order::kWithReplacement;
    spec.needs_textures = true;
    spec.features_suffice = false;
    const auto side = static_cast<int>(options_.image_size);
    spec.sample = [side](const Image& image, Stream& random, const TexturePool* textures) {
      const auto texture = textures->texture(random.below(textures->size()), side);
      SampleField field{"image", {3, side, side}, {}};
      for (int c = 0; c < 3; ++c) {
        for (std::size_t i = static_cast<std::size_t>(c); i < image.pixels.size(); i += 3) {
          field.values.push_back(static_cast<float>(image.pixels[i]) / 255 +
                                 static_cast<float>(texture.pixels[i]) / 2550);
        }
      }
      return std::vector<SampleField>{
          field, {"weight", {1}, {static_cast<float>(random.uniform(0.9, 1.1))}}};
    };
    return spec;
  }

  std::vector<at::Tensor> features(const at::Tensor& images) override {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < images.size(0);
         ++i) {  // image by image: the same bits in any batch
      auto pooled = at::avg_pool2d(images.narrow(0, i, 1), {4, 4});
      parts.push_back(mix_.matmul(pooled.flatten(2)).view(pooled.sizes()));
    }
    auto all = at::zeros({images.size(0), 3, parts[0].size(2), parts[0].size(3)}, images.options());
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      all.select(0, i).copy_(parts[static_cast<std::size_t>(i)][0]);
    }
    return {broken_ == "features_random" ? all * images.size(0) : all};
  }

  StepResult step(const Batch& batch, const StepPlan& plan) override {
    const auto target = batch.features.empty() ? features(batch.images)[0] : batch.features[0];
    const auto rebuilt = gain_ * target + offset_;
    const auto weight = batch.fields.at("weight").view({-1, 1, 1, 1});
    auto loss = (weight * (rebuilt - 0.5 * target - 0.2).square()).mean();
    if (broken_ == "own_seed") {
      loss = loss + static_cast<double>(++calls_);
    }
    const bool first_phase = plan.step % 2 == 0;
    auto& optimiser = first_phase ? first_ : second_;
    update(loss, {&optimiser}, plan, {.clip_norm = 5.0});
    if (broken_ == "frozen_moves") {
      mix_.add_(0.01);
    }
    return {loss.detach(), {}, optimiser.rates()};
  }

  Prediction predict(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const auto target = batch.features.empty() ? features(batch.images)[0] : batch.features[0];
    if (broken_ == "predict_trains") {
      gain_.add_(0.1);
    }
    auto maps = upsample_maps(
        (gain_ * target + offset_ - 0.5 * target).square().sum(1), options_.image_size, true);
    if (broken_ == "batch_dependent") {
      maps = maps - maps.mean();
    }
    return {maps, pooled_maximum(maps, 1)};
  }

  std::vector<FeaturePair> feature_pairs(const Batch& batch) override {
    const at::NoGradGuard no_grad;
    const auto target = features(batch.images)[0];
    if (broken_ == "pairs_train") {
      gain_.add_(0.1);
    }
    const auto rebuilt = gain_ * target + offset_;
    return {{"pooled", target, broken_ == "pairs_differ" ? rebuilt.flatten(2) : rebuilt}};
  }

  NamedTensors state() const override {
    NamedTensors state = {{"mix", mix_}, {"gain", gain_}, {"offset", offset_}};
    if (broken_ == "unsaved") {
      state.pop_back();
    }
    return state;
  }
  NamedTensors optimiser_state() const override {
    auto state = first_.state();
    for (const auto& named : second_.state()) {
      state.push_back(named);
    }
    return state;
  }
  std::vector<std::string> trainable() const override {
    return broken_ == "unsaved" ? std::vector<std::string>{"gain"}
                                : std::vector<std::string>{"gain", "offset"};
  }
  void load_pretrained(const NamedTensors&, const std::string&) override {}

 private:
  FakeOptions options_;
  std::string broken_;
  at::Tensor mix_, gain_, offset_;
  Optimiser first_{{OptimiserRule::Kind::kAdam}};
  Optimiser second_{{OptimiserRule::Kind::kSgd}};
  static inline int calls_ = 0;
};

}  // namespace

MethodEntry fake_method(const std::string& broken) {
  MethodEntry entry;
  entry.name = "fake";
  entry.title = "Fake";
  entry.summary = "a method for tests";
  entry.options = list_options<FakeOptions>();
  entry.make = [broken](const Json& options, const Context& context) {
    return std::make_unique<Fake>(read_options<FakeOptions>(options, "fake"), context, broken);
  };
  return entry;
}

}  // namespace adb::testing
