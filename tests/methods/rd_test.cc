#include "methods/rd/rd.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "core/json.h"
#include "methods/rd/network.h"
#include "nn/module_state.h"
#include "runners/verify/formula.h"
#include "runners/verify/verify.h"
#include "runners/worker/efficiency.h"
#include "tensor/maps.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using rd::RdOptions;
using testing::expect_error;

Json small() {
  return {{"backbone", "resnet18"}, {"image_size", 64}, {"batch", 2}};
}

Json small(const std::string& key, const Json& value) {
  auto options = small();
  options[key] = value;
  return options;
}

std::unique_ptr<Method> make(const Json& options,
                             std::int64_t seed = 42,
                             at::ScalarType dtype = at::kFloat) {
  Context context;
  context.dtype = dtype;
  context.streams = Streams(seed);
  return rd_method().make(options, context);
}

Batch batch_of(const std::vector<std::int64_t>& ids, std::int64_t side = 64) {
  Batch batch;
  std::vector<at::Tensor> images;
  for (const auto id : ids) {
    images.push_back(at::rand({3, side, side},
                              at::detail::createCPUGenerator(static_cast<std::uint64_t>(id) + 1)));
  }
  batch.images = at::stack(images);
  batch.ids = ids;
  return batch;
}

StepPlan plan_at(std::int64_t step, std::int64_t steps_per_epoch, std::int64_t epochs) {
  StepPlan plan;
  plan.step = step;
  plan.steps_per_epoch = steps_per_epoch;
  plan.epochs = epochs;
  return plan;
}

double step(Method& method, std::int64_t index, const Batch& batch = batch_of({0, 1})) {
  return method.step(batch, plan_at(index, 2, 100)).loss.item<double>();
}

NamedTensors copy_of(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) {
    copy.emplace_back(name, tensor.detach().clone());
  }
  return copy;
}

void expect_equal(const NamedTensors& a, const NamedTensors& b, const std::string& prefix = "") {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first.starts_with(prefix)) {
      EXPECT_TRUE(at::equal(a[i].second, b[i].second)) << a[i].first;
    }
  }
}

std::int64_t size_of(const NamedTensors& parameters) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : parameters) {
    sum += tensor.numel();
  }
  return sum;
}

RdOptions options_with(const std::string& backbone) {
  RdOptions options;
  options.backbone = backbone;
  return options;
}

TEST(Rd, ComputesTheGoldenCases) {
  Registry<MethodEntry> methods("method");
  methods.add(rd_method());
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "RD_*";
  const auto counts = run_verify(options, golden_functions(methods), [](const VerifyCase& result) {
    EXPECT_EQ(result.message, "") << result.name;
    for (const auto& row : result.rows) {
      EXPECT_TRUE(row.passed()) << result.name << " " << result.precision << " " << row.path << " "
                                << row.ratio << " " << row.note;
    }
  });
  EXPECT_EQ(counts.passed, 2);
}

// The golden's losses, reached through the method itself: its Adam, rate, clipping and modes.
TEST(Rd, TrainsAsTheGoldenDoes) {
  const auto golden = read_json(
      std::string(ADB_TEST_GOLDENS) + "/RD_variant_resnet18_64_train.json", ErrorKind::kData);
  auto options = small("bottleneck_has_unused_conv4_bn4", true);
  options["lr"] = 0.005 * 16 / 2;  // the golden's 0.005 is for its batch of 2
  const auto method = make(options, 42, at::kDouble);
  {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : method->state()) {
      at::Tensor(tensor).copy_(formula::fill(0, name, tensor.sizes()));
    }
  }
  Batch batch;
  batch.images = formula::evaluate(golden["inputs"][0]["recipe"], {}, "input").to(at::kDouble);
  batch.ids = {0, 1};
  const auto& losses = golden["expected_float64"]["loss_by_step"];
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto expected = losses[static_cast<std::size_t>(i)].get<double>();
    EXPECT_NEAR(step(*method, i, batch), expected, 1e-9 * expected) << i;
  }
}

// Card RD, section 9.
TEST(Rd, HasThePublishedSizes) {
  struct Sizes {
    std::string backbone;
    std::int64_t bottleneck, decoder;
    std::size_t bottleneck_entries, decoder_entries;
  };
  const std::vector<Sizes> published = {{"resnet18", 11680000, 3703168, 48, 90},
                                        {"resnet34", 16400640, 5770624, 60, 174},
                                        {"resnet50", 30829568, 15821824, 78, 252},
                                        {"wide_resnet50_2", 30829568, 24917504, 78, 252},
                                        {"tf_efficientnet_lite0", 2199440, 643424, 48, 90},
                                        {"tf_efficientnet_lite1", 2199440, 643424, 48, 90},
                                        {"tf_efficientnet_lite2", 2536224, 754176, 48, 90}};
  const at::TensorOptions tensor;
  for (const auto& sizes : published) {
    const auto shape = rd::shape_for(options_with(sizes.backbone));
    const rd::Bottleneck bottleneck(shape, tensor);
    const rd::Decoder decoder(shape, tensor);
    EXPECT_EQ(size_of(module_parameters(bottleneck)), sizes.bottleneck) << sizes.backbone;
    EXPECT_EQ(size_of(module_parameters(decoder)), sizes.decoder) << sizes.backbone;
    EXPECT_EQ(module_state(bottleneck).size(), sizes.bottleneck_entries) << sizes.backbone;
    EXPECT_EQ(module_state(decoder).size(), sizes.decoder_entries) << sizes.backbone;
  }
  auto author = options_with("wide_resnet50_2");
  author.bottleneck_width_per_group = 128;
  author.bottleneck_has_unused_conv4_bn4 = true;
  const rd::Bottleneck wide(rd::shape_for(author), tensor);
  EXPECT_EQ(size_of(module_parameters(wide)), 67277824);
  EXPECT_EQ(module_state(wide).size(), 84U);
}

TEST(Rd, CostsWhatThePaperSays) {
  const auto method = make(Json::object());
  const auto parameters = count_parameters(*method);
  EXPECT_EQ(parameters.total, 80609600);
  EXPECT_EQ(parameters.trainable, 55747072);
  const auto macs = count_macs(*method);
  EXPECT_NEAR(static_cast<double>(macs.macs) / 1e9, 28.357, 0.0006);
  EXPECT_NEAR(static_cast<double>(macs.with_norms) / 1e9, 28.435, 0.002);
}

// Card RD, section 4.
TEST(Rd, DrawsTheInitialisation) {
  const auto method = make(small());
  const auto state = method->state();
  const auto value = [&](const std::string& name) { return *find_tensor(state, name); };
  const auto spread = [](const at::Tensor& t) { return t.std().item<double>(); };
  const double fan_out = std::sqrt(2.0 / (512 * 9));
  EXPECT_NEAR(spread(value("bn.bn_layer.1.conv1.weight")), fan_out, 0.01 * fan_out);
  const double fan_out_reducing = std::sqrt(2.0 / (128 * 9));  // 64 -> 128 channels: not by fan-in
  EXPECT_NEAR(spread(value("bn.conv1.weight")), fan_out_reducing, 0.02 * fan_out_reducing);
  const double bound = 1 / std::sqrt(256.0 * 4);
  const auto transposed = value("decoder.layer1.0.conv1.weight");  // [512, 256, 2, 2]
  EXPECT_LE(transposed.abs().max().item<double>(), bound);
  EXPECT_NEAR(spread(transposed), bound / std::sqrt(3.0), 0.01 * bound);
  EXPECT_TRUE(at::equal(value("decoder.layer3.1.bn2.weight"), at::ones({64})));
  EXPECT_TRUE(at::equal(value("decoder.layer3.1.bn2.running_var"), at::ones({64})));
  const double he =
      std::sqrt(2.0 / (3 * 49));  // the frozen encoder without a checkpoint: by fan-in
  EXPECT_NEAR(spread(value("encoder.conv1.weight")), he, 0.03 * he);
  expect_equal(state, make(small())->state());
  EXPECT_FALSE(at::equal(
      transposed, *find_tensor(make(small(), 43)->state(), "decoder.layer1.0.conv1.weight")));
}

TEST(Rd, DropsTheRateOnceAfterFourFifthsOfTheEpochs) {
  const auto rate = [](Method& method, std::int64_t index, std::int64_t epochs) {
    return method.step(batch_of({0, 1}), plan_at(index, 5, epochs)).rates.at(0).second;
  };
  const auto method = make(small());
  EXPECT_DOUBLE_EQ(rate(*method, 39, 10), 0.005 * 2 / 16);
  EXPECT_DOUBLE_EQ(rate(*method, 40, 10), 0.0005 * 2 / 16);
  EXPECT_DOUBLE_EQ(rate(*method, 4, 1), 0.005 * 2 / 16);
  EXPECT_DOUBLE_EQ(rate(*make(small("schedule", "constant")), 40, 10), 0.005 * 2 / 16);
}

// Adam's first moments after one step are (1 - 0.5) times the clipped gradients.
TEST(Rd, ClipsTheGlobalNorm) {
  const auto norm_of_gradients = [](const Json& options) {
    const auto method = make(options);
    step(*method, 0);
    double sum = 0;
    for (const auto& [name, tensor] : method->optimiser_state()) {
      if (name.find(".exp_avg.") != std::string::npos) {
        sum += 4 * tensor.to(at::kDouble).square().sum().item<double>();
      }
    }
    return std::sqrt(sum);
  };
  // LibTorch sums the squares of millions of float32 numbers in float32.
  EXPECT_NEAR(norm_of_gradients(small("clip_norm", 0.25)), 0.25, 2e-4);
  EXPECT_GT(norm_of_gradients(small("clip_norm", 0)), 0.3);
}

TEST(Rd, LearnsTwoImages) {
  const auto method = make(small("lr", 0.02));
  const auto first = step(*method, 0);
  double last = first;
  for (std::int64_t i = 1; i < 12; ++i) {
    last = step(*method, i);
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST(Rd, TrainsBottleneckAndDecoderOnly) {
  const auto method = make(small());
  const auto before = copy_of(method->state());
  const auto result = method->step(batch_of({0, 1}), plan_at(0, 2, 100));
  expect_equal(before, method->state(), "encoder.");
  for (const auto& name : method->trainable()) {
    EXPECT_FALSE(at::equal(*find_tensor(before, name), *find_tensor(method->state(), name)))
        << name;
  }
  ASSERT_EQ(result.parts.size(), 3U);
  double sum = 0;
  for (const auto& [name, part] : result.parts) {
    sum += part.item<double>();
  }
  EXPECT_NEAR(sum, result.loss.item<double>(), 1e-6);
}

TEST(Rd, PredictsWithoutChangingAnything) {
  const auto method = make(small());
  const auto other = make(small());
  step(*method, 0);
  step(*other, 0);
  const auto before = copy_of(method->state());
  const auto prediction = method->predict(batch_of({2, 3, 4}));
  EXPECT_EQ(prediction.maps.sizes(), (std::vector<std::int64_t>{3, 64, 64}));
  EXPECT_EQ(prediction.maps.scalar_type(), at::kDouble);
  EXPECT_FALSE(prediction.maps.requires_grad());
  ASSERT_EQ(prediction.scores.size(), 3U);
  EXPECT_EQ(prediction.scores[1], prediction.maps[1].max().item<double>());
  expect_equal(before, method->state());
  EXPECT_EQ(step(*method, 1), step(*other, 1));
  const auto alone = method->predict(batch_of({3}));
  EXPECT_TRUE(
      at::allclose(alone.maps[0], method->predict(batch_of({2, 3, 4})).maps[1], 1e-4, 1e-6));
}

TEST(Rd, GivesTheSameBitsFromKeptFeatures) {
  const auto with = make(small());
  const auto without = make(small());
  auto batch = batch_of({0, 1});
  // As a cache gives them: made in another batch, one image at a time.
  const auto first = with->features(batch_of({0}).images);
  const auto second = with->features(batch_of({4, 1, 3}).images);
  for (std::size_t k = 0; k < first.size(); ++k) {
    batch.features.push_back(at::stack({first[k][0], second[k][1]}));
  }
  batch.images = at::Tensor();
  for (std::int64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(step(*with, i, batch), step(*without, i));
  }
  EXPECT_TRUE(at::equal(with->predict(batch).maps, without->predict(batch_of({0, 1})).maps));
  batch.features.pop_back();
  expect_error(ErrorKind::kInternal, "2 feature maps", [&] { with->predict(batch); });
}

TEST(Rd, RebuildsLinearFeaturesWithoutALastRelu) {
  for (const std::string backbone : {"resnet18", "tf_efficientnet_lite0"}) {
    auto options = options_with(backbone);
    options.image_size = 64;
    const rd::Network network(options, at::TensorOptions());
    network.initialise(Streams(1));
    network.train(false);
    const at::NoGradGuard no_grad;
    const auto features = network.encode(batch_of({0}).images);
    const auto rebuilt = network.rebuild(features);
    for (std::size_t k = 0; k < rd::kNumScales; ++k) {
      EXPECT_EQ(rebuilt[k].sizes(), features[k].sizes());
      EXPECT_EQ((rebuilt[k] < 0).any().item<bool>(), backbone != "resnet18") << backbone << k;
      EXPECT_EQ((features[k] < 0).any().item<bool>(), backbone != "resnet18") << backbone << k;
    }
  }
}

TEST(Rd, SmoothsOnlyWhenAsked) {
  auto options = options_with("resnet18");
  options.image_size = 32;
  options.sigma = 0;
  options.map = "sum";
  rd::Scales a, b;
  for (std::size_t k = 0; k < rd::kNumScales; ++k) {
    const auto side = std::int64_t{8} >> k;
    a[k] = at::rand({1, 4, side, side}, at::detail::createCPUGenerator(k));
    b[k] = at::rand({1, 4, side, side}, at::detail::createCPUGenerator(k + 9));
  }
  const auto sharp = rd::anomaly_maps(options, a, b);
  EXPECT_TRUE(at::equal(sharp.smooth, sharp.raw.to(at::kDouble)));
  options.sigma = 4;
  options.map = "sum/9";
  const auto smooth = rd::anomaly_maps(options, a, b);
  EXPECT_TRUE(at::allclose(smooth.raw * 9, sharp.raw));
  EXPECT_LT(smooth.smooth.max().item<double>(), smooth.raw.max().item<double>());
}

// A position where the decoder gives only zeros must not poison the gradients.
TEST(Rd, LossesOfZeroVectorsHaveGradients) {
  const auto target = at::rand({1, 4, 2, 2}, at::detail::createCPUGenerator(1));
  for (const std::string kind : {"cos_flat", "cos_pixel", "mse", "l1"}) {
    auto zeros = at::zeros({1, 4, 2, 2}).requires_grad_();
    feature_loss(kind, target, zeros).backward();
    EXPECT_TRUE(zeros.grad().isfinite().all().item<bool>()) << kind;
  }
}

TEST(Rd, RefusesOptionsThatDoNotFit) {
  expect_error(ErrorKind::kUsage, "multiple of 32, got 80", [] { make(small("image_size", 80)); });
  expect_error(ErrorKind::kUsage, "cos_flat", [] { make(small("loss", "cosine")); });
  expect_error(ErrorKind::kUsage, "resnet18", [] { make(small("backbone", "resnet19")); });
}

TEST(Rd, LoadsTheEncoder) {
  const auto from = make(small(), 1);
  const auto into = make(small(), 2);
  NamedTensors weights;
  for (const auto& [name, tensor] : from->state()) {
    if (name.starts_with("encoder.")) {
      weights.emplace_back(name.substr(std::string("encoder.").size()), tensor);
    }
  }
  weights.emplace_back("layer4.0.conv1.weight", at::zeros({1}));
  weights.emplace_back("fc.weight", at::zeros({1}));
  into->load_pretrained(weights, "file.pth");
  expect_equal(from->state(), into->state(), "encoder.");
  weights.erase(weights.begin());
  expect_error(ErrorKind::kWeights, "missing: conv1.weight", [&] {
    into->load_pretrained(weights, "file.pth");
  });
}

}  // namespace
}  // namespace adb
