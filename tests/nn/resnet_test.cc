#include "nn/resnet.h"

#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <torch/torch.h>

#include "core/error.h"
#include "nn/frozen.h"
#include "nn/init.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

std::unique_ptr<FeatureBackbone> backbone(const std::string& name,
                                          const std::vector<std::int64_t>& strides) {
  auto made = make_backbone(name, {strides, at::TensorOptions().dtype(at::kFloat)});
  init::random_backbone(made->state(), Streams(7), "test");
  return made;
}

at::Tensor images_of(std::int64_t num, std::int64_t side) {
  return at::rand({num, 3, side, side}, at::detail::createCPUGenerator(3));
}

std::int64_t count(const FeatureBackbone& network) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : network.state()) {
    const bool buffer = name.find("running_") != std::string::npos || name.ends_with("tracked");
    sum += buffer ? 0 : tensor.numel();
  }
  return sum;
}

TEST(ResNet, HasThePublishedSizesToLayer3) {
  const std::map<std::string, std::pair<std::int64_t, std::size_t>> published = {
      {"resnet18", {2782784, 90}},
      {"resnet34", {8170304, 174}},
      {"resnet50", {8543296, 258}},
      {"wide_resnet50_2", {24862528, 258}}};
  for (const auto& [name, sizes] : published) {
    const auto network = make_backbone(name, {{4, 8, 16}, {}});
    EXPECT_EQ(count(*network), sizes.first) << name;
    EXPECT_EQ(network->state().size(), sizes.second) << name;
  }
}

TEST(ResNet, GivesTheStridesAskedForInThatOrder) {
  const auto network = backbone("resnet18", {16, 2, 32, 4, 8});
  const auto maps = network->features(images_of(2, 64));
  ASSERT_EQ(maps.size(), 5U);
  EXPECT_EQ(maps[0].sizes(), (std::vector<std::int64_t>{2, 256, 4, 4}));
  EXPECT_EQ(maps[1].sizes(), (std::vector<std::int64_t>{2, 64, 32, 32}));
  EXPECT_EQ(maps[2].sizes(), (std::vector<std::int64_t>{2, 512, 2, 2}));
  EXPECT_EQ(maps[3].sizes(), (std::vector<std::int64_t>{2, 64, 16, 16}));
  EXPECT_EQ(maps[4].sizes(), (std::vector<std::int64_t>{2, 128, 8, 8}));
  for (const auto& map : maps) {
    EXPECT_GE(map.min().item<float>(), 0);
    EXPECT_TRUE(map.is_contiguous());
    EXPECT_FALSE(map.requires_grad());
  }
  expect_error(ErrorKind::kInternal, "stride 64", [] { make_backbone("resnet18", {{64}, {}}); });
  expect_error(ErrorKind::kUsage, "resnet18", [] { make_backbone("resnet19", {{4}, {}}); });
}

// At this size a batch of two takes other kernels than a single image.
TEST(ResNet, GivesAnImageTheSameBitsInAnyBatch) {
  const auto network = backbone("resnet18", {4, 8, 16});
  const auto images = images_of(5, 64);
  const auto together = network->features(images);
  const auto alone = network->features(images.narrow(0, 3, 1));
  const auto pair = network->features(at::stack({images[3], images[0]}));
  for (std::size_t k = 0; k < together.size(); ++k) {
    EXPECT_TRUE(at::equal(together[k][3], alone[k][0]));
    EXPECT_TRUE(at::equal(together[k][3], pair[k][0]));
    EXPECT_TRUE(at::equal(together[k][0], pair[k][1]));
  }
}

TEST(ResNet, LoadsAWholeCheckpointAndDropsWhatIsNotBuilt) {
  const auto whole = backbone("resnet18", {32});
  auto weights = whole->state();
  weights.emplace_back("fc.weight", at::zeros({1000, 512}));
  weights.emplace_back("fc.bias", at::zeros({1000}));
  ASSERT_EQ(weights.size(), 122U);  // as torchvision's file
  const auto cut = make_backbone("resnet18", {{4, 8, 16}, {}});
  cut->load(weights, "resnet18.pth");
  const auto images = images_of(1, 32);
  EXPECT_TRUE(at::equal(cut->features(images)[2], backbone("resnet18", {16})->features(images)[0]));

  expect_error(ErrorKind::kWeights, "unexpected: head.weight", [&] {
    auto more = weights;
    more.emplace_back("head.weight", at::zeros({1}));
    cut->load(more, "resnet18.pth");
  });
  expect_error(ErrorKind::kWeights, "missing: conv1.weight", [&] {
    cut->load({weights.begin() + 1, weights.end()}, "resnet18.pth");
  });
  expect_error(ErrorKind::kWeights, "layer3.0.conv1.weight", [&] {
    make_backbone("resnet50", {{16}, {}})->load(weights, "resnet18.pth");
  });
}

TEST(FrozenByImage, SharesImagesOutOverThreadsAndJoins) {
  const at::NoGradGuard no_grad;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::set<std::int64_t> sizes;
  bool gradients = false;
  const auto doubled = [&](const at::Tensor& x) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    sizes.insert(x.size(0));
    gradients = gradients || at::GradMode::is_enabled();
    return std::vector<at::Tensor>{(x * 2).contiguous(at::MemoryFormat::ChannelsLast),
                                   x.flatten(1).sum(1)};
  };
  const auto threads_before = at::get_num_threads();
  at::set_num_threads(2);
  const auto images = images_of(5, 4);
  const auto outputs = frozen_by_image(doubled, images);
  at::set_num_threads(threads_before);
  EXPECT_EQ(threads.size(), 2);
  EXPECT_EQ(sizes, std::set<std::int64_t>{1});
  EXPECT_FALSE(gradients);
  EXPECT_TRUE(at::equal(outputs[0], images * 2));
  EXPECT_TRUE(outputs[0].is_contiguous());
  EXPECT_TRUE(at::allclose(outputs[1], images.flatten(1).sum(1)));
  EXPECT_EQ(outputs[1].sizes(), (std::vector<std::int64_t>{5}));
}

TEST(FrozenByImage, PassesErrorsOn) {
  expect_error(ErrorKind::kWeights, "of this image", [] {
    frozen_by_image(
        [](const at::Tensor&) -> std::vector<at::Tensor> {
          fail(ErrorKind::kWeights, "of this image");
        },
        images_of(3, 4));
  });
}

}  // namespace
}  // namespace adb
