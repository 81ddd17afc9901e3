#include "synthesis/anomaly.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "synthesis/rotate.h"

namespace adb {
namespace {

Image random_image(int side, const char* name) {
  Stream random(11, name);
  Image image(side, side, 3);
  for (auto& v : image.pixels) {
    v = static_cast<std::uint8_t>(random.below(256));
  }
  return image;
}

Image flat_image(int side, std::uint8_t value) {
  Image image(side, side, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

// A recipe that always makes a defect and changes neither image nor texture.
AnomalyRecipe plain_recipe() {
  AnomalyRecipe recipe;
  recipe.normal_probability = 0;
  recipe.rotation_probability = 0;
  recipe.texture_augmenters = 0;
  return recipe;
}

double sum(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(Anomaly, BlendFollowsTheFormula) {
  const auto image = random_image(4, "image");
  const auto texture = random_image(4, "texture");
  std::vector<std::uint8_t> mask(16, 0);
  mask[5] = mask[6] = 1;
  const auto planes = to_planes(image);
  const auto blended = blend(planes, texture, mask, 0.25F);
  ASSERT_EQ(blended.size(), 48U);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < 16; ++i) {
      const float original = static_cast<float>(image.pixels[3 * i + c]) / 255;
      const float foreign = static_cast<float>(texture.pixels[3 * i + c]) / 255;
      EXPECT_EQ(planes[c * 16 + i], original);
      if (mask[i] == 0) {
        EXPECT_EQ(blended[c * 16 + i], original);
      } else {
        EXPECT_NEAR(blended[c * 16 + i], 0.75F * foreign + 0.25F * original, 1e-6);
      }
    }
  }
}

// Card anomaly-synthesis, section 1: 5.1 % of the masks are empty, mean coverage 4.9 %.
TEST(Anomaly, MasksHaveTheReferencesStatistics) {
  constexpr int kDraws = 2000;
  double coverage = 0;
  int empty = 0;
  for (int i = 0; i < kDraws; ++i) {
    Stream random(42, "mask", 0, i);
    const auto mask = random_defect_mask(256, 256, {}, random);
    const auto count = std::count(mask.begin(), mask.end(), 1);
    coverage += static_cast<double>(count) / (256.0 * 256.0);
    empty += count == 0 ? 1 : 0;
  }
  EXPECT_GT(coverage / kDraws, 0.045);
  EXPECT_LT(coverage / kDraws, 0.053);
  EXPECT_GT(empty, 0.035 * kDraws);
  EXPECT_LT(empty, 0.068 * kDraws);
}

TEST(Anomaly, TransparencyIsUniformUpToItsLimit) {
  // Image 0, texture 255: inside the mask the value is 1 - beta.
  double lowest = 1, highest = 0, total = 0;
  int count = 0;
  for (int i = 0; i < 300; ++i) {
    Stream random(1, "beta", 0, i);
    const auto sample = make_anomaly(
        flat_image(64, 0), [](Stream&) { return flat_image(64, 255); }, plain_recipe(), random);
    EXPECT_EQ(sum(sample.target), 0);
    if (sum(sample.mask) == 0) {
      continue;
    }
    const double strength = sum(sample.image) / (3 * sum(sample.mask));
    lowest = std::min(lowest, strength);
    highest = std::max(highest, strength);
    total += strength;
    ++count;
  }
  EXPECT_GT(count, 250);
  EXPECT_GT(lowest, 0.2 - 1e-6);
  EXPECT_LT(lowest, 0.23);
  EXPECT_LE(highest, 1 + 1e-6);
  EXPECT_GT(highest, 0.97);
  EXPECT_NEAR(total / count, 0.6, 0.05);
}

TEST(Anomaly, SharesOfNormalAndRotatedSamples) {
  constexpr int kDraws = 1000;
  AnomalyRecipe recipe;
  recipe.texture_augmenters = 0;
  int untouched = 0, rotated = 0, textures = 0;
  const auto image = flat_image(32, 255);
  for (int i = 0; i < kDraws; ++i) {
    Stream random(2, "share", 0, i);
    const auto sample = make_anomaly(
        image, [&](Stream&) { return ++textures, flat_image(32, 0); }, recipe, random);
    untouched += sum(sample.mask) == 0 ? 1 : 0;
    rotated += sum(sample.target) < 3 * 32 * 32 - 0.5 ? 1 : 0;
    EXPECT_EQ(sample.image == sample.target, sum(sample.mask) == 0);
  }
  EXPECT_NEAR(kDraws - textures, 500, 60);       // left normal
  EXPECT_NEAR(untouched, 500 + 0.06 * 500, 70);  // and those with an empty mask
  EXPECT_NEAR(rotated, 300, 50);
}

TEST(Anomaly, DependsOnNothingButItsStream) {
  const auto image = random_image(64, "image");
  const auto make = [&](std::int64_t index) {
    Stream random(3, "sample", 7, index);
    return make_anomaly(
        image,
        [](Stream& r) { return r.below(2) == 0 ? flat_image(64, 9) : flat_image(64, 99); },
        AnomalyRecipe(),
        random);
  };
  for (int i = 0; i < 20; ++i) {
    const auto first = make(i), second = make(i);
    EXPECT_EQ(first.image, second.image);
    EXPECT_EQ(first.target, second.target);
    EXPECT_EQ(first.mask, second.mask);
  }
}

TEST(Anomaly, ValuesStayInRangeAndMasksAreBinary) {
  for (int i = 0; i < 50; ++i) {
    Stream random(4, "range", 0, i);
    const auto sample = make_anomaly(
        random_image(48, "image"),
        [](Stream&) { return random_image(48, "texture"); },
        AnomalyRecipe(),
        random);
    ASSERT_EQ(sample.image.size(), 3U * 48 * 48);
    ASSERT_EQ(sample.mask.size(), 48U * 48);
    for (const auto* values : {&sample.image, &sample.target}) {
      const auto [low, high] = std::minmax_element(values->begin(), values->end());
      EXPECT_GE(*low, 0);
      EXPECT_LE(*high, 1 + 1e-6);
    }
    for (const float m : sample.mask) {
      EXPECT_TRUE(m == 0 || m == 1);
    }
  }
}

}  // namespace
}  // namespace adb
