#include "methods/vitad/vitad.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <torch/torch.h>

#include "methods/optional.h"
#include "methods/vitad/network.h"
#include "methods/vitad/options.h"
#include "nn/module_state.h"
#include "runners/verify/verify.h"
#include "tests/support/expect_error.h"

namespace adb::vitad {
namespace {

using adb::testing::expect_error;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// A network of a second: 16 tokens, 4 encoder blocks.
Json small() {
  return {{"backbone", "vit"},
          {"patch", 16},
          {"dim", 32},
          {"heads", 2},
          {"encoder_depth", 4},
          {"image_size", 64},
          {"batch", 2}};
}

Json with(Json options, const Json& changes) {
  options.update(changes);
  return options;
}

VitadOptions read(const Json& options) {
  return read_options<VitadOptions>(options, "test");
}

std::unique_ptr<Method> make(const Json& options, std::int64_t seed = 1) {
  Context context;
  context.streams = Streams(seed);
  return vitad_method().make(options, context);
}

Batch images(std::int64_t count, std::int64_t side = 64) {
  Batch batch;
  auto values = at::arange(count * 3 * side * side, at::kFloat);
  batch.images = (values * 0.37).sin().view({count, 3, side, side});
  return batch;
}

StepPlan plan(std::int64_t step = 0) {
  StepPlan plan;
  plan.step = step;
  plan.epochs = 10;
  plan.steps_per_epoch = 10;
  return plan;
}

NamedTensors copy(const NamedTensors& state) {
  NamedTensors copied;
  for (const auto& [name, tensor] : state) {
    copied.emplace_back(name, tensor.detach().clone());
  }
  return copied;
}

std::set<std::string> changed(const NamedTensors& before, const NamedTensors& after) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!at::equal(before[i].second, after[i].second)) {
      names.insert(before[i].first);
    }
  }
  return names;
}

std::int64_t count(const NamedTensors& tensors) {
  std::int64_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    total += tensor.numel();
  }
  return total;
}

TEST(Vitad, MeetsItsGoldenCases) {
  Registry<MethodEntry> methods("method");
  methods.add(vitad_method());
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "vitad_*";
  const auto counts = run_verify(options, golden_functions(methods), [](const VerifyCase& result) {
    EXPECT_EQ(result.outcome, VerifyOutcome::kPassed)
        << result.name << ' ' << result.precision << ' ' << result.message;
    for (const auto& row : result.rows) {
      EXPECT_TRUE(row.passed()) << result.name << ' ' << result.precision << ' ' << row.path << ' '
                                << row.ratio;
    }
  });
  EXPECT_EQ(counts.passed, 9);
}

// Card section 9.
TEST(Vitad, HasThePublishedSizes) {
  const auto half = at::TensorOptions().dtype(at::kHalf);  // half the memory; only shapes matter
  const std::pair<const char*, std::int64_t> totals[] = {
      {"dino_s16", 38586472}, {"in1k_t", 9967144}, {"dino_s8", 38733928}, {"dino_b16", 151784680}};
  for (const auto& [backbone, total] : totals) {
    const Network network(read({{"backbone", backbone}}), half);
    EXPECT_EQ(count(network.state()), total) << backbone;
  }
  const Network network(read(Json::object()), half);
  EXPECT_EQ(count(network.trained()), 16897768);
  EXPECT_EQ(count(network.trained()) - count(network.used()), 681448);
}

TEST(Vitad, DividesTheDepthOfLargeEncoders) {
  const auto large = resolve(read({{"backbone", "in1k_l"}}));
  EXPECT_THAT(large.teachers, ElementsAre(6, 12, 18));
  EXPECT_THAT(large.neck, ElementsAre(24));
  EXPECT_THAT(large.students, ElementsAre(6, 12, 18));
  EXPECT_EQ(large.decoder_depth, 18);
  EXPECT_EQ(resolve(read({{"backbone", "moco_s"}})).encoder.decoder_heads, 6);
  EXPECT_EQ(resolve(read({{"backbone", "in1k_h"}, {"image_size", 252}})).grid, 18);
}

TEST(Vitad, RefusesWhatDoesNotFitTogether) {
  const std::pair<Json, const char*> cases[] = {
      {{{"image_size", 250}}, "multiple of the patch side 16, got 250"},
      {{{"backbone", "in1k_h"}}, "multiple of the patch side 14, got 256"},
      {{{"backbone", "vit"}}, "needs patch, dim, heads and encoder_depth"},
      {{{"heads", 5}}, "heads of backbone dino_s16 is 6, not 5"},
      {{{"encoder_depth", 13}}, "more than the 12 blocks"},
      {{{"encoder_depth", 10}}, "teachers must be given"},
      {{{"teachers", {3, 13}}}, "teachers must lie in 0 .. 12"},
      {{{"teachers", {6, 3, 9}}}, "teachers must ascend"},
      {{{"teachers", {6, 9}}}, "must be equally many"},
      {{{"neck", {3, 3}}, {"fuser", "cat"}}, "neck must ascend"},
      {{{"neck", {9, 12}}}, "fuser linear takes one neck feature"},
      {{{"decoder_depth", 8}}, "students must lie in 1 .. 8"},
      {{{"fuser", "conv"}, {"keep_class_token", true}}, "conv cannot take the class token"},
      {with(small(), {{"dim", 30}}), ""},
      {with(small(), {{"heads", 3}}), "dim 32 is not a multiple of heads 3"},
      {{{"backbone", "vit"},
        {"patch", 16},
        {"dim", 4096},
        {"heads", 64},
        {"encoder_depth", 64},
        {"teachers", {1}},
        {"students", {64}}},
       "parameters"},
      {{{"fuser", "pyramid"}}, "pyramid"},
      {{{"image_sise", 64}}, "image_sise"},
  };
  for (const auto& [options, part] : cases) {
    if (*part == '\0') {
      EXPECT_NO_THROW(read(options));
    } else {
      expect_error(ErrorKind::kUsage, part, [&, &refused = options] { read(refused); });
    }
  }
}

TEST(Vitad, TrainsOnlyWhatItUses) {
  auto method = make(small());
  const auto before = copy(method->state());
  const auto batch = images(2);
  method->step(batch, plan());
  method->step(batch, plan(1));
  const auto names = changed(before, method->state());
  EXPECT_THAT(names, Contains("net_s.pos_embed"));
  EXPECT_THAT(names, Contains("net_fusion.fc.weight"));
  EXPECT_THAT(names, Contains("net_s.blocks.0.attn.qkv.weight"));
  for (const auto& name : names) {
    EXPECT_FALSE(name.starts_with("net_t.")) << name;
  }
  for (const auto* unused : {"net_s.cls_token",
                             "net_s.patch_embed.proj.weight",
                             "net_s.norm.weight",
                             "net_s.head.weight"}) {
    EXPECT_THAT(names, Not(Contains(unused)));
  }
}

TEST(Vitad, DecaysTensorsOfRankTwoAndMore) {
  const auto state = make(small())->optimiser_state();
  EXPECT_NE(find_tensor(state, "optim.decayed.exp_avg.net_s.pos_embed"), nullptr);
  EXPECT_NE(find_tensor(state, "optim.decayed.exp_avg.net_fusion.fc.weight"), nullptr);
  EXPECT_NE(find_tensor(state, "optim.plain.exp_avg.net_fusion.fc.bias"), nullptr);
  EXPECT_NE(find_tensor(state, "optim.plain.exp_avg.net_s.blocks.0.norm1.weight"), nullptr);
  for (const auto& [name, tensor] : state) {
    EXPECT_EQ(name.find("head"), std::string::npos) << name;
  }
}

TEST(Vitad, FollowsItsSchedule) {
  auto method = make(with(small(), {{"batch", 16}}));
  const auto rate = [&](std::int64_t step) {
    return method->step(images(2), plan(step)).rates.front().second;
  };
  EXPECT_DOUBLE_EQ(rate(79), 2e-4);
  EXPECT_DOUBLE_EQ(rate(80), 2e-5);
  method = make(with(small(), {{"batch", 8}, {"scheduler", "cosine"}}));
  EXPECT_DOUBLE_EQ(rate(0), 1e-4);
  EXPECT_DOUBLE_EQ(rate(50), 1e-6 + (1e-4 - 1e-6) / 2);
}

TEST(Vitad, LearnsARepeatedBatch) {
  auto method = make(with(small(), {{"lr", 1e-2}}));
  const auto batch = images(2);
  const auto first = method->step(batch, plan());
  double last = 0;
  for (int i = 1; i < 20; ++i) {
    last = method->step(batch, plan(i)).loss.item<double>();
  }
  EXPECT_LT(last, 0.7 * first.loss.item<double>());
  ASSERT_EQ(first.parts.size(), 3U);
  EXPECT_EQ(first.parts[0].first, "block1");
}

TEST(Vitad, RepeatsItselfBitwise) {
  const auto losses = [](std::int64_t seed) {
    auto method = make(small(), seed);
    std::vector<double> values;
    for (int i = 0; i < 3; ++i) {
      values.push_back(method->step(images(2), plan(i)).loss.item<double>());
    }
    return values;
  };
  EXPECT_EQ(losses(3), losses(3));
  EXPECT_NE(losses(3), losses(4));
}

TEST(Vitad, FeaturesDoNotDependOnTheBatch) {
  // Every kind of feature: plain, normalised, with class token.
  for (const Json& change :
       {Json::object(),
        Json{{"neck_after_final_norm", true}, {"keep_class_token", true}, {"fuser", "identity"}}}) {
    auto method = make(with(small(), change));
    const auto batch = images(5);
    const auto together = method->features(batch.images);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto alone = method->features(batch.images.narrow(0, i, 1).clone());
      for (std::size_t k = 0; k < together.size(); ++k) {
        EXPECT_TRUE(at::equal(alone[k], together[k].narrow(0, i, 1)));
        EXPECT_TRUE(together[k].is_contiguous());
      }
    }
  }
}

TEST(Vitad, GivenFeaturesChangeNothing) {
  auto plain = make(small()), given = make(small());
  auto batch = images(3);
  auto cached = batch;
  cached.features = given->features(batch.images);
  EXPECT_TRUE(at::equal(plain->step(batch, plan()).loss, given->step(cached, plan()).loss));
  const auto a = plain->predict(batch), b = given->predict(cached);
  EXPECT_TRUE(at::equal(a.maps, b.maps));
  EXPECT_EQ(a.scores, b.scores);
}

TEST(Vitad, SharesFeaturesOfNeckAndTeachers) {
  const auto features =
      make(with(small(), {{"fuser", "cat"}, {"neck", {1, 2, 4}}}))->features(images(1).images);
  EXPECT_EQ(features.size(), 4U);  // blocks 1, 2, 3 and 4
}

TEST(Vitad, PredictionsLeaveTheModelAlone) {
  auto method = make(with(small(), {{"fuser", "conv"}}));
  method->step(images(2), plan());
  const auto before = copy(method->state());
  const auto together = method->predict(images(3));
  EXPECT_TRUE(changed(before, method->state()).empty());
  EXPECT_EQ(together.maps.sizes(), (std::vector<std::int64_t>{3, 64, 64}));
  EXPECT_EQ(together.maps.scalar_type(), at::kDouble);
  Batch last;
  last.images = images(3).images.narrow(0, 2, 1);
  const auto alone = method->predict(last);
  EXPECT_TRUE(at::allclose(alone.maps[0], together.maps[2], 1e-4, 1e-6));
  EXPECT_NEAR(alone.scores[0], together.scores[2], 1e-6);
  // Still in training mode: batch statistics move.
  method->step(images(2), plan(1));
  EXPECT_THAT(changed(before, method->state()), Contains("net_fusion.blocks.0.bn1.running_mean"));
}

TEST(Vitad, RunsEveryVariant) {
  const Json variants[] = {{{"fuser", "add"}, {"neck", {0, 2, 4}}},
                           {{"fuser", "vit"}, {"fuser_blocks", 2}},
                           {{"fuser", "conv"}, {"fuser_blocks", 2}},
                           {{"fuser", "identity"}, {"decoder_position_embedding", false}},
                           {{"keep_class_token", true}},
                           {{"neck_after_final_norm", true}},
                           {{"teachers", {0, 1}}, {"students", {1, 2}}, {"decoder_depth", 3}},
                           {{"teachers", {4}}, {"neck", {4}}, {"students", {2}}},
                           {{"loss", "l1"}},
                           {{"loss", "mse"}},
                           {{"loss", "cos_pixel"}}};
  for (const auto& variant : variants) {
    auto method = make(with(small(), variant));
    const auto loss = method->step(images(2), plan()).loss.item<double>();
    EXPECT_TRUE(std::isfinite(loss)) << variant.dump();
    EXPECT_EQ(method->predict(images(1)).scores.size(), 1U);
  }
}

// Card section 4.
TEST(Vitad, IsDrawnAsTheCardSays) {
  const auto state = make(with(small(), {{"dim", 64}, {"heads", 4}}))->state();
  const auto std = [&](const char* name) {
    return find_tensor(state, name)->detach().std().item<double>();
  };
  EXPECT_NEAR(std("net_s.blocks.0.attn.qkv.weight"), 0.02, 0.001);
  EXPECT_NEAR(std("net_s.pos_embed"), 0.02, 0.003);
  EXPECT_NEAR(std("net_t.blocks.3.mlp.fc2.weight"), 0.02, 0.001);
  EXPECT_LT(std("net_t.cls_token"), 2e-6);
  EXPECT_GT(std("net_t.cls_token"), 5e-7);
  const double fusion = 1 / std::sqrt(64.0), patch = 1 / std::sqrt(3.0 * 16 * 16);
  const auto largest = [&](const char* name) {
    return find_tensor(state, name)->detach().abs().max().item<double>();
  };
  EXPECT_NEAR(largest("net_fusion.fc.weight"), fusion, 0.01 * fusion);
  EXPECT_LE(largest("net_fusion.fc.bias"), fusion);
  EXPECT_GT(largest("net_fusion.fc.bias"), 0.5 * fusion);
  EXPECT_NEAR(largest("net_t.patch_embed.proj.weight"), patch, 0.01 * patch);
  EXPECT_GT(largest("net_s.patch_embed.proj.bias"), 0.5 * patch);
  EXPECT_EQ(largest("net_s.blocks.0.mlp.fc1.bias"), 0);
  EXPECT_EQ(std("net_s.blocks.0.norm1.weight"), 0);
  EXPECT_EQ(largest("net_s.blocks.0.norm1.weight"), 1);
}

// A checkpoint's tensors for `network`: values are the index of the entry, `change` renames.
NamedTensors checkpoint(const Network& network,
                        const std::function<std::string(const std::string&)>& change) {
  NamedTensors weights;
  double value = 1;
  for (const auto& [name, tensor] : module_state(*network.encoder)) {
    weights.emplace_back(change(name), at::full_like(tensor.detach(), value++));
  }
  weights.emplace_back(change("head.weight"), at::zeros({3}));
  weights.emplace_back(change("head_dist.bias"), at::zeros({3}));
  return weights;
}

TEST(VitadWeights, UnderstandsPublishersNames) {
  const Network network(read(small()), at::TensorOptions());
  const auto same = [](const std::string& name) { return name; };
  const auto moco = [](const std::string& name) { return "module." + name; };
  const auto mae = [](const std::string& name) {
    return name.starts_with("norm.") ? "fc_" + name : name;
  };
  for (const auto& change : {std::function<std::string(const std::string&)>(same),
                             std::function<std::string(const std::string&)>(moco),
                             std::function<std::string(const std::string&)>(mae)}) {
    for (const auto& [name, tensor] : module_state(*network.encoder)) {
      tensor.detach().zero_();
    }
    network.load_encoder(checkpoint(network, change), "file");
    double value = 1;
    for (const auto& [name, tensor] : module_state(*network.encoder)) {
      EXPECT_TRUE(at::all(tensor == value++).item<bool>()) << name;
    }
  }
}

TEST(VitadWeights, ResamplesPositions) {
  const Network network(read(small()), at::TensorOptions());
  auto weights = checkpoint(network, [](const std::string& name) { return name; });
  for (auto& [name, tensor] : weights) {
    if (name == "pos_embed") {
      tensor =
          at::cat({at::full({1, 1, 32}, 5.0), at::full({1, 49, 32}, 2.0)}, 1);  // 7 x 7, not 4 x 4
    }
  }
  network.load_encoder(weights, "file");
  const auto positions = *find_tensor(network.state(), "net_t.pos_embed");
  EXPECT_TRUE(at::allclose(positions.slice(1, 0, 1), at::full({1, 1, 32}, 5.0)));
  EXPECT_TRUE(at::allclose(positions.slice(1, 1), at::full({1, 16, 32}, 2.0)));
  for (auto& [name, tensor] : weights) {
    if (name == "pos_embed") {
      tensor = at::zeros({1, 13, 32});
    }
  }
  expect_error(ErrorKind::kWeights, "a square", [&] { network.load_encoder(weights, "file"); });
}

TEST(VitadWeights, CutsTheEncoderOff) {
  const Network whole(read(small()), at::TensorOptions());
  const auto weights = checkpoint(whole, [](const std::string& name) { return name; });
  // A named backbone may be cut; here the same is a shallower "vit" that meets a deeper checkpoint.
  const Network cut(
      read(with(small(), {{"encoder_depth", 2}, {"teachers", {1}}, {"students", {1}}})),
      at::TensorOptions());
  EXPECT_NO_THROW(cut.load_encoder(weights, "file"));
  expect_error(ErrorKind::kWeights, "missing: blocks.2.", [&] {
    const Network deep(read(small()), at::TensorOptions());
    NamedTensors shallow;
    for (const auto& named : weights) {
      if (!named.first.starts_with("blocks.2.")) {
        shallow.push_back(named);
      }
    }
    deep.load_encoder(shallow, "file");
  });
}

TEST(VitadWeights, RefusesOtherNetworks) {
  const Network network(read(small()), at::TensorOptions());
  auto weights = checkpoint(network, [](const std::string& name) { return name; });
  weights.emplace_back("layer1.0.conv1.weight", at::zeros({1}));
  expect_error(ErrorKind::kWeights, "unexpected: layer1.0.conv1.weight", [&] {
    network.load_encoder(weights, "file");
  });
}

TEST(VitadEncoders, HaveTheirPublishersParts) {
  const auto half = at::TensorOptions().dtype(at::kHalf);
  const Network deit(read({{"backbone", "deit_t"}}), half);
  EXPECT_EQ(find_tensor(deit.state(), "net_t.pos_embed")->size(1), 258);
  EXPECT_NE(find_tensor(deit.state(), "net_t.dist_token"), nullptr);
  EXPECT_EQ(deit.encoder->shape().prefix(), 2);
  const Network clip(read({{"backbone", "clip_b"}, {"image_size", 32}}), half);
  EXPECT_NE(find_tensor(clip.state(), "net_t.norm_pre.weight"), nullptr);
  EXPECT_EQ(find_tensor(clip.state(), "net_t.patch_embed.proj.bias"), nullptr);
  EXPECT_NE(find_tensor(clip.state(), "net_s.patch_embed.proj.bias"), nullptr);
  EXPECT_EQ(clip.encoder->shape().eps, 1e-5);
}

TEST(VitadEncoders, DropBothPrefixTokens) {
  auto method = make({{"backbone", "deit_t"}, {"image_size", 32}, {"keep_class_token", true}});
  const auto features = method->features(images(1, 32).images);
  ASSERT_EQ(features.size(), 4U);
  EXPECT_EQ(features[0].size(1), 4);
  EXPECT_EQ(features[3].size(1), 5);  // the neck: class token and patches, no distillation token
}

TEST(VitadEncoders, ApplyOrSkipNormPre) {
  VitShape shape;
  shape.patch = 4;
  shape.grid = 2;
  shape.dim = 8;
  shape.heads = 2;
  shape.depth = 1;
  shape.norm_pre = true;
  const VitEncoder encoder(shape, at::TensorOptions());
  init_transformer(module_state(encoder), Streams(1), "test");
  const auto input = images(1, 8).images;
  const at::NoGradGuard no_grad;
  const auto normed = encoder.forward(input, {0}).front();
  EXPECT_LT(normed.mean(-1).abs().max().item<double>(), 1e-4);
  const auto skipped = encoder.forward(input, {0}, /*skip_norm_pre=*/true).front();
  EXPECT_TRUE(at::allclose(at::layer_norm(skipped, {8}, {}, {}, 1e-6), normed, 1e-4, 1e-5));
  EXPECT_FALSE(at::allclose(skipped, normed));
}

TEST(VitadEncoders, MocoStartsFromSinesAndCosines) {
  const auto positions = sine_cosine_position_embedding(8, 1, 3);
  EXPECT_EQ(positions.sizes(), (std::vector<std::int64_t>{1, 10, 8}));
  EXPECT_EQ(positions[0][0].abs().sum().item<double>(), 0);
  // Row 1, column 2: sines and cosines of 1 and 1/100, then of 2 and 2/100.
  const auto place = positions[0][1 + 1 * 3 + 2];
  const double expected[] = {std::sin(1),
                             std::sin(0.01),
                             std::cos(1),
                             std::cos(0.01),
                             std::sin(2),
                             std::sin(0.02),
                             std::cos(2),
                             std::cos(0.02)};
  for (std::int64_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(place[i].item<double>(), expected[i], 1e-12);
  }
}

TEST(Vitad, ChangesTrainingImagesOnlyWhenAsked) {
  EXPECT_TRUE(make(with(small(), {{"augment", "all"}}))->input().sample);
  EXPECT_FALSE(make(small())->input().sample);
  EXPECT_FALSE(make(with(small(), {{"augment", "all"}}))->input().full_size_samples);
  EXPECT_TRUE(make(with(small(), {{"augment", "all"}, {"augment_resized", false}}))
                  ->input()
                  .full_size_samples);
}

TEST(Vitad, ChangesTestImagesOnlyWhenAsked) {
  const auto test_sample = [](const Json& options) {
    const auto method = make(with(small(), options));
    return dynamic_cast<const ChangesTestImages&>(*method).test_sample();
  };
  EXPECT_FALSE(test_sample({{"augment", "rrc"}}));
  EXPECT_FALSE(test_sample({{"augment_tests", true}}));
  EXPECT_TRUE(test_sample({{"augment", "rrc"}, {"augment_tests", true}}));
}

}  // namespace
}  // namespace adb::vitad
