#include "methods/destseg/destseg.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "core/json.h"
#include "methods/destseg/network.h"
#include "methods/destseg/sample.h"
#include "nn/image_losses.h"
#include "runners/verify/formula.h"
#include "runners/verify/verify.h"
#include "synthesis/procedural.h"
#include "tensor/maps.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using destseg::DestsegOptions;
using destseg::Levels;
using destseg::Network;
using testing::expect_error;

constexpr std::int64_t kSide = 64;

Json small(const Json& changes = Json::object()) {
  Json options = {{"image_size", kSide}, {"batch", 2}};
  options.update(changes);
  return options;
}

std::unique_ptr<Method> make(const Json& options = small(),
                             std::int64_t seed = 1,
                             at::ScalarType dtype = at::kFloat) {
  Context context;
  context.streams = Streams(seed);
  context.dtype = dtype;
  return destseg_method().make(options, context);
}

class Textures final : public TexturePool {
 public:
  std::int64_t size() const override { return 100; }
  Image texture(std::int64_t index, int side) const override {
    Stream random(7, "texture", 0, index);
    return procedural_texture(side, random);
  }
};

Image photo(std::int64_t id) {
  Stream random(8, "photo", 0, id);
  return procedural_texture(static_cast<int>(kSide), random);
}

// A training batch made by the method's own sample function.
Batch training_batch(const Method& method) {
  const auto spec = method.input();
  const Textures textures;
  Batch batch;
  std::map<std::string, std::vector<at::Tensor>> fields;
  for (std::int64_t i = 0; i < spec.batch; ++i) {
    batch.ids.push_back(i);
    Stream random(1, "sample", 0, i);
    for (auto& field : spec.sample(photo(i), random, &textures)) {
      fields[field.name].push_back(at::from_blob(field.values.data(), field.shape).clone());
    }
  }
  for (const auto& [name, tensors] : fields) {
    (name == "image" ? batch.images : batch.fields[name]) = at::stack(tensors);
  }
  return batch;
}

at::Tensor waves(std::vector<std::int64_t> shape, double step = 0.37) {
  std::int64_t count = 1;
  for (const auto extent : shape) {
    count *= extent;
  }
  return (at::arange(count, at::kDouble) * step).sin().to(at::kFloat).view(shape);
}

Batch test_batch(std::int64_t count) {
  Batch batch;
  batch.images = waves({count, 3, kSide, kSide});
  return batch;
}

// Of 10 epochs of 10 steps the first 20 steps are the student's.
StepPlan plan_at(std::int64_t step, std::int64_t steps_per_epoch = 10, std::int64_t epochs = 10) {
  StepPlan plan;
  plan.step = step;
  plan.steps_per_epoch = steps_per_epoch;
  plan.epochs = epochs;
  return plan;
}

NamedTensors copy_of(const NamedTensors& state) {
  NamedTensors copy;
  for (const auto& [name, tensor] : state) {
    copy.emplace_back(name, tensor.detach().clone());
  }
  return copy;
}

bool same(const NamedTensors& a, const NamedTensors& b, const std::string& prefix) {
  bool equal = true;
  for (std::size_t i = 0; i < a.size(); ++i) {
    equal = equal && (!a[i].first.starts_with(prefix) || a[i].second.equal(b[i].second));
  }
  return equal;
}

std::int64_t count(const NamedTensors& parameters) {
  std::int64_t total = 0;
  for (const auto& [name, tensor] : parameters) {
    total += tensor.numel();
  }
  return total;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(Destseg, HasThePublishedSizesAndNames) {
  DestsegOptions options;
  const Network network(options, at::TensorOptions().device(at::kMeta));
  EXPECT_EQ(count(network.student_parameters()), 24'665'024);
  EXPECT_EQ(count(network.segmentation_parameters()), 7'706'369);
  const auto state = network.state();
  EXPECT_EQ(state.size(), 392U);
  const auto shape = [&](const std::string& name) {
    const auto* tensor = find_tensor(state, name);
    return tensor == nullptr ? std::vector<std::int64_t>{-1} : tensor->sizes().vec();
  };
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(shape("teacher_net.encoder.layer3.1.bn2.running_var"), (Shape{256}));
  EXPECT_EQ(shape("teacher_net.encoder.layer4.0.conv1.weight"), (Shape{-1}));
  EXPECT_EQ(shape("student_net.decoder_layer3.0.downsample.0.weight"), (Shape{256, 512, 1, 1}));
  EXPECT_EQ(shape("segmentation_net.head.0.aspp_feature_extractors.0.1.conv.weight"),
            (Shape{256, 256, 1, 1}));
  EXPECT_EQ(shape("segmentation_net.head.0.aspp_fusion_layer.norm.running_var"), (Shape{256}));
  EXPECT_EQ(shape("segmentation_net.head.4.bias"), (Shape{1}));

  options.encoder_decoder_student = false;
  const Network plain(options, at::TensorOptions().device(at::kMeta));
  EXPECT_EQ(count(plain.student_parameters()), 11'176'512);
  EXPECT_EQ(plain.state().size(), 278U);

  options.encoder_decoder_student = true;
  options.backbone = "tf_efficientnet_lite0";
  const Network lite(options, at::TensorOptions().device(at::kMeta));
  EXPECT_EQ(count(lite.student_parameters()), 21'644'832);
  EXPECT_EQ(count(lite.segmentation_parameters()), 7'010'049);
}

TEST(Destseg, PhasesFollowTheCard) {
  const auto steps = [](std::int64_t epochs, std::int64_t steps_per_epoch) {
    return destseg::student_steps(plan_at(0, steps_per_epoch, epochs));
  };
  EXPECT_EQ(steps(100, 113), 20 * 113);
  EXPECT_EQ(steps(9, 7), 7);
  EXPECT_EQ(steps(2, 7), 7);
  EXPECT_EQ(steps(1, 12), 2);
  EXPECT_EQ(steps(1, 3), 1);
}

TEST(Destseg, InitialisationFollowsTheCard) {
  const auto method = make();
  const auto state = method->state();
  const auto value = [&](const std::string& name) { return find_tensor(state, name)->detach(); };
  const auto spread = [&](const std::string& name) { return value(name).std().item<double>(); };
  const double by_fan_out = std::sqrt(2.0 / (9 * 128));
  EXPECT_NEAR(spread("student_net.encoder.layer2.0.conv1.weight"), by_fan_out, 0.02 * by_fan_out);
  const double of_decoder = std::sqrt(2.0 / (9 * 256));
  EXPECT_NEAR(spread("student_net.decoder_layer3.0.conv1.weight"), of_decoder, 0.02 * of_decoder);
  EXPECT_NEAR(spread("segmentation_net.res.0.conv1.weight"), of_decoder, 0.02 * of_decoder);
  EXPECT_EQ(value("student_net.encoder.layer2.0.bn2.weight").abs().max().item<double>(), 0);
  EXPECT_EQ(value("student_net.encoder.layer2.0.bn1.weight").min().item<double>(), 1);
  EXPECT_EQ(value("student_net.encoder.layer2.0.downsample.1.weight").min().item<double>(), 1);
  EXPECT_EQ(value("student_net.decoder_layer1.1.bn2.weight").min().item<double>(), 1);
  EXPECT_EQ(value("segmentation_net.res.1.bn2.weight").min().item<double>(), 1);
  const double bound = 1 / std::sqrt(9.0 * 256);
  const auto head = value("segmentation_net.head.1.weight").abs();
  EXPECT_LE(head.max().item<double>(), bound);
  EXPECT_NEAR(head.mean().item<double>(), bound / 2, 0.01 * bound);
  EXPECT_NE(value("segmentation_net.head.4.bias").item<double>(), 0);
}

TEST(Destseg, EachPhaseTrainsItsNetworkOnly) {
  const auto method = make();
  const auto batch = training_batch(*method);
  auto before = copy_of(method->state());
  const auto first = method->step(batch, plan_at(19));
  EXPECT_TRUE(same(before, method->state(), "teacher_net."));
  EXPECT_FALSE(same(before, method->state(), "student_net.decoder_layer4.0.conv1.weight"));
  EXPECT_FALSE(same(before, method->state(), "student_net.encoder.bn1.running_mean"));
  EXPECT_TRUE(same(before, method->state(), "segmentation_net."));
  ASSERT_EQ(first.parts.size(), 1U);
  EXPECT_EQ(first.parts[0].first, "cosine");

  before = copy_of(method->state());
  const auto second = method->step(batch, plan_at(20));
  EXPECT_TRUE(same(before, method->state(), "teacher_net."));
  EXPECT_TRUE(same(before, method->state(), "student_net."));  // running statistics, too
  EXPECT_FALSE(same(before, method->state(), "segmentation_net.res.0.conv1.weight"));
  EXPECT_FALSE(same(before, method->state(), "segmentation_net.head.2.running_mean"));
  ASSERT_EQ(second.parts.size(), 2U);
  EXPECT_NEAR((second.parts[0].second + second.parts[1].second).item<double>(),
              second.loss.item<double>(),
              1e-6);
}

// With gradients clipped to nothing a step is the decay alone: it shows the groups, their rates,
// and that the decay is added after the clipping. No golden case sees all of this.
TEST(Destseg, GroupsDecayAndRatesFollowTheCard) {
  const auto method = make(small({{"clip_norm", 1e-12}}));
  const auto batch = training_batch(*method);
  const double scale = 2.0 / 32;
  const auto check = [&](const std::string& name, std::int64_t step, double lr, double decay) {
    const auto before = find_tensor(method->state(), name)->detach().clone();
    method->step(batch, plan_at(step));
    const auto change = find_tensor(method->state(), name)->detach() - before;
    const auto expected = before * (-lr * scale * decay);
    EXPECT_LE(largest_difference(change, expected), 2e-7 * before.abs().max().item<double>())
        << name;
    const bool moves = expected.abs().max().item<double>() > 0;
    EXPECT_EQ(change.abs().max().item<double>() > 0, moves) << name;
  };
  // The largest rates show in float32; momentum is still zero at a group's first step.
  const auto rates = [&](std::int64_t step) {
    std::map<std::string, double> named;
    for (const auto& [group, rate] : method->step(batch, plan_at(step)).rates) {
      named[group] = rate;
    }
    return named;
  };
  check("student_net.decoder_layer4.0.conv1.weight", 0, 0.4, 1e-4);
  EXPECT_EQ(
      rates(0),
      (std::map<std::string, double>{{"student", 0.4 * scale}, {"student_norms", 0.4 * scale}}));
  EXPECT_EQ(
      find_tensor(method->state(), "student_net.decoder_layer4.0.bn1.weight")->min().item<double>(),
      1);  // after two steps
  EXPECT_EQ(rates(20),
            (std::map<std::string, double>{{"res", 0.1 * scale}, {"head", 0.01 * scale}}));
  const auto moments = method->optimiser_state();
  const auto moment = [&](const std::string& name) {
    const auto* found = find_tensor(moments, name);
    return found == nullptr ? -1 : found->abs().max().item<double>();
  };
  EXPECT_NEAR(moment("optim.res.momentum_buffer.segmentation_net.res.0.bn1.weight"), 1e-4, 1e-9);
  EXPECT_NEAR(moment("optim.head.momentum_buffer.segmentation_net.head.2.weight"), 1e-4, 1e-9);
  EXPECT_LT(moment("optim.student_norms.momentum_buffer.student_net.decoder_layer4.0.bn1.weight"),
            1e-9);

  const auto original = make(small({{"clip_norm", 1e-12}, {"decay_student_norms", true}}));
  original->step(batch, plan_at(0));
  EXPECT_NEAR(find_tensor(original->optimiser_state(),
                          "optim.student_norms.momentum_buffer.student_net.encoder.bn1.weight")
                  ->max()
                  .item<double>(),
              1e-4,
              1e-9);
}

TEST(Destseg, RanksAddUpTheStudentsLossAndAverageTheOther) {
  const auto method = make();
  const auto batch = training_batch(*method);
  for (const auto& [step, expected] :
       {std::pair(std::int64_t{0}, Reduction::kSum), {std::int64_t{20}, Reduction::kMean}}) {
    auto plan = plan_at(step);
    int calls = 0;
    plan.reduce = [&, &wanted = expected](const std::vector<at::Tensor>&, Reduction reduction) {
      EXPECT_EQ(reduction, wanted);
      ++calls;
    };
    method->step(batch, plan);
    EXPECT_EQ(calls, 1);
  }
}

TEST(Destseg, StudentLossIsASumOverImages) {
  const Levels maps = {
      at::full({3, 1, 4, 4}, 0.5), at::full({3, 1, 2, 2}, 0.25), at::full({3, 1, 1, 1}, 1.0)};
  EXPECT_DOUBLE_EQ(destseg::student_loss(maps).item<double>(), 3 * (0.5 + 0.25 + 1.0));
}

TEST(Destseg, NormalisedSurvivesZeros) {
  auto x = at::zeros({1, 4, 1, 2});
  x.select(3, 1).fill_(2);
  x.requires_grad_(true);
  const auto y = destseg::normalised(x);
  EXPECT_EQ(y.select(3, 0).abs().max().item<double>(), 0);
  EXPECT_NEAR(y.select(3, 1).square().sum().item<double>(), 1, 1e-6);
  (y * waves({1, 4, 1, 2})).sum().backward();
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>());
}

TEST(Destseg, SegmentationSeesNegativeProducts) {
  const Levels teacher = {waves({2, 4, 8, 8}), waves({2, 6, 4, 4}), waves({2, 8, 2, 2})};
  const auto input = destseg::segmentation_input(teacher, teacher);
  ASSERT_EQ(input.sizes(), (at::IntArrayRef{2, 18, 8, 8}));
  // -|norm|^2 of a level with itself, at its own size and after the resize.
  const auto at_level = [&](std::int64_t first, std::int64_t channels) {
    return largest_difference(input.narrow(1, first, channels).sum(1), at::full({2, 8, 8}, -1.0));
  };
  EXPECT_LT(at_level(0, 4), 1e-5);
  EXPECT_LT(at_level(4, 6), 1e-5);
  EXPECT_LT(at_level(10, 8), 1e-5);
  const auto maps = destseg::cosine_maps(teacher, teacher);
  EXPECT_LT(maps[2].abs().max().item<double>(), 1e-5);
}

TEST(Destseg, MaskOfExactlyHalfIsADefect) {
  auto mask = at::zeros({1, 1, 8, 8});
  mask.index_put_({0, 0, 1, at::indexing::Slice(1, 3)}, 1);  // two of a tile's four central pixels
  mask.index_put_({0, 0, 5, 5}, 1);                          // one of them
  const auto small_mask = destseg::mask_at(mask, at::empty({1, 1, 2, 2}, at::kDouble));
  EXPECT_TRUE(small_mask.equal(at::tensor({1.0, 0.0, 0.0, 0.0}, at::kDouble).view({1, 1, 2, 2})));
}

TEST(Destseg, FocalLossTakesItsExponent) {
  const auto s = at::full({1, 1, 1, 1}, 0.25), m = at::ones({1, 1, 1, 1});
  for (const double gamma : {1.0, 2.0, 4.0}) {
    EXPECT_NEAR(destseg::segmentation_losses(s, m, gamma).focal.item<double>(),
                std::pow(0.75, gamma) * std::log(4.0),
                1e-6);
  }
  // A saturated probability has a finite gradient.
  auto certain = at::zeros({1, 1, 1, 1});
  certain.requires_grad_(true);
  destseg::segmentation_losses(certain, m, 4).total().backward();
  EXPECT_TRUE(certain.grad().isfinite().all().item<bool>());
}

TEST(Destseg, SampleFunctionNormalisesBothImages) {
  const auto method = make(small({{"backbone", "tf_efficientnet_lite0"}}));
  const auto spec = method->input();
  EXPECT_EQ(spec.order, InputSpec::Order::kWithReplacement);
  EXPECT_TRUE(spec.needs_textures);
  EXPECT_FALSE(spec.features_suffice);
  EXPECT_FLOAT_EQ(spec.mean[0], 127.0F / 255.0F);
  const Textures textures;
  int with_defect = 0;
  for (int i = 0; i < 60; ++i) {
    Stream random(3, "sample", 0, i);
    const auto fields = spec.sample(photo(i), random, &textures);
    ASSERT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields[0].name, "image");
    EXPECT_EQ(fields[1].name, "target");
    EXPECT_EQ(fields[2].name, "mask");
    EXPECT_EQ(fields[2].shape, (std::vector<std::int64_t>{1, kSide, kSide}));
    const auto pixels = photo(i).pixels;
    bool defect = false;
    for (std::size_t k = 0; k < fields[2].values.size(); ++k) {
      const auto red = static_cast<float>(pixels[3 * k]);
      EXPECT_NEAR(fields[1].values[k], (red - 127) / 128, 1e-6);
      defect = defect || fields[2].values[k] > 0;
      if (fields[2].values[k] == 0) {
        EXPECT_EQ(fields[0].values[k], fields[1].values[k]);
      }
    }
    with_defect += defect ? 1 : 0;
  }
  EXPECT_GE(with_defect, 48);  // all but the empty masks
}

TEST(Destseg, RotationTurnsCounterClockwise) {
  Image image(4, 4, 3);
  image.pixels[image.offset(3, 1)] = 200;  // right of the centre
  const auto turned = destseg::rotate_quarters(image, 1);
  EXPECT_EQ(turned.pixels[turned.offset(1, 0)], 200);  // above it
  EXPECT_EQ(destseg::rotate_on_grey(image, 90).pixels, turned.pixels);
  EXPECT_EQ(destseg::rotate_quarters(turned, 3).pixels, image.pixels);
  EXPECT_EQ(destseg::rotate_on_grey(image, 0).pixels, image.pixels);
  const auto corner = destseg::rotate_on_grey(image, 45);
  EXPECT_EQ(corner.pixels[0], 114);
}

TEST(Destseg, PredictionScoresAndChangesNothing) {
  const auto method = make();
  method->step(training_batch(*method), plan_at(0));
  method->step(training_batch(*method), plan_at(20));
  const auto before = copy_of(method->state());
  auto batch = test_batch(3);
  const auto prediction = method->predict(batch);
  EXPECT_TRUE(same(before, method->state(), ""));
  ASSERT_EQ(prediction.maps.sizes(), (at::IntArrayRef{3, kSide, kSide}));
  EXPECT_FALSE(prediction.maps.requires_grad());
  EXPECT_GE(prediction.maps.min().item<double>(), 0);
  EXPECT_LE(prediction.maps.max().item<double>(), 1);
  const auto sorted = std::get<0>(prediction.maps[1].flatten().to(at::kDouble).sort(0, true));
  EXPECT_NEAR(prediction.scores.at(1), sorted.narrow(0, 0, 100).mean().item<double>(), 1e-12);

  // Features computed one by one give the same bits.
  std::vector<std::vector<at::Tensor>> single;
  for (std::int64_t i = 0; i < 3; ++i) {
    single.push_back(method->features(batch.images.narrow(0, i, 1)));
  }
  for (std::size_t k = 0; k < 3; ++k) {
    batch.features.push_back(at::cat({single[0][k], single[1][k], single[2][k]}));
  }
  EXPECT_TRUE(method->predict(batch).maps.equal(prediction.maps));
  Batch one;
  one.images = batch.images.narrow(0, 1, 1);
  EXPECT_LT(largest_difference(method->predict(one).maps[0], prediction.maps[1]), 1e-4);
}

TEST(Destseg, OtherMapScoreAndChannelOrder) {
  const auto rgb = make(small({{"map", "cosine"}}));
  const auto bgr =
      make(small({{"map", "cosine"}, {"channel_order", "bgr"}, {"image_score", "max"}}));
  // The same raw image, red and blue swapped in the file, must give the same map.
  const auto as_fed = [](const Method& method, const at::Tensor& raw) {
    const auto spec = method.input();
    const auto per_channel = [](const std::array<float, 3>& values) {
      return at::tensor(std::vector<float>(values.begin(), values.end())).view({1, 3, 1, 1});
    };
    Batch batch;
    batch.images = (raw - per_channel(spec.mean)) / per_channel(spec.std);
    return batch;
  };
  const auto raw = waves({2, 3, kSide, kSide}).abs();
  const auto a = rgb->predict(as_fed(*rgb, raw));
  const auto b = bgr->predict(as_fed(*bgr, raw.flip({1})));
  EXPECT_TRUE(a.maps.equal(b.maps));
  EXPECT_DOUBLE_EQ(b.scores.at(0), b.maps[0].max().item<double>());
  EXPECT_LT(a.scores.at(0), b.scores.at(0));
}

// Ten steps take the student's loss down by a tenth, give or take the rounding of thread counts.
TEST(Destseg, BothPhasesLearnOnOddSizes) {
  const auto method = make(small({{"image_size", 80}, {"lr_head", 0.1}}));
  Batch batch;
  batch.images = waves({2, 3, 80, 80});
  batch.fields["target"] = waves({2, 3, 80, 80}, 0.1);
  batch.fields["mask"] = (waves({2, 1, 80, 80}, 0.011) > 0.3).to(at::kFloat);
  const auto run = [&](std::int64_t step) {
    double first = 0, last = 0;
    for (int i = 0; i < 10; ++i) {
      last = method->step(batch, plan_at(step)).loss.item<double>();
      first = i == 0 ? last : first;
    }
    return std::pair(first, last);
  };
  const auto [student_first, student_last] = run(0);
  EXPECT_LT(student_last, 0.95 * student_first);
  const auto [segmentation_first, segmentation_last] = run(20);
  EXPECT_LT(segmentation_last, 0.9 * segmentation_first);
}

TEST(Destseg, LoadsTeachersAndWholeModels) {
  const auto source = make(small(), 1), target = make(small(), 2);
  NamedTensors classifier, ader;
  for (const auto& [name, tensor] : source->state()) {
    const std::string teacher = "teacher_net.encoder.";
    if (name.starts_with(teacher)) {
      classifier.emplace_back(name.substr(teacher.size()), tensor);
      ader.emplace_back("net_t." + name.substr(teacher.size()), tensor);
    }
    ader.emplace_back("destseg." + name, tensor);
  }
  classifier.emplace_back("layer4.0.conv1.weight", at::zeros({1}));
  classifier.emplace_back("fc.bias", at::zeros({1000}));
  target->load_pretrained(classifier, "resnet18.pth");
  EXPECT_TRUE(same(source->state(), target->state(), "teacher_net."));
  EXPECT_FALSE(same(source->state(), target->state(), "student_net."));
  target->load_pretrained(ader, "ader.pth");
  EXPECT_TRUE(same(source->state(), target->state(), ""));
  auto whole = source->state();
  whole.pop_back();
  whole.pop_back();
  for (auto& [name, tensor] : whole) {
    if (name == "segmentation_net.head.4.bias") {
      name = "segmentation_net.head.5.bias";
    }
  }
  expect_error(ErrorKind::kWeights, "missing: segmentation_net.head.", [&] {
    target->load_pretrained(whole, "whole.pckl");
  });
  expect_error(ErrorKind::kWeights, "missing", [&] { target->load_pretrained({}, "empty.pth"); });
}

TEST(Destseg, RefusesWhatDoesNotFit) {
  expect_error(ErrorKind::kUsage, "batch must be at least 2", [] { make(small({{"batch", 1}})); });
  expect_error(ErrorKind::kUsage, "needs backbone resnet18", [] {
    make(small({{"encoder_decoder_student", false}, {"backbone", "tf_efficientnet_lite0"}}));
  });
  expect_error(ErrorKind::kUsage, "backbone", [] { make(small({{"backbone", "resnet50"}})); });
  const auto method = make();
  expect_error(ErrorKind::kInternal, "without the field 'target'", [&] {
    method->step(test_batch(2), plan_at(0));
  });
  auto one = training_batch(*method);
  one.images = one.images.narrow(0, 0, 1);
  expect_error(
      ErrorKind::kInternal, "a batch of one image", [&] { method->step(one, plan_at(20)); });
}

// The golden's losses, reached through the method itself: its rate, groups, clipping and modes.
// (The student is trained with batch statistics, so that the golden's calibration does not matter.)
TEST(Destseg, TrainsAsTheGoldenDoes) {
  const auto golden = read_json(
      std::string(ADB_TEST_GOLDENS) + "/destseg_variant_nodest_train.json", ErrorKind::kData);
  const auto method =
      make({{"image_size", 128}, {"batch", 2}, {"dest", false}, {"lr_student", 0.4 * 32 / 2}},
           1,
           at::kDouble);
  {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : method->state()) {
      at::Tensor(tensor).copy_(formula::fill(0, name, tensor.sizes()));
    }
  }
  std::map<std::string, at::Tensor> inputs;
  NamedTensors raw;
  for (const auto& input : golden["inputs"]) {
    const auto name = input["name"].get<std::string>();
    const auto& recipe = input["recipe"];
    raw.emplace_back(name, formula::evaluate(formula::without_normalise(recipe), raw, name));
    inputs[name] = formula::evaluate(recipe, raw, name).to(at::kDouble);
  }
  Batch batch;
  batch.images = inputs["augmented"];
  batch.fields = {{"target", inputs["input"]}, {"mask", inputs["mask"]}};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto expected = golden["expected_float64"]["loss"][i].get<double>();
    EXPECT_NEAR(method->step(batch, plan_at(0)).loss.item<double>(), expected, 1e-9 * expected)
        << i;
  }
}

TEST(Destseg, ComputesTheGoldenCase) {
  Registry<MethodEntry> methods("method");
  methods.add(destseg_method());
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "destseg_variant_plain_student_forward";
  const auto counts = run_verify(options, golden_functions(methods), [](const VerifyCase& result) {
    EXPECT_EQ(result.message, "") << result.name;
    for (const auto& row : result.rows) {
      EXPECT_TRUE(row.passed()) << result.name << " " << result.precision << " " << row.path << " "
                                << row.ratio << " " << row.note;
    }
  });
  EXPECT_EQ(counts.passed, 1);
}

}  // namespace
}  // namespace adb
