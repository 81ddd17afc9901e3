#include "methods/simplenet/simplenet.h"

#include <array>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "methods/optional.h"
#include "methods/simplenet/network.h"
#include "nn/module_state.h"
#include "runners/verify/verify.h"
#include "runners/worker/efficiency.h"
#include "tensor/maps.h"
#include "tensor/state.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using simplenet::Levels;
using simplenet::Network;
using simplenet::PatchAggregation;
using simplenet::SimplenetOptions;
using testing::expect_error;

Json small() {
  return {{"image_size", 64},
          {"batch", 2},
          {"backbone", "tf_efficientnet_lite0"},
          {"pretrain_embed_dimension", 96},
          {"target_embed_dimension", 96},
          {"discriminator_hidden", 32}};
}

Json small(const std::string& key, const Json& value) {
  auto options = small();
  options[key] = value;
  return options;
}

std::unique_ptr<Method> make(const Json& options, std::int64_t seed = 42) {
  Context context;
  context.streams = Streams(seed);
  return simplenet_method().make(options, context);
}

Batch batch_of(const std::vector<std::int64_t>& ids, std::int64_t size = 64) {
  Batch batch;
  std::vector<at::Tensor> images;
  for (const auto id : ids) {
    auto generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(id) + 1);
    images.push_back(at::rand({3, size, size}, generator));
  }
  batch.images = at::stack(images);
  batch.ids = ids;
  return batch;
}

void calibrate(Method& method, std::int64_t num_images = 2) {
  std::int64_t id = 0;
  dynamic_cast<NeedsCalibration&>(method).calibrate(
      num_images, [&] { return method.features(batch_of({id++}).images); });
}

std::unique_ptr<Method> ready(const Json& options, std::int64_t seed = 42) {
  auto method = make(options, seed);
  calibrate(*method);
  return method;
}

StepPlan plan_at(std::int64_t step, std::int64_t steps_per_epoch, std::int64_t epochs) {
  StepPlan plan;
  plan.step = step;
  plan.steps_per_epoch = steps_per_epoch;
  plan.epochs = epochs;
  return plan;
}

std::vector<double> train(Method& method, std::int64_t steps, bool with_features = false) {
  std::vector<double> losses;
  for (std::int64_t i = 0; i < steps; ++i) {
    auto batch = batch_of({0, 1});
    if (with_features) {
      batch.features = method.features(batch.images);
      batch.images = at::empty({2, 0});
    }
    losses.push_back(method.step(batch, plan_at(i, 2, 100)).loss.item<double>());
  }
  return losses;
}

NamedTensors copy_of(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) {
    copy.emplace_back(name, tensor.detach().clone());
  }
  return copy;
}

double scale_of(const Method& method) {
  return find_tensor(method.state(), "embedding_scale")->item<double>();
}

TEST(Simplenet, ComputesTheGoldenAggregation) {
  Registry<MethodEntry> methods("method");
  methods.add(simplenet_method());
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "SimpleNet_*";
  const auto counts = run_verify(options, golden_functions(methods), [](const VerifyCase& result) {
    EXPECT_EQ(result.message, "") << result.name;
    for (const auto& row : result.rows) {
      EXPECT_TRUE(row.passed()) << result.name << " " << row.path << " " << row.ratio << row.note;
    }
  });
  EXPECT_EQ(counts.passed, 1);
}

// Steps 2 to 5 of the card as they are written.
at::Tensor unfolded_aggregation(const Levels& maps, const SimplenetOptions& options) {
  const auto k = options.patch_size, stride = options.patch_stride, padding = (k - 1) / 2;
  const auto batch = maps[0].size(0);
  std::vector<at::Tensor> pooled;
  std::int64_t height = 0, width = 0;
  for (const auto& map : maps) {
    const auto rows = (map.size(2) + 2 * padding - k) / stride + 1,
               columns = (map.size(3) + 2 * padding - k) / stride + 1;
    auto patches = at::im2col(map, {k, k}, {1, 1}, {padding, padding}, {stride, stride})
                       .view({batch, -1, rows, columns});
    if (pooled.empty()) {
      height = rows;
      width = columns;
    } else {
      patches = at::upsample_bilinear2d(patches, {height, width}, /*align_corners=*/false);
    }
    const auto flat = patches.permute({0, 2, 3, 1}).flatten(0, 2);
    pooled.push_back(at::adaptive_avg_pool1d(flat, {options.pretrain_embed_dimension}));
  }
  return at::adaptive_avg_pool1d(at::cat(pooled, 1), {options.target_embed_dimension});
}

TEST(Simplenet, PoolsPatchesAsTheDefinitionDoes) {
  struct Case {
    std::int64_t channels0, channels1, pretrain, target, patch, stride;
  };
  for (const auto& c : {Case{512, 1024, 1536, 1536, 3, 1},  // WideResNet
                        Case{40, 112, 1536, 1536, 3, 1},    // lite0: numbers repeat
                        Case{48, 120, 1536, 1536, 3, 1},
                        Case{7, 5, 10, 7, 3, 1},  // an output that takes from both maps
                        Case{4, 6, 8, 1, 3, 1},
                        Case{3, 4, 5, 40, 3, 1},
                        Case{8, 12, 24, 16, 5, 1},
                        Case{8, 12, 24, 16, 1, 1},
                        Case{8, 12, 24, 16, 2, 1},
                        Case{8, 12, 24, 16, 3, 2}}) {
    SimplenetOptions options;
    options.pretrain_embed_dimension = c.pretrain;
    options.target_embed_dimension = c.target;
    options.patch_size = c.patch;
    options.patch_stride = c.stride;
    const Levels maps = {at::randn({2, c.channels0, 6, 8}, at::kDouble),
                         at::randn({2, c.channels1, 3, 4}, at::kDouble)};
    const auto got = PatchAggregation({c.channels0, c.channels1}, options)(maps);
    const auto expected = unfolded_aggregation(maps, options);
    ASSERT_EQ(got.sizes(), expected.sizes());
    EXPECT_LT((got - expected).abs().max().item<double>(), 1e-13)
        << c.channels0 << " " << c.target << " " << c.patch << " " << c.stride;
  }
}

TEST(Simplenet, HasThePublishedSize) {
  const auto method = make(Json::object());
  std::int64_t trained = 0;
  const auto state = method->state();
  for (const auto& name : method->trainable()) {
    trained += find_tensor(state, name)->numel();
  }
  EXPECT_EQ(trained, 3937792);
  std::int64_t built = 0;
  for (const auto& [name, tensor] : state) {
    if (tensor.dim() > 0 && !name.ends_with("running_mean") && !name.ends_with("running_var")) {
      built += tensor.numel();
    }
  }
  EXPECT_EQ(built, 28800320);
  EXPECT_EQ(built + dynamic_cast<HasUnbuiltParameters&>(*method).unbuilt_parameters(), 72821032);
  EXPECT_NEAR(static_cast<double>(count_macs(*method).macs), 16.03e9, 0.005e9);
}

TEST(Simplenet, TakesItsChannelsFromTheBackbone) {
  Json options = {{"backbone", "tf_efficientnet_lite0"}};
  const auto lite = make(options);
  EXPECT_NEAR(static_cast<double>(count_macs(*lite).macs), 4.35e9, 0.005e9);
  EXPECT_EQ(dynamic_cast<HasUnbuiltParameters&>(*lite).unbuilt_parameters(), 0);
  EXPECT_FLOAT_EQ(lite->input().mean[0], 127.0F / 255);
  EXPECT_FLOAT_EQ(make(small("backbone", "resnet18"))->input().mean[0], 0.485F);
  for (const auto* const backbone : {"resnet18", "resnet50", "tf_efficientnet_lite2"}) {
    const auto method = ready(small("backbone", backbone));
    EXPECT_EQ(method->predict(batch_of({0})).maps.sizes(), at::IntArrayRef({1, 64, 64}));
  }
}

TEST(Simplenet, GivesTheSameFeaturesForAnImageAloneAndInABatch) {
  const auto method = make(small());
  const auto together = method->features(batch_of({4, 5, 6}).images);
  ASSERT_EQ(together.size(), 2U);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = method->features(batch_of({4 + i}).images);
    EXPECT_TRUE(at::equal(alone[0], together[0].narrow(0, i, 1)));
    EXPECT_TRUE(at::equal(alone[1], together[1].narrow(0, i, 1)));
  }
}

TEST(Simplenet, TrainsAlikeOnImagesAndOnKeptFeatures) {
  const auto from_images = ready(small()), from_features = ready(small());
  EXPECT_EQ(train(*from_images, 3), train(*from_features, 3, /*with_features=*/true));
  auto batch = batch_of({7});
  const auto expected = from_images->predict(batch);
  batch.features = from_features->features(batch.images);
  batch.images = at::empty({1, 0});
  const auto got = from_features->predict(batch);
  EXPECT_TRUE(at::equal(expected.maps, got.maps));
  EXPECT_EQ(expected.scores, got.scores);
}

TEST(Simplenet, LearnsAndRepeats) {
  auto options = small("pre_projection_lr", 1e-3);
  options["discriminator_lr"] = 2e-3;
  const auto first = train(*ready(options), 40);
  EXPECT_LT(first.back(), 0.8 * first.front());
  const auto again = train(*ready(options), 3);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), first.begin()));
  EXPECT_NE(train(*ready(options, 43), 1).front(), first.front());
}

TEST(Simplenet, ContinuesFromASavedState) {
  const auto source = ready(small()), copy = make(small(), 7);
  train(*source, 2);
  restore_tensors(copy->state(), source->state(), "state", ErrorKind::kData);
  restore_tensors(copy->optimiser_state(), source->optimiser_state(), "state", ErrorKind::kData);
  EXPECT_EQ(scale_of(*copy), scale_of(*source));
  const auto batch = batch_of({2, 3});
  EXPECT_TRUE(at::equal(source->predict(batch).maps, copy->predict(batch).maps));
}

TEST(Simplenet, PredictsWithoutTraces) {
  const auto method = ready(small());
  train(*method, 1);
  const auto before = copy_of(method->state());
  const auto all = method->predict(batch_of({0, 1, 2}));
  EXPECT_EQ(all.maps.sizes(), at::IntArrayRef({3, 64, 64}));
  EXPECT_EQ(all.maps.scalar_type(), at::kDouble);
  EXPECT_TRUE(all.maps.isfinite().all().item<bool>());
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = method->predict(batch_of({i}));
    EXPECT_TRUE(at::allclose(alone.maps, all.maps.narrow(0, i, 1), 1e-5, 1e-5));
    EXPECT_NEAR(alone.scores[0], all.scores[static_cast<std::size_t>(i)], 1e-5);
    // That of the unsmoothed patches, which the smoothed map does not reach.
    EXPECT_GT(all.scores[static_cast<std::size_t>(i)], all.maps[i].max().item<double>());
  }
  for (const auto& [name, tensor] : method->state()) {
    EXPECT_TRUE(at::equal(tensor, *find_tensor(before, name))) << name;
  }
}

TEST(Simplenet, ScalesTheEmbeddingByItsSpread) {
  SimplenetOptions options;
  options.image_size = 64;
  options.backbone = "tf_efficientnet_lite0";
  options.target_embed_dimension = 100;
  Network network(options, at::TensorOptions().dtype(at::kDouble));
  network.initialise(Streams(1));
  const auto images = batch_of({0, 1, 2}).images.to(at::kDouble);
  const auto raw = network.embedding(network.encode(images));
  std::int64_t i = 0;
  network.calibrate(3, [&] { return network.encode(images.narrow(0, i++, 1)); });
  EXPECT_NEAR(network.embedding_scale.item<double>(), raw.std().item<double>(), 1e-9);
  EXPECT_NEAR(network.embedding(network.encode(images)).std().item<double>(), 1, 1e-9);
  expect_error(ErrorKind::kNumeric, "standard deviation", [&] {
    network.calibrate(1, [&] {
      auto maps = network.encode(images.narrow(0, 0, 1));
      return Levels{at::zeros_like(maps[0]), at::zeros_like(maps[1])};
    });
  });
}

TEST(Simplenet, ScalesEverythingButThePublishedFeatures) {
  const auto method = make(small());
  EXPECT_EQ(dynamic_cast<NeedsCalibration&>(*method).calibration_images(), 32);
  expect_error(ErrorKind::kInternal, "calibrate", [&] {
    method->step(batch_of({0, 1}), plan_at(0, 1, 1));
  });

  auto options = small("backbone", "wide_resnet50_2");
  options["image_size"] = 32;
  const auto published = make(options);
  EXPECT_EQ(dynamic_cast<NeedsCalibration&>(*published).calibration_images(),
            32);  // random weights
  NamedTensors weights;
  const std::string prefix = "backbone.";
  for (const auto& [name, tensor] : published->state()) {
    if (name.starts_with(prefix)) {
      weights.emplace_back(name.substr(prefix.size()), tensor.clone());
    }
  }
  published->load_pretrained(weights, "weights.pth");
  EXPECT_EQ(dynamic_cast<NeedsCalibration&>(*published).calibration_images(), 0);
  EXPECT_EQ(scale_of(*published), 1);
  const auto loss = [](Method& m) {
    return m.step(batch_of({0, 1}, 32), plan_at(0, 1, 1)).loss.item<double>();
  };
  const auto with_published_noise = loss(*published);
  options["noise_std"] = 0.015;
  const auto same = make(options);
  same->load_pretrained(weights, "weights.pth");
  EXPECT_EQ(loss(*same), with_published_noise);
}

TEST(Simplenet, SeesTrueAndFakePatchesInOneBatch) {
  SimplenetOptions options;
  options.image_size = 32;
  options.backbone = "tf_efficientnet_lite0";
  options.target_embed_dimension = 24;
  options.discriminator_hidden = 16;
  const Network network(options, at::TensorOptions().dtype(at::kDouble));
  network.initialise(Streams(3));
  network.train(true);
  const auto embedding = at::randn({40, 24}, at::kDouble), noise = at::randn({40, 24}, at::kDouble);
  const auto losses = simplenet::hinge_losses(network, embedding, noise, 0.5);

  const auto parameters = network.trained();
  const auto get = [&](const std::string& name) { return *find_tensor(parameters, name); };
  const auto projected = at::linear(
      embedding, get("pre_projection.layers.0fc.weight"), get("pre_projection.layers.0fc.bias"));
  const auto hidden = at::linear(at::cat({projected, projected + noise}),
                                 get("discriminator.body.block1.0.weight"),
                                 get("discriminator.body.block1.0.bias"));
  const auto mean = hidden.mean(0), variance = hidden.var(0, /*unbiased=*/false);
  const auto normed = (hidden - mean) / (variance + 1e-5).sqrt();
  const auto out = at::where(normed > 0, normed, 0.2 * normed)
                       .matmul(get("discriminator.tail.weight").flatten());
  EXPECT_NEAR(losses.on_true.item<double>(),
              at::relu(0.5 - out.narrow(0, 0, 40)).mean().item<double>(),
              1e-12);
  EXPECT_NEAR(losses.on_fake.item<double>(),
              at::relu(0.5 + out.narrow(0, 40, 40)).mean().item<double>(),
              1e-12);
  const auto* running = find_tensor(network.state(), "discriminator.body.block1.1.running_mean");
  EXPECT_TRUE(at::allclose(*running, 0.1 * mean));
}

TEST(Simplenet, StartsAsTheReference) {
  SimplenetOptions options;
  options.backbone = "tf_efficientnet_lite0";
  const Network network(options, at::TensorOptions());
  network.initialise(Streams(42));
  const auto parameters = network.trained();
  ASSERT_EQ(parameters.size(), 7U);
  const auto get = [&](const std::string& name) { return *find_tensor(parameters, name); };
  const auto expect_normal = [&](const std::string& name, double std) {
    const auto t = get(name);
    EXPECT_NEAR(t.mean().item<double>(), 0, 4 * std / std::sqrt(static_cast<double>(t.numel())));
    EXPECT_NEAR(t.std().item<double>() / std, 1, 4 / std::sqrt(static_cast<double>(t.numel())));
  };
  expect_normal("pre_projection.layers.0fc.weight", std::sqrt(2.0 / 3072));
  expect_normal("discriminator.body.block1.0.weight", std::sqrt(2.0 / 2560));
  expect_normal("discriminator.tail.weight", std::sqrt(2.0 / 1025));
  for (const auto* const name :
       {"pre_projection.layers.0fc.bias", "discriminator.body.block1.0.bias"}) {
    const auto t = get(name);
    const double bound = 1 / std::sqrt(1536.0);
    EXPECT_LE(t.abs().max().item<double>(), bound);
    EXPECT_NEAR(t.std().item<double>(), bound / std::sqrt(3.0), 0.05 * bound);
  }
  EXPECT_EQ(get("discriminator.body.block1.1.weight").min().item<double>(), 1);
}

TEST(Simplenet, DrawsNoiseByImage) {
  const Streams streams(42);
  const auto draw =
      [&](std::int64_t epoch, const std::vector<std::int64_t>& ids, std::int64_t mix) {
        return simplenet::draw_noise(streams, epoch, ids, 64, 1536, 0.5, mix);
      };
  const auto plain = draw(3, {5, 9}, 1);
  EXPECT_NEAR(plain.mean().item<double>(), 0, 0.005);
  EXPECT_NEAR(plain.std().item<double>(), 0.5, 0.005);
  EXPECT_TRUE(at::equal(plain.narrow(0, 64, 64), draw(3, {9}, 1)));
  EXPECT_FALSE(at::equal(plain, draw(4, {5, 9}, 1)));
  // Each row has one of three strengths, and all of them occur. Rows are long enough to tell them
  // apart.
  const auto strengths = simplenet::draw_noise(streams, 3, {5, 9}, 16, 16384, 0.5, 3).std(1) / 0.5;
  std::set<std::int64_t> seen;
  for (std::int64_t row = 0; row < strengths.size(0); ++row) {
    const double exponent = std::log(strengths[row].item<double>()) / std::log(1.1);
    EXPECT_GT(exponent, -0.5);
    EXPECT_LT(exponent, 2.5);
    seen.insert(std::lround(exponent));
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Simplenet, SetsTheRates) {
  const auto rates = [](const std::string& schedule, std::int64_t step) {
    const auto method = ready(small("schedule", schedule));
    return method->step(batch_of({0, 1}), plan_at(step, 3, 10)).rates;
  };
  for (const std::int64_t step : {0, 29}) {
    const auto constant = rates("constant", step);
    EXPECT_EQ(constant[0], (std::pair<std::string, double>("pre_projection", 1e-4)));
    EXPECT_EQ(constant[1], (std::pair<std::string, double>("discriminator", 2e-4)));
  }
  EXPECT_DOUBLE_EQ(rates("cosine", 2)[1].second, 2e-4);
  EXPECT_NEAR(rates("cosine", 17)[1].second, 1.4e-4, 1e-12);  // epoch 5 of 10: half of the way
  EXPECT_DOUBLE_EQ(rates("cosine", 17)[0].second, 1e-4);
}

TEST(Simplenet, StepsAtTheCosineRate) {
  // Adam's first step is about the rate long, whatever the gradient.
  const auto moved = [](std::int64_t step) {
    const auto method = ready(small("schedule", "cosine"));
    const auto before = find_tensor(method->state(), "discriminator.tail.weight")->detach().clone();
    method->step(batch_of({0, 1}), plan_at(step, 1, 10));
    return (*find_tensor(method->state(), "discriminator.tail.weight") - before)
        .abs()
        .max()
        .item<double>();
  };
  EXPECT_NEAR(moved(0), 2e-4, 2e-6);
  EXPECT_NEAR(moved(5), 1.4e-4, 2e-6);
}

TEST(Simplenet, DecaysWhatTheOptionSays) {
  const auto names = [](const std::string& decay_on, const std::string& group) {
    std::set<std::string> found;
    for (const auto& [name, tensor] : make(small("weight_decay_on", decay_on))->optimiser_state()) {
      const auto prefix = "optim." + group + ".step.";
      if (name.starts_with(prefix)) {
        found.insert(name.substr(prefix.size()));
      }
    }
    return found;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(names("matrices", "pre_projection"), Names{"pre_projection.layers.0fc.weight"});
  EXPECT_EQ(names("matrices", "pre_projection_plain"), Names{"pre_projection.layers.0fc.bias"});
  EXPECT_EQ(names("matrices", "discriminator"),
            (Names{"discriminator.body.block1.0.weight", "discriminator.tail.weight"}));
  EXPECT_EQ(names("all", "pre_projection").size(), 2U);
  EXPECT_EQ(names("all", "discriminator").size(), 5U);
}

TEST(Simplenet, ClipsEachGroupByItself) {
  auto options = small("clip_norm", 1e-3);
  const auto method = ready(options);
  const auto state = method->state();
  const auto norms = [&] {
    std::array<double, 2> squares = {0, 0};
    for (const auto& name : method->trainable()) {
      squares[name.starts_with("discriminator.") ? 1 : 0] +=
          find_tensor(state, name)->grad().square().sum().item<double>();
    }
    return std::array{std::sqrt(squares[0]), std::sqrt(squares[1])};
  };
  std::array<double, 2> before = {0, 0};
  auto plan = plan_at(0, 1, 1);
  plan.reduce = [&](const std::vector<at::Tensor>&, Reduction reduction) {
    EXPECT_EQ(reduction, Reduction::kMean);
    before = norms();
  };
  method->step(batch_of({0, 1}), plan);
  const auto after = norms();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_GT(before[i], 2e-3);
    EXPECT_NEAR(after[i], 1e-3, 1e-5);
  }
}

TEST(Simplenet, RefusesOptionsThatDoNotFit) {
  const auto refused = [](const Json& options, const std::string& part) {
    expect_error(ErrorKind::kUsage, part, [&] { make(options); });
  };
  refused(small("image_size", 72), "multiple of 16");
  refused({{"image_size", 16}, {"patch_size", 2}}, "patch_size");
  refused(small("patch_size", 10), "[1, 9]");
  refused(small("target_embed_dimension", 0), "target_embed_dimension");
  refused(small("schedule", "step"), "constant");
}

TEST(Simplenet, NeedsAnIdForEveryImage) {
  const auto method = ready(small());
  auto batch = batch_of({0, 1});
  batch.ids = {0};
  expect_error(
      ErrorKind::kInternal, "1 ids for 2 images", [&] { method->step(batch, plan_at(0, 1, 1)); });
}

}  // namespace
}  // namespace adb
