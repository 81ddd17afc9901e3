#include "synthesis/procedural.h"

#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace adb {
namespace {

TEST(Procedural, SameStreamSameTexture) {
  for (int i = 0; i < 24; ++i) {
    Stream first(1, "texture", 0, i), second(1, "texture", 0, i);
    EXPECT_EQ(procedural_texture(64, first), procedural_texture(64, second));
  }
}

TEST(Procedural, TexturesDifferAndHaveContrast) {
  std::set<std::string> seen;
  int with_contrast = 0;
  for (int i = 0; i < 100; ++i) {
    Stream random(2, "texture", 0, i);
    const auto image = procedural_texture(64, random);
    ASSERT_EQ(image.pixels.size(), 64U * 64 * 3);
    seen.emplace(image.pixels.begin(), image.pixels.end());
    double mean = 0, square = 0;
    for (const auto v : image.pixels) {
      mean += v;
      square += static_cast<double>(v) * v;
    }
    mean /= static_cast<double>(image.pixels.size());
    square /= static_cast<double>(image.pixels.size());
    with_contrast += std::sqrt(std::max(0.0, square - mean * mean)) > 8 ? 1 : 0;
  }
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_GT(with_contrast, 85);
}

TEST(Procedural, AnySize) {
  for (const int side : {1, 2, 5, 33}) {
    for (int i = 0; i < 16; ++i) {
      Stream random(3, "texture", side, i);
      EXPECT_EQ(procedural_texture(side, random).width, side);
    }
  }
}

}  // namespace
}  // namespace adb
