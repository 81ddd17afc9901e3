#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "methods/vitad/augment.h"
#include "tests/support/expect_error.h"

namespace adb::vitad {
namespace {

using adb::testing::expect_error;
using ::testing::ElementsAre;

Image gradient(int side) {
  Image image(side, side, 3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const auto place = image.offset(x, y);
      image.pixels[place] = static_cast<std::uint8_t>(40 + 8 * x);
      image.pixels[place + 1] = static_cast<std::uint8_t>(40 + 8 * y);
      image.pixels[place + 2] = 100;
    }
  }
  return image;
}

TEST(VitadAugment, RotatesAnticlockwise) {
  const Image image = gradient(6);
  EXPECT_EQ(rotate(image, 0), image);
  const Image turned = rotate(image, 90);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 6; ++x) {  // the right column becomes the top row
      EXPECT_EQ(turned.pixels[turned.offset(x, y)], image.pixels[image.offset(5 - y, x)]);
    }
  }
  const Image slanted = rotate(image, 45);
  EXPECT_EQ(slanted.pixels[slanted.offset(0, 0) + 2], 0);    // from outside
  EXPECT_EQ(slanted.pixels[slanted.offset(3, 3) + 2], 100);  // from inside
}

TEST(VitadAugment, FlipsHalfOfTheImages) {
  const Image image = gradient(6);
  int flipped = 0;
  for (int i = 0; i < 400; ++i) {
    Stream random(1, "flip", 0, i);
    const Image result = random_flip(image, random);
    if (result == image) {
      continue;
    }
    ++flipped;
    EXPECT_EQ(result.pixels[result.offset(0, 2)], image.pixels[image.offset(5, 2)]);
  }
  EXPECT_NEAR(flipped, 200, 50);
}

TEST(VitadAugment, CropsAtLeastAQuarter) {
  const Image image = gradient(20);
  double narrowest = 1;
  for (int i = 0; i < 200; ++i) {
    Stream random(2, "crop", 0, i);
    const Image result = random_resized_crop(image, 20, random);
    ASSERT_EQ(result.width, 20);
    // The red gradient is linear, so that its range tells the width of the part.
    const int range = result.pixels[result.offset(19, 10)] - result.pixels[result.offset(0, 10)];
    narrowest = std::min(narrowest, range / (8.0 * 19));
    EXPECT_GE(range, 8 * 19 * 0.39);  // sqrt(1/4 * 3/4) of the side
    EXPECT_EQ(result.pixels[result.offset(7, 7) + 2], 100);
  }
  EXPECT_LT(narrowest, 0.6);
}

TEST(VitadAugment, JittersWithinItsRange) {
  Image grey(4, 4, 3);
  std::fill(grey.pixels.begin(), grey.pixels.end(), std::uint8_t{100});
  std::set<int> seen;
  for (int i = 0; i < 200; ++i) {
    Stream random(3, "jitter", 0, i);
    const Image result = colour_jitter(grey, random);
    // A uniform grey has neither contrast nor saturation: only brightness shows.
    EXPECT_EQ(result.pixels[0], result.pixels[47]);
    EXPECT_GE(result.pixels[0], 58);
    EXPECT_LE(result.pixels[0], 140);
    seen.insert(result.pixels[0]);
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST(VitadAugment, GivesNormalisedSamples) {
  const Image image = gradient(16);
  for (const std::string kind : {"cc_cj", "cc_rhf", "cc_rr", "rrc", "all"}) {
    const auto sample = augmentation(kind, 16, {0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F});
    Stream one(1, "a", 2, 3), same(1, "a", 2, 3), other(1, "a", 2, 5);
    const auto fields = sample(image, one, nullptr);
    ASSERT_EQ(fields.size(), 1U);
    EXPECT_EQ(fields[0].name, "image");
    EXPECT_THAT(fields[0].shape, ElementsAre(3, 16, 16));
    EXPECT_EQ(fields[0].values, sample(image, same, nullptr)[0].values);
    for (const float value : fields[0].values) {
      EXPECT_GE(value, -2);
      EXPECT_LE(value, 2);
    }
    if (kind != "cc_rhf") {
      EXPECT_NE(fields[0].values, sample(image, other, nullptr)[0].values) << kind;
    }
  }
  expect_error(
      ErrorKind::kUsage, "unknown augmentation", [] { augmentation("mixup", 16, {}, {}); });
}

// An image whose pixel (x, y) holds x and y.
Image numbered(int width, int height) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.pixels[image.offset(x, y)] = static_cast<std::uint8_t>(x);
      image.pixels[image.offset(x, y) + 1] = static_cast<std::uint8_t>(y);
      image.pixels[image.offset(x, y) + 2] = 255;
    }
  }
  return image;
}

// Where torchvision 0.20's CenterCrop puts the middle; its rounding takes halves to even.
TEST(VitadAugment, CropsTheCentre) {
  struct Case {
    int size, side, first;
  };
  for (const auto& [size, side, first] :
       {Case{20, 16, 2}, Case{21, 16, 2}, Case{23, 16, 4}, Case{16, 16, 0}}) {
    const Image crop = centre_crop(numbered(size, side), side);
    ASSERT_EQ(crop.width, side);
    ASSERT_EQ(crop.height, side);
    EXPECT_EQ(crop.pixels[crop.offset(0, 3)], first) << size;
    EXPECT_EQ(crop.pixels[crop.offset(0, 3) + 1], 3);
  }
  // Smaller than the crop: 11 pixels in 16 leave 2 in front and 3 behind, black.
  const Image padded = centre_crop(numbered(11, 16), 16);
  EXPECT_EQ(padded.pixels[padded.offset(1, 5) + 2], 0);
  EXPECT_EQ(padded.pixels[padded.offset(2, 5) + 2], 255);
  EXPECT_EQ(padded.pixels[padded.offset(2, 5)], 0);
  EXPECT_EQ(padded.pixels[padded.offset(12, 5)], 10);
  EXPECT_EQ(padded.pixels[padded.offset(13, 5) + 2], 0);
}

TEST(VitadAugment, TakesImagesOfAnySize) {
  for (const auto& [width, height] : {std::pair(64, 40), std::pair(9, 31), std::pair(200, 3)}) {
    for (const std::string kind : {"cc_cj", "cc_rhf", "cc_rr", "rrc", "all"}) {
      const auto sample = augmentation(kind, 16, {}, {1, 1, 1});
      Stream random(1, "a", 2, 3);
      const auto fields = sample(numbered(width, height), random, nullptr);
      EXPECT_THAT(fields.at(0).shape, ElementsAre(3, 16, 16)) << kind;
      EXPECT_EQ(fields.at(0).values.size(), 3U * 16 * 16) << kind;
    }
  }
  // Too wide for every try: the part in the middle, of aspect 4/3.
  Stream random(1, "a", 0, 0);
  const Image middle = random_resized_crop(numbered(200, 3), 4, random);
  EXPECT_EQ(middle.pixels[middle.offset(0, 0)], 98);
  EXPECT_EQ(middle.pixels[middle.offset(3, 0)], 101);
}

}  // namespace
}  // namespace adb::vitad
