#include "nn/efficientnet.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include <torch/torch.h>

#include "nn/init.h"
#include "runners/verify/backbones.h"
#include "runners/verify/verify.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

std::int64_t parameter_count(const NamedTensors& state) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : state) {
    if (!name.ends_with("running_mean") && !name.ends_with("running_var") &&
        !name.ends_with("num_batches_tracked")) {
      count += tensor.numel();
    }
  }
  return count;
}

BackboneOptions to_stride(std::int64_t stride) {
  return {{stride}, at::TensorOptions()};
}

std::unique_ptr<FeatureBackbone> random_lite0(const BackboneOptions& options) {
  auto backbone = make_backbone("tf_efficientnet_lite0", options);
  init::random_backbone(backbone->state(), Streams(3), "test");
  return backbone;
}

// The state as EfficientNet-PyTorch names it; blocks are numbered through all stages.
NamedTensors package_names(const NamedTensors& state) {
  const std::map<std::string, std::string> inverted = {{"conv_pw", "_expand_conv"},
                                                       {"bn1", "_bn0"},
                                                       {"conv_dw", "_depthwise_conv"},
                                                       {"bn2", "_bn1"},
                                                       {"conv_pwl", "_project_conv"},
                                                       {"bn3", "_bn2"}};
  const std::map<std::string, std::string> separable = {{"conv_dw", "_depthwise_conv"},
                                                        {"bn1", "_bn1"},
                                                        {"conv_pw", "_project_conv"},
                                                        {"bn2", "_bn2"}};
  const std::map<std::string, std::string> outside = {{"conv_stem", "_conv_stem"},
                                                      {"bn1", "_bn0"},
                                                      {"conv_head", "_conv_head"},
                                                      {"bn2", "_bn1"},
                                                      {"classifier", "_fc"}};
  const std::vector<int> first_block = {0, 1, 3, 5, 8, 11, 15};  // of each stage of lite0
  NamedTensors renamed;
  for (const auto& [name, tensor] : state) {
    if (name.starts_with("blocks.")) {
      const auto stage = static_cast<std::size_t>(name[7] - '0');
      const int block = name[9] - '0';
      const auto dot = name.rfind('.');
      const auto part = name.substr(11, dot - 11);
      renamed.emplace_back("_blocks." + std::to_string(first_block[stage] + block) + "." +
                               (stage == 0 ? separable : inverted).at(part) + name.substr(dot),
                           tensor);
    } else {
      const auto dot = name.find('.');
      renamed.emplace_back(outside.at(name.substr(0, dot)) + name.substr(dot), tensor);
    }
  }
  return renamed;
}

TEST(EfficientNet, HasThePublishedNumberOfParameters) {
  const std::map<std::string, std::int64_t> whole = {{"tf_efficientnet_lite0", 4652008},
                                                     {"tf_efficientnet_lite1", 5416680},
                                                     {"tf_efficientnet_lite2", 6092072},
                                                     {"tf_efficientnet_lite3", 8197096},
                                                     {"tf_efficientnet_lite4", 13006568},
                                                     {"tf_efficientnet_b4", 19341616}};
  for (const auto& [name, count] : whole) {
    EXPECT_EQ(parameter_count(EfficientNetClassifier(name, at::TensorOptions()).state()), count)
        << name;
  }
  const std::map<std::string, std::int64_t> to_stride_16 = {{"tf_efficientnet_lite0", 700768},
                                                            {"tf_efficientnet_lite1", 989280},
                                                            {"tf_efficientnet_lite2", 1161584},
                                                            {"tf_efficientnet_b4", 3635984}};
  for (const auto& [name, count] : to_stride_16) {
    EXPECT_EQ(parameter_count(make_backbone(name, to_stride(16))->state()), count) << name;
  }
  EXPECT_EQ(parameter_count(make_whole_efficientnet("tf_efficientnet_b4", to_stride(16))->state()),
            16742216);
}

TEST(EfficientNet, ComputesTheGoldenCase) {
  VerifyOptions options;
  options.folder = ADB_TEST_GOLDENS;
  options.cases = "backbone_efficientnet_lite0_formula";
  const auto counts =
      run_verify(options, {backbone_golden_function()}, [](const VerifyCase& result) {
        for (const auto& row : result.rows) {
          EXPECT_TRUE(row.passed()) << row.path << " " << row.ratio << " " << row.note;
        }
        EXPECT_EQ(result.message, "");
      });
  EXPECT_EQ(counts.passed, 1);
}

TEST(EfficientNet, GivesTheSameBitsForAnImageAloneAndInABatch) {
  const auto backbone = random_lite0({{2, 16}, at::TensorOptions()});
  const auto images = at::rand({3, 3, 64, 64});
  const auto together = backbone->features(images);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone = backbone->features(images.narrow(0, i, 1).clone());
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_TRUE(at::equal(alone[k], together[k].narrow(0, i, 1)));
    }
  }
}

TEST(EfficientNet, FollowsChangesOfItsState) {
  const auto backbone = random_lite0(to_stride(2));
  const auto images = at::rand({1, 3, 32, 32});
  const auto before = backbone->features(images)[0];
  for (auto& [name, tensor] : backbone->state()) {
    if (name == "blocks.0.0.bn2.bias") {
      at::Tensor(tensor).add_(1);
    }
  }
  EXPECT_TRUE(at::allclose(backbone->features(images)[0], before + 1, 1e-5, 1e-5));
}

TEST(EfficientNet, HalvesSizesRoundedUp) {
  const auto backbone = random_lite0({{2, 4, 8, 16, 32}, at::TensorOptions()});
  const auto maps = backbone->features(at::rand({1, 3, 47, 66}));
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected = {
      {24, 33}, {12, 17}, {6, 9}, {3, 5}, {2, 3}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(maps[i].size(2), expected[i].first);
    EXPECT_EQ(maps[i].size(3), expected[i].second);
  }
}

TEST(EfficientNet, StatesItsInputAndOutputs) {
  const auto& lite = backbone_info("tf_efficientnet_lite2");
  EXPECT_FLOAT_EQ(lite.mean[0], 127.0F / 255);
  EXPECT_FLOAT_EQ(lite.std[2], 128.0F / 255);
  EXPECT_FALSE(lite.relu_outputs);
  EXPECT_EQ(lite.channels(8), 48);
  EXPECT_EQ(lite.channels(16), 120);
  const auto& b4 = backbone_info("tf_efficientnet_b4");
  EXPECT_FLOAT_EQ(b4.mean[0], 0.485F);
  EXPECT_EQ(b4.channels(2), 24);
  EXPECT_EQ(b4.channels(16), 160);
  EXPECT_EQ(b4.channels(32), 448);
  expect_error(ErrorKind::kInternal, "no feature map of stride 3", [] {
    make_backbone("tf_efficientnet_b4", to_stride(3));
  });
}

TEST(EfficientNet, LoadsBothKindsOfNames) {
  const EfficientNetClassifier source("tf_efficientnet_lite0", at::TensorOptions());
  init::random_backbone(source.state(), Streams(5), "test");
  const auto published = source.state();
  for (const auto& weights : {published, package_names(published)}) {
    const EfficientNetClassifier classifier("tf_efficientnet_lite0", at::TensorOptions());
    classifier.load(weights, "file");
    const auto backbone = make_backbone("tf_efficientnet_lite0", to_stride(8));
    backbone->load(weights, "file");  // without the stages behind and the head
    for (const auto& state : {classifier.state(), backbone->state()}) {
      for (const auto& [name, tensor] : state) {
        EXPECT_TRUE(at::equal(tensor, *find_tensor(published, name))) << name;
      }
    }
  }
}

TEST(EfficientNet, SaysWhatAFileLacks) {
  const auto backbone = make_backbone("tf_efficientnet_lite0", to_stride(4));
  auto weights = EfficientNetClassifier("tf_efficientnet_lite0", at::TensorOptions()).state();
  weights.erase(weights.begin());  // conv_stem.weight
  weights.emplace_back("blocks.1.9.conv_pw.weight", at::zeros({1}));
  expect_error(ErrorKind::kWeights,
               "missing: conv_stem.weight; unexpected: blocks.1.9.conv_pw.weight",
               [&] { backbone->load(weights, "file"); });
}

}  // namespace
}  // namespace adb
