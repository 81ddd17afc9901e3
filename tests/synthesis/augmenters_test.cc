// What the golden cases (synthesis_augmenters) do not see: draws, borders of ranges, and the facts
// that card anomaly-synthesis lists as unseen.
#include "synthesis/augmenters.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace adb {
namespace {

Image random_image(int side, std::int64_t seed = 5) {
  Stream random(seed, "image");
  Image image(side, side, 3);
  for (auto& v : image.pixels) {
    v = static_cast<std::uint8_t>(random.below(256));
  }
  return image;
}

// An image whose channels all hold these values.
Image grey(const std::vector<std::uint8_t>& values) {
  Image image(static_cast<int>(values.size()), 1, 3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, values[i]);
  }
  return image;
}

std::vector<int> greys(const Image& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    EXPECT_EQ(image.pixels[i], image.pixels[i + 2]);
    values.push_back(image.pixels[i]);
  }
  return values;
}

TEST(Augmenters, GammaTruncates) {
  auto image = grey({0, 1, 128, 255});
  gamma_contrast(image, {2.0, 2.0, 2.0});
  EXPECT_EQ(greys(image), (std::vector<int>{0, 0, 64, 255}));  // 128^2 / 255 = 64.25
}

TEST(Augmenters, BrightnessStepsGoInOrder) {
  using Kind = BrightnessStep::Kind;
  const std::vector<BrightnessStep> first = {{Kind::kMultiply, 0.5}, {Kind::kAdd, 10.5}};
  const std::vector<BrightnessStep> second = {{Kind::kAdd, 10.5}, {Kind::kMultiply, 0.5}};
  auto image = grey({100, 251});
  change_brightness(image, ColourSpace::kYCrCb, first);
  EXPECT_EQ(greys(image), (std::vector<int>{60, 135}));  // 10.5 rounds to 10, half to even
  image = grey({100, 251});
  change_brightness(image, ColourSpace::kYCrCb, second);
  EXPECT_EQ(greys(image), (std::vector<int>{55, 127}));  // clipped to 255 in between
}

TEST(Augmenters, SharpnessKeepsTheBorderAndFactorOneChangesNothing) {
  const auto before = random_image(8);
  auto image = before;
  change_sharpness(image, 1.0);
  EXPECT_EQ(image, before);
  change_sharpness(image, 0.0);
  for (int i = 0; i < 8; ++i) {
    for (const auto& [x, y] : {std::pair{i, 0}, {i, 7}, {0, i}, {7, i}}) {
      EXPECT_EQ(image.pixels[image.offset(x, y)], before.pixels[before.offset(x, y)]);
    }
  }
  EXPECT_NE(image, before);
  auto tiny = random_image(2);
  EXPECT_NO_THROW(change_sharpness(tiny, 0.0));
}

TEST(Augmenters, HueStepIsTruncatedTowardsZero) {
  // 1/255 of a turn is 0.7 of the 180 units: no step, in either direction. Pure red is hue 0.
  Image red(1, 1, 3);
  red.pixels = {255, 0, 0};
  for (const int hue : {1, -1}) {
    auto image = red;
    change_hue_saturation(image, hue, 0);
    EXPECT_EQ(image, red) << hue;
  }
  auto image = red;
  change_hue_saturation(image, -2, 0);  // -1 unit: hue 179, which is red with a little blue
  EXPECT_EQ(image.pixels[1], 0);
  EXPECT_GT(image.pixels[2], 0);
}

TEST(Augmenters, SolarizeFloorsItsThreshold) {
  auto image = grey({31, 32, 33});
  solarize(image, 32.9);
  EXPECT_EQ(greys(image), (std::vector<int>{31, 223, 222}));
}

TEST(Augmenters, PosterizeKeepsUpperBits) {
  auto image = grey({0, 127, 128, 255});
  posterize(image, 1);
  EXPECT_EQ(greys(image), (std::vector<int>{0, 0, 128, 128}));
}

TEST(Augmenters, AutocontrastCutsBothEnds) {
  auto image = grey({10, 60, 110, 60, 60, 60, 60, 60, 60, 60});
  auto cut = image;
  autocontrast(image, 0);
  EXPECT_EQ(greys(image)[0], 0);
  EXPECT_EQ(greys(image)[1], 127);  // 50 * 2.55, truncated
  EXPECT_EQ(greys(image)[2], 255);
  const auto before = cut;
  autocontrast(cut, 10);  // one pixel at either end: a single value is left
  EXPECT_EQ(cut, before);
}

TEST(Augmenters, EqualizeLeavesOutBin255) {
  // 255 pixels of 0, 255 of 100 and 510 of 255. With bin 255 left out: step = 510 div 255 = 2.
  std::vector<std::uint8_t> values(255, 0);
  values.insert(values.end(), 255, 100);
  values.insert(values.end(), 510, 255);
  auto image = grey(values);
  equalize(image);
  const auto out = greys(image);
  EXPECT_EQ(out.front(), 0);   // (1 + 0) div 2
  EXPECT_EQ(out[300], 128);    // (1 + 255) div 2
  EXPECT_EQ(out.back(), 255);  // (1 + 510) div 2
  // The last non-empty bin is not 255, and counts: step = 510 div 255 = 2, not 255 div 255 = 1.
  values.assign(255, 0);
  values.insert(values.end(), 255, 100);
  image = grey(values);
  equalize(image);
  EXPECT_EQ(greys(image).back(), 128);
}

TEST(Augmenters, EqualizeWithFewPixelsChangesNothing) {
  const auto before = grey({1, 2, 3});
  auto image = before;
  equalize(image);
  EXPECT_EQ(image, before);
}

TEST(Augmenters, DrawsStayInTheirRanges) {
  // Posterize to 8 bits and solarize's other half leave an image unchanged: about 1/8 and 1/2.
  const auto before = random_image(16);
  std::map<int, int> unchanged;
  constexpr int kDraws = 400;
  for (int which = 0; which < kNumAugmenters; ++which) {
    for (int i = 0; i < kDraws; ++i) {
      Stream random(7, "draw", which, i);
      auto image = before;
      apply_augmenter(image, which, random);
      unchanged[which] += image == before ? 1 : 0;
    }
  }
  EXPECT_NEAR(unchanged[4], kDraws / 2, 45);
  EXPECT_NEAR(unchanged[5], kDraws / 8, 30);
  EXPECT_EQ(unchanged[6], 0);
  EXPECT_LE(unchanged[9], 4);  // an angle too small for 16 pixels
}

TEST(Augmenters, ThreeDifferentOnesInRandomOrder) {
  // Seen through the streams: the choice is a permutation of the ten.
  std::set<std::vector<std::int64_t>> orders;
  for (int i = 0; i < 200; ++i) {
    Stream random(9, "order", 0, i);
    auto order = random.permutation(kNumAugmenters);
    order.resize(3);
    orders.insert(order);
    EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 3U);
    Stream again(9, "order", 0, i);
    auto image = random_image(16);
    auto by_hand = image;
    augment_texture(image, 3, again);
    random = Stream(9, "order", 0, i);
    random.permutation(kNumAugmenters);
    for (const auto which : order) {
      apply_augmenter(by_hand, static_cast<int>(which), random);
    }
    EXPECT_EQ(image, by_hand);
  }
  EXPECT_GT(orders.size(), 150U);  // of 720
}

TEST(Augmenters, NoneIsNone) {
  const auto before = random_image(8);
  auto image = before;
  Stream random(1, "none");
  augment_texture(image, 0, random);
  EXPECT_EQ(image, before);
}

}  // namespace
}  // namespace adb
