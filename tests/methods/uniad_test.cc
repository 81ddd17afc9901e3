#include "methods/uniad/uniad.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "methods/uniad/network.h"
#include "nn/module_state.h"
#include "runners/verify/verify.h"
#include "runners/worker/efficiency.h"
#include "tensor/state.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;
using uniad::UniadOptions;

Json small() {
  return {{"image_size", 64},
          {"batch", 2},
          {"backbone", "tf_efficientnet_lite0"},
          {"hidden_dim", 32},
          {"heads", 4},
          {"encoder_layers", 2},
          {"decoder_layers", 2},
          {"feedforward", 64}};
}

Json small(const std::string& key, const Json& value) {
  auto options = small();
  options[key] = value;
  return options;
}

std::unique_ptr<Method> make(const Json& options, std::int64_t seed = 42) {
  Context context;
  context.streams = Streams(seed);
  return uniad_method().make(options, context);
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

void expect_golden(const std::string& cases, int passed) {
  Registry<MethodEntry> methods("method");
  methods.add(uniad_method());
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = cases;
  const auto counts = run_verify(options, golden_functions(methods), [](const VerifyCase& result) {
    EXPECT_EQ(result.message, "") << result.name;
    for (const auto& row : result.rows) {
      EXPECT_TRUE(row.passed()) << result.name << " " << result.precision << " " << row.path << " "
                                << row.ratio << " " << row.note;
    }
  });
  EXPECT_EQ(counts.passed, passed);
}

TEST(Uniad, ComputesTheGoldenForward) {
  expect_golden("uniad_small_forward", 1);
}
TEST(Uniad, ComputesTheGoldenReconstruction) {
  expect_golden("uniad_recon", 1);
}
TEST(Uniad, ComputesTheGoldenTraining) {
  expect_golden("uniad_small_train", 1);
}

TEST(Uniad, HasThePublishedSize) {
  const auto method = make(Json::object());
  const auto parameters = count_parameters(*method);
  EXPECT_EQ(parameters.total, 24521560);
  EXPECT_EQ(parameters.trainable, 7779344);
  EXPECT_EQ(method->state().size(), 830U);
  EXPECT_EQ(method->trainable().size(), 132U);
  const auto macs = count_macs(*method);
  EXPECT_NEAR(static_cast<double>(macs.macs), 3.519e9, 0.0005e9);
  EXPECT_NEAR(static_cast<double>(macs.with_norms), 3.565e9, 0.001e9);
}

TEST(Uniad, TakesItsChannelsFromTheBackbone) {
  for (const auto& [backbone, channels] : {std::pair("tf_efficientnet_lite0", 192),
                                           std::pair("tf_efficientnet_lite1", 192),
                                           std::pair("tf_efficientnet_lite2", 208),
                                           std::pair("resnet18", 512),
                                           std::pair("wide_resnet50_2", 1856)}) {
    UniadOptions options;
    options.backbone = backbone;
    const uniad::Network network(options, at::TensorOptions());
    EXPECT_EQ(network.channels(), channels) << backbone;
    std::int64_t trained = 0;
    for (const auto& [name, tensor] : network.trained()) {
      trained += tensor.numel();
    }
    EXPECT_EQ(trained, 7639808 + 513 * channels) << backbone;
  }
  const auto lite = make(small())->input();
  EXPECT_FLOAT_EQ(lite.mean[0], 127.0F / 255);
  EXPECT_FLOAT_EQ(make(small("backbone", "resnet18"))->input().mean[0], 0.485F);
}

TEST(Uniad, GivesTheSameFeaturesForAnImageAloneAndInABatch) {
  const auto method = make(small());
  const auto together = method->features(batch_of({4, 5, 6}).images);
  ASSERT_EQ(together.size(), 1U);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = method->features(batch_of({4 + i}).images);
    EXPECT_TRUE(at::equal(alone[0], together[0].narrow(0, i, 1)));
  }
}

TEST(Uniad, TrainsAlikeOnImagesAndOnKeptFeatures) {
  const auto from_images = make(small()), from_features = make(small());
  EXPECT_EQ(train(*from_images, 3), train(*from_features, 3, /*with_features=*/true));
  auto batch = batch_of({7});
  const auto expected = from_images->predict(batch);
  batch.features = from_features->features(batch.images);
  batch.images = at::empty({1, 0});
  const auto got = from_features->predict(batch);
  EXPECT_TRUE(at::equal(expected.maps, got.maps));
  EXPECT_EQ(expected.scores, got.scores);
}

TEST(Uniad, LearnsAndRepeats) {
  const auto options = small("lr", 0.01);
  const auto first = train(*make(options), 60);
  EXPECT_LT(first.back(), 0.7 * first.front());
  const auto again = train(*make(options), 3);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), first.begin()));
  EXPECT_NE(train(*make(options, 43), 1).front(), first.front());
}

TEST(Uniad, ContinuesFromASavedState) {
  const auto source = make(small()), copy = make(small(), 7);
  train(*source, 2);
  restore_tensors(copy->state(), source->state(), "state", ErrorKind::kData);
  restore_tensors(copy->optimiser_state(), source->optimiser_state(), "state", ErrorKind::kData);
  const auto batch = batch_of({2, 3});
  EXPECT_TRUE(at::equal(source->predict(batch).maps, copy->predict(batch).maps));
}

TEST(Uniad, PredictsWithoutTraces) {
  const auto method = make(small());
  train(*method, 1);
  const auto before = copy_of(method->state());
  const auto batch = batch_of({0, 1, 2});
  const auto all = method->predict(batch);
  EXPECT_EQ(all.maps.sizes(), at::IntArrayRef({3, 64, 64}));
  EXPECT_TRUE(all.maps.isfinite().all().item<bool>());
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = method->predict(batch_of({i}));
    EXPECT_TRUE(at::allclose(alone.maps, all.maps.narrow(0, i, 1), 1e-5, 1e-5));
    EXPECT_NEAR(alone.scores[0], all.scores[static_cast<std::size_t>(i)], 1e-4);
  }
  for (const auto& [name, tensor] : method->state()) {
    EXPECT_TRUE(at::equal(tensor, *find_tensor(before, name))) << name;
  }
}

TEST(Uniad, LowersTheRateOnce) {
  const auto method = make(small("batch", 4));
  const auto rate = [&](std::int64_t step) {
    return method->step(batch_of({0, 1}), plan_at(step, 3, 10)).rates.front().second;
  };
  EXPECT_DOUBLE_EQ(rate(0), 0.5e-4);  // stated for a batch of 8
  EXPECT_DOUBLE_EQ(rate(23), 0.5e-4);
  EXPECT_DOUBLE_EQ(rate(24), 0.5e-5);
  EXPECT_DOUBLE_EQ(rate(29), 0.5e-5);
}

TEST(Uniad, LowersTheRateAsTheAuthorsDo) {
  const auto method = make(small("schedule", "every_800_epochs"));
  const auto rate = [&](std::int64_t step) {
    return method->step(batch_of({0, 1}), plan_at(step, 2, 2000)).rates.front().second;
  };
  EXPECT_DOUBLE_EQ(rate(0), 0.25e-4);
  EXPECT_DOUBLE_EQ(rate(2 * 801 - 1), 0.25e-4);  // epoch 800 of 0 .. : one late
  EXPECT_NEAR(rate(2 * 801), 0.25e-5, 1e-15);
  EXPECT_NEAR(rate(2 * 1601), 0.25e-6, 1e-16);
}

TEST(Uniad, DecaysWhatTheOptionSays) {
  const auto groups = [](const std::string& decay_on) {
    std::set<std::string> decayed;
    const auto method = make(small("weight_decay_on", decay_on));
    for (const auto& [name, tensor] : method->optimiser_state()) {
      const std::string prefix = "optim.decayed.step.net_ad.";
      if (name.starts_with(prefix)) {
        decayed.insert(name.substr(prefix.size()));
      }
    }
    return decayed;
  };
  const auto matrices = groups("matrices");
  EXPECT_TRUE(matrices.count("pos_embed.row_embed.weight"));
  EXPECT_TRUE(matrices.count("transformer.decoder.layers.1.learned_embed.weight"));
  EXPECT_FALSE(matrices.count("transformer.decoder.norm.weight"));
  EXPECT_FALSE(matrices.count("transformer.encoder.layers.0.self_attn.in_proj_bias"));
  EXPECT_EQ(groups("all").size(), make(small())->trainable().size());
}

TEST(Uniad, StartsAsTheReference) {
  UniadOptions options;
  options.backbone = "tf_efficientnet_lite0";
  const uniad::Network network(options, at::TensorOptions());
  network.initialise(Streams(42));
  const auto state = network.trained();
  const auto get = [&](const std::string& name) { return *find_tensor(state, "net_ad." + name); };
  const std::string encoder = "transformer.encoder.layers.",
                    decoder = "transformer.decoder.layers.";
  // Copies of one template, but for the linear layers.
  for (const std::string name :
       {"self_attn.in_proj_weight", "multihead_attn.in_proj_weight", "learned_embed.weight"}) {
    EXPECT_TRUE(at::equal(get(decoder + "0." + name), get(decoder + "3." + name))) << name;
  }
  EXPECT_TRUE(at::equal(get(encoder + "0.self_attn.in_proj_weight"),
                        get(encoder + "2.self_attn.in_proj_weight")));
  EXPECT_FALSE(at::equal(get(encoder + "0.self_attn.in_proj_weight"),
                         get(decoder + "0.self_attn.in_proj_weight")));
  EXPECT_FALSE(at::equal(get(decoder + "0.self_attn.in_proj_weight"),
                         get(decoder + "0.multihead_attn.in_proj_weight")));
  EXPECT_FALSE(at::equal(get(encoder + "0.linear1.weight"), get(encoder + "1.linear1.weight")));

  const auto expect_uniform = [&](const std::string& name, double low, double high) {
    const auto t = get(name);
    EXPECT_GE(t.min().item<double>(), low) << name;
    EXPECT_LE(t.max().item<double>(), high) << name;
    EXPECT_NEAR(t.mean().item<double>(), (low + high) / 2, 0.03 * (high - low)) << name;
    EXPECT_NEAR(t.std().item<double>(), (high - low) / std::sqrt(12.0), 0.03 * (high - low))
        << name;
  };
  const double in_proj = std::sqrt(6.0 / 1024), mlp = std::sqrt(6.0 / 1280);
  expect_uniform(encoder + "0.self_attn.in_proj_weight", -in_proj, in_proj);
  expect_uniform(decoder + "1.linear2.weight", -mlp, mlp);
  expect_uniform("input_proj.weight", -std::sqrt(6.0 / 448), std::sqrt(6.0 / 448));
  expect_uniform("pos_embed.row_embed.weight", 0, 1);
  const auto queries = get(decoder + "0.learned_embed.weight");
  EXPECT_NEAR(queries.std().item<double>(), 1, 0.02);
  EXPECT_NEAR(queries.mean().item<double>(), 0, 0.02);
  EXPECT_EQ(get(encoder + "0.self_attn.in_proj_bias").abs().max().item<double>(), 0);
  EXPECT_EQ(get(encoder + "0.self_attn.out_proj.bias").abs().max().item<double>(), 0);
  EXPECT_EQ(get(decoder + "0.norm3.weight").min().item<double>(), 1);
}

TEST(Uniad, DrawsJitterByImage) {
  const Streams streams(42);
  const auto draws = uniad::draw_jitter(streams, 3, {5, 9}, 256, 272);
  EXPECT_NEAR(draws.mean().item<double>(), 0, 0.01);
  EXPECT_NEAR(draws.std().item<double>(), 1, 0.01);
  EXPECT_TRUE(at::equal(draws.narrow(0, 1, 1), uniad::draw_jitter(streams, 3, {9}, 256, 272)));
  EXPECT_FALSE(at::equal(draws.narrow(0, 1, 1), uniad::draw_jitter(streams, 4, {9}, 256, 272)));
}

TEST(Uniad, AddsJitterInProportionToTheToken) {
  UniadOptions options;
  options.image_size = 32;
  options.backbone = "tf_efficientnet_lite0";
  const uniad::Network network(options, at::TensorOptions().dtype(at::kDouble));
  network.initialise(Streams(1));
  const auto features = at::rand({1, 192, 2, 2}, at::kDouble);
  uniad::Noise noise;
  noise.jitter = at::randn({1, 4, 192}, at::kDouble);
  const auto tokens = features.flatten(2).transpose(1, 2);
  const auto moved = tokens + noise.jitter * 20 * tokens.norm(2, {2}, true) / 192;
  const auto by_hand = moved.transpose(1, 2).reshape(features.sizes());
  EXPECT_TRUE(at::allclose(network.reconstruction->forward(features, noise).rebuilt,
                           network.reconstruction->forward(by_hand).rebuilt));
}

TEST(Uniad, DropsAtTheRateByImage) {
  const uniad::Dropout dropout(0.1, Streams(42), 2, {5, 9});
  const auto x = at::ones({2, 8, 64, 63});
  const auto y = dropout.apply(x, "here");
  const auto dropped = y.eq(0).to(at::kDouble).mean().item<double>();
  EXPECT_NEAR(dropped, 0.1, 0.005);
  EXPECT_TRUE(at::allclose(y.max(), at::full({}, 1 / 0.9F)));
  EXPECT_TRUE(at::equal(y.narrow(0, 1, 1),
                        uniad::Dropout(0.1, Streams(42), 2, {9}).apply(x.narrow(0, 1, 1), "here")));
  EXPECT_FALSE(at::equal(y[0], y[1]));
  EXPECT_FALSE(at::equal(y, dropout.apply(x, "there")));
  EXPECT_TRUE(at::equal(uniad::Dropout().apply(x, "here"), x));
}

TEST(Uniad, AttendsAlikeWithAndWithoutTheFusedOperator) {
  UniadOptions options;
  options.image_size = 64;
  options.backbone = "tf_efficientnet_lite0";
  const uniad::Network network(options, at::TensorOptions().dtype(at::kDouble));
  network.initialise(Streams(1));
  const auto features = at::rand({2, 192, 4, 4}, at::kDouble);
  uniad::Noise noise;  // so seldom that nothing is dropped, but active
  noise.dropout = uniad::Dropout(1e-15, Streams(1), 0, {0, 1});
  ASSERT_TRUE(noise.dropout.active());
  EXPECT_TRUE(at::allclose(network.reconstruction->forward(features, noise).rebuilt,
                           network.reconstruction->forward(features).rebuilt,
                           1e-10,
                           1e-10));
}

TEST(Uniad, TrainsWithDropoutAndJitterAsTold) {
  const auto loss = [](const Json& options) { return train(*make(options), 1).front(); };
  auto quiet = small("dropout", 0);
  quiet["jitter_prob"] = 0;
  const auto plain = loss(quiet);
  auto jittered = quiet;
  jittered["jitter_prob"] = 1;
  auto dropped = quiet;
  dropped["dropout"] = 0.1;
  EXPECT_NE(loss(jittered), plain);
  EXPECT_NE(loss(dropped), plain);
  jittered["jitter_scale"] = 0;
  EXPECT_EQ(loss(jittered), plain);
}

TEST(Uniad, KnowsAllLosses) {
  std::set<double> losses;
  for (const auto* const loss : {"mse", "l1", "cos_pixel", "cos_flat"}) {
    losses.insert(train(*make(small("loss", loss)), 1).front());
  }
  EXPECT_EQ(losses.size(), 4U);
}

TEST(Uniad, RefusesOptionsThatDoNotFit) {
  const auto refused = [](const Json& options, const std::string& part) {
    expect_error(ErrorKind::kUsage, part, [&] { make(options); });
  };
  refused(small("image_size", 72), "multiple of 16");
  refused(small("image_size", 16), "from 32");
  refused(small("image_size", 2048), "to 1024");
  refused(small("neighbor_size", 4), "leaves a position");  // 4 / 2 is not below 4 / 2
  refused(small("heads", 5), "multiple of heads");
  refused(small("hidden_dim", 33), "must be even");
  refused({{"hidden_dim", 4096}, {"feedforward", 65536}, {"encoder_layers", 64}}, "parameters");
  EXPECT_NO_THROW(make(small("neighbor_size", 3)));
}

TEST(Uniad, NeedsAnIdForEveryImage) {
  const auto method = make(small());
  auto batch = batch_of({0, 1});
  batch.ids = {0};
  expect_error(
      ErrorKind::kInternal, "1 ids for 2 images", [&] { method->step(batch, plan_at(0, 1, 1)); });
}

}  // namespace
}  // namespace adb
