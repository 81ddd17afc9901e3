#include "methods/draem/draem.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "methods/draem/network.h"
#include "methods/draem/sample.h"
#include "nn/image_losses.h"
#include "runners/verify/verify.h"
#include "synthesis/procedural.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using draem::DraemOptions;
using testing::expect_error;

constexpr std::int64_t kSide = 32;

Json small(const Json& changes = Json::object()) {
  Json options = {{"image_size", kSide}, {"batch", 2}, {"base_width", 4}, {"base_channels", 4}};
  options.update(changes);
  return options;
}

std::unique_ptr<Method> make(const Json& options = small(),
                             std::int64_t seed = 1,
                             at::ScalarType dtype = at::kFloat) {
  Context context;
  context.streams = Streams(seed);
  context.dtype = dtype;
  return draem_method().make(options, context);
}

class Textures final : public TexturePool {
 public:
  std::int64_t size() const override { return 100; }
  Image texture(std::int64_t index, int side) const override {
    Stream random(7, "texture", 0, index);
    return procedural_texture(side, random);
  }
};

Image photo(std::int64_t id, int side = kSide) {
  Stream random(8, "photo", 0, id);
  return procedural_texture(side, random);
}

// A training batch made by the method's own sample function.
Batch training_batch(const Method& method, std::int64_t epoch = 0) {
  const auto spec = method.input();
  const Textures textures;
  Batch batch;
  std::map<std::string, std::vector<at::Tensor>> fields;
  for (std::int64_t i = 0; i < spec.batch; ++i) {
    batch.ids.push_back(i);
    Stream random(1, "sample", epoch, i);
    for (auto& field : spec.sample(photo(i), random, &textures)) {
      fields[field.name].push_back(at::from_blob(field.values.data(), field.shape).clone());
    }
  }
  for (const auto& [name, tensors] : fields) {
    (name == "image" ? batch.images : batch.fields[name]) = at::stack(tensors);
  }
  return batch;
}

Batch test_batch(std::int64_t count) {
  Batch batch;
  batch.images = (at::arange(count * 3 * kSide * kSide, at::kFloat) * 0.37).sin().abs();
  batch.images = batch.images.view({count, 3, kSide, kSide});
  return batch;
}

StepPlan plan_at(std::int64_t step, std::int64_t steps_per_epoch = 10, std::int64_t epochs = 10) {
  StepPlan plan;
  plan.step = step;
  plan.steps_per_epoch = steps_per_epoch;
  plan.epochs = epochs;
  return plan;
}

double rate_at(Method& method, const StepPlan& plan) {
  return method.step(training_batch(method), plan).rates.at(0).second;
}

TEST(Draem, HasThePublishedSizeAndNames) {
  DraemOptions options;
  const draem::Network network(options, at::TensorOptions().device(at::kMeta));
  const auto count = [](const torch::nn::Module& module) {
    std::int64_t total = 0;
    for (const auto& parameter : module.parameters()) {
      total += parameter.numel();
    }
    return total;
  };
  EXPECT_EQ(count(*network.model), 69'048'579);
  EXPECT_EQ(count(*network.model_seg), 28'374'146);
  const auto state = network.state();
  EXPECT_EQ(state.size(), 347U);
  const auto shape = [&](const std::string& name) {
    const auto* tensor = find_tensor(state, name);
    return tensor == nullptr ? std::vector<std::int64_t>() : tensor->sizes().vec();
  };
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(shape("model.decoder.up1.1.weight"), (Shape{1024, 1024, 3, 3}));
  EXPECT_EQ(shape("model.decoder.fin_out.0.bias"), (Shape{3}));
  EXPECT_EQ(shape("model_seg.encoder_segment.block6.4.running_var"), (Shape{512}));
  EXPECT_EQ(shape("model_seg.decoder_segment.db_b.0.weight"), (Shape{512, 1024, 3, 3}));
}

TEST(Draem, InitialisationFollowsTheCard) {
  const auto method = make(small({{"base_width", 32}}));
  const auto state = method->state();
  const auto& weight = *find_tensor(state, "model.encoder.block5.0.weight");  // 256 x 256 x 3 x 3
  EXPECT_NEAR(weight.mean().item<double>(), 0, 2e-4);
  EXPECT_NEAR(weight.std().item<double>(), 0.02, 2e-4);
  const auto& bias = *find_tensor(state, "model.encoder.block5.0.bias");
  const double bound = 1 / std::sqrt(9.0 * 256);
  EXPECT_LE(bias.abs().max().item<double>(), bound);
  EXPECT_GT(bias.abs().max().item<double>(), 0.9 * bound);
  const auto& scale = *find_tensor(state, "model.encoder.block5.1.weight");
  EXPECT_NEAR(scale.mean().item<double>(), 1, 0.01);
  EXPECT_NEAR(scale.std().item<double>(), 0.02, 0.005);
  EXPECT_EQ(find_tensor(state, "model.encoder.block5.1.bias")->abs().max().item<double>(), 0);
}

TEST(Draem, SchedulesDropWhereTheyShould) {
  const auto method = make(small({{"batch", 4}}));  // lr 1e-4 * 4 / 8
  EXPECT_DOUBLE_EQ(rate_at(*method, plan_at(79)), 5e-5);
  EXPECT_DOUBLE_EQ(rate_at(*method, plan_at(80)), 5e-6);
  EXPECT_DOUBLE_EQ(rate_at(*method, plan_at(9, 10, 1)), 5e-5);  // never in a run of one epoch
  const auto original = make(small({{"schedule", "two_steps"}}));
  const double lr = 1e-4 * 2 / 8;
  EXPECT_DOUBLE_EQ(rate_at(*original, plan_at(79)), lr);
  EXPECT_DOUBLE_EQ(rate_at(*original, plan_at(80)), lr * 0.2);
  EXPECT_DOUBLE_EQ(rate_at(*original, plan_at(90)), lr * 0.2 * 0.2);
  EXPECT_DOUBLE_EQ(rate_at(*original, plan_at(0, 10, 1)), lr);
}

TEST(Draem, SampleFunctionGivesImageTargetAndMask) {
  const auto spec = make()->input();
  EXPECT_EQ(spec.order, InputSpec::Order::kWithReplacement);
  EXPECT_TRUE(spec.needs_textures);
  const Textures textures;
  int with_defect = 0;
  for (int i = 0; i < 40; ++i) {
    Stream random(3, "sample", 0, i);
    const auto fields = spec.sample(photo(i), random, &textures);
    ASSERT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields[0].name, "image");
    EXPECT_EQ(fields[1].name, "target");
    EXPECT_EQ(fields[2].name, "mask");
    EXPECT_EQ(fields[2].shape, (std::vector<std::int64_t>{1, kSide, kSide}));
    bool defect = false;
    for (std::size_t k = 0; k < fields[2].values.size(); ++k) {
      defect = defect || fields[2].values[k] > 0;
      if (fields[2].values[k] == 0) {
        EXPECT_EQ(fields[0].values[k], fields[1].values[k]);
      }
    }
    with_defect += defect ? 1 : 0;
  }
  EXPECT_GT(with_defect, 8);
  EXPECT_LT(with_defect, 32);
}

TEST(Draem, BgrSwapsChannelsInTrainingAndPrediction) {
  const Json plain = {{"normal_probability", 1}, {"rotation_probability", 0}};
  const auto rgb = make(small(plain));
  auto swapped_options = small(plain);
  swapped_options["channel_order"] = "bgr";
  const auto bgr = make(swapped_options);
  EXPECT_TRUE(training_batch(*bgr).images.equal(training_batch(*rgb).images.flip({1})));
  auto batch = test_batch(2);
  const auto from_bgr = bgr->predict(batch);
  batch.images = batch.images.flip({1});
  EXPECT_TRUE(from_bgr.maps.equal(rgb->predict(batch).maps));
}

TEST(Draem, PredictionIsAMapOfProbabilitiesAndChangesNothing) {
  const auto method = make();
  method->step(training_batch(*method), plan_at(0));
  std::vector<at::Tensor> before;
  for (const auto& [name, tensor] : method->state()) {
    before.push_back(tensor.detach().clone());
  }
  const auto batch = test_batch(3);
  const auto prediction = method->predict(batch);
  ASSERT_EQ(prediction.maps.sizes(), (at::IntArrayRef{3, kSide, kSide}));
  EXPECT_GE(prediction.maps.min().item<double>(), 0);
  EXPECT_LE(prediction.maps.max().item<double>(), 1);
  ASSERT_EQ(prediction.scores.size(), 3U);
  // 21 x 21 windows inside the map.
  const auto pooled =
      at::avg_pool2d(prediction.maps.to(at::kDouble).unsqueeze(1), {21, 21}, {1, 1});
  for (std::int64_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(
        prediction.scores[static_cast<std::size_t>(i)], pooled[i].max().item<double>(), 1e-12);
  }
  std::size_t index = 0;
  for (const auto& [name, tensor] : method->state()) {
    EXPECT_TRUE(tensor.equal(before[index++])) << name;
  }
  Batch one;
  one.images = batch.images.narrow(0, 1, 1);
  EXPECT_TRUE(at::allclose(method->predict(one).maps[0], prediction.maps[1], 1e-5, 1e-6));
}

TEST(Draem, PaddedScoreCountsZeros) {
  const auto maps = at::ones({1, 32, 32}, at::kFloat);
  const auto padded = draem::pooled_maps(maps, true);
  EXPECT_EQ(padded.sizes(), (at::IntArrayRef{1, 32, 32}));
  EXPECT_NEAR(padded[0][0][0].item<double>(), 121.0 / 441, 1e-12);
  EXPECT_EQ(draem::pooled_maps(maps, false).sizes(), (at::IntArrayRef{1, 12, 12}));
}

TEST(Draem, TrainingLearnsAndRepeats) {
  std::vector<double> losses[2];
  for (auto& series : losses) {
    const auto method = make(small({{"lr", 0.002}}));
    const auto batch = training_batch(*method);
    for (int step = 0; step < 30; ++step) {
      const auto result = method->step(batch, plan_at(0));
      series.push_back(result.loss.item<double>());
      ASSERT_EQ(result.parts.size(), 3U);
    }
  }
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_LT(losses[0].back(), 0.8 * losses[0].front());
}

TEST(Draem, RangeIsTheLargestOverRanks) {
  const auto range = [](std::vector<double> values) {
    return ssim_range(ssim_range_decisions(at::tensor(values))).item<double>();
  };
  EXPECT_EQ(range({0, 1}), 1);
  EXPECT_EQ(range({-0.5, 128}), 1);
  EXPECT_EQ(range({-0.51, 1}), 2);
  EXPECT_EQ(range({0, 129}), 255);
  EXPECT_EQ(range({-1, 129}), 256);

  // Another rank that saw a range of 256 changes this rank's SSIM loss, through `reduce`.
  const auto ssim = [](bool with_other_rank) {
    const auto method = make();
    auto plan = plan_at(0);
    int calls = 0;
    if (with_other_rank) {
      plan.reduce = [&](const std::vector<at::Tensor>& tensors, Reduction reduction) {
        if (calls++ == 0) {
          EXPECT_EQ(tensors.size(), 1U);
          EXPECT_EQ(reduction, Reduction::kSum);
          at::Tensor(tensors[0]).mutable_grad().add_(1);
        }
      };
    }
    const auto value = method->step(training_batch(*method), plan).parts.at(1).second;
    EXPECT_EQ(calls, with_other_rank ? 2 : 0);
    return value.item<double>();
  };
  EXPECT_NE(ssim(false), ssim(true));
}

TEST(Draem, ClippingLimitsTheStep) {
  const auto moment = [](double clip) {
    const auto method = make(small({{"clip_norm", clip}}));
    method->step(training_batch(*method), plan_at(0));
    double square = 0;
    for (const auto& [name, tensor] : method->optimiser_state()) {
      if (name.starts_with("optim.all.exp_avg.")) {
        square += tensor.square().sum().item<double>();
      }
    }
    return std::sqrt(square) / 0.1;  // the first moment is 0.1 times the gradient
  };
  EXPECT_NEAR(moment(1e-3), 1e-3, 1e-5);
  EXPECT_GT(moment(0), 5.0);
}

TEST(Draem, LoadsItsOwnStateAndPublishedHalves) {
  const auto source = make(small(), 1), target = make(small(), 2);
  NamedTensors half;
  for (const auto& [name, tensor] : source->state()) {
    if (name.starts_with("model_seg.")) {
      half.emplace_back(name.substr(10), tensor);
    }
  }
  target->load_pretrained(half, "seg.pckl");
  EXPECT_TRUE(
      find_tensor(target->state(), "model_seg.decoder_segment.db_b.0.weight")
          ->equal(*find_tensor(source->state(), "model_seg.decoder_segment.db_b.0.weight")));
  EXPECT_FALSE(find_tensor(target->state(), "model.encoder.block1.0.weight")
                   ->equal(*find_tensor(source->state(), "model.encoder.block1.0.weight")));
  target->load_pretrained(source->state(), "both.pth");
  EXPECT_TRUE(find_tensor(target->state(), "model.encoder.block1.0.weight")
                  ->equal(*find_tensor(source->state(), "model.encoder.block1.0.weight")));
  half.erase(half.begin());
  expect_error(ErrorKind::kWeights, "missing: model_seg.", [&] {
    target->load_pretrained(half, "seg.pckl");
  });
  expect_error(ErrorKind::kWeights, "missing", [&] { target->load_pretrained({}, "empty.pth"); });
}

TEST(Draem, RefusesWhatDoesNotFit) {
  expect_error(ErrorKind::kUsage, "multiple of 32, got 48", [] {
    make(small({{"image_size", 48}}));
  });
  expect_error(ErrorKind::kUsage, "unknown option", [] { make(small({{"width", 4}})); });
  const auto method = make();
  expect_error(ErrorKind::kInternal, "without the field 'target'", [&] {
    method->step(test_batch(2), plan_at(0));
  });
}

TEST(Draem, Goldens) {
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "draem_*";
  const auto counts = run_verify(
      options, {{"DRAEM", "*", draem_method().golden, {}, ""}}, [](const VerifyCase& result) {
        EXPECT_EQ(result.outcome, VerifyOutcome::kPassed) << result.name << ": " << result.message;
        for (const auto& row : result.rows) {
          EXPECT_TRUE(row.passed()) << result.name << " " << result.precision << " " << row.path;
        }
      });
  EXPECT_GE(counts.passed, 3);
}

}  // namespace
}  // namespace adb
