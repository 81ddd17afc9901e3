#include "metrics/image_score.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(ImageScore, MaximumIsThePlainOne) {
  EXPECT_EQ(max_score(std::vector<float>{-3, -1, -2}), -1.0F);
  EXPECT_TRUE(std::isnan(max_score(std::vector<float>{1, kNan, 2})));
}

TEST(ImageScore, PoolingTakesTheBestWindow) {
  // 3 x 4; windows of 2 x 2.
  const std::vector<float> map = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3};
  EXPECT_EQ(pooled_max(map, 4, 2), (5 + 6 + 9 + 10) / 4.0);
  EXPECT_EQ(pooled_max(map, 4, 1), 10.0);
  EXPECT_TRUE(std::isnan(pooled_max(std::vector<float>{0, kNan, 0, 0}, 2, 2)));
}

TEST(ImageScore, PoolingAgreesWithTheDefinition) {
  Stream stream(1, "image_score");
  constexpr std::size_t kHeight = 20;
  constexpr std::size_t kWidth = 33;
  std::vector<float> map(kHeight * kWidth);
  for (float& score : map) {
    score = static_cast<float>(stream.normal());
  }
  double best = -1e300;
  for (std::size_t y = 0; y + 16 <= kHeight; ++y) {
    for (std::size_t x = 0; x + 16 <= kWidth; ++x) {
      double sum = 0;
      for (std::size_t i = 0; i < 256; ++i) {
        sum += static_cast<double>(map[(y + i / 16) * kWidth + x + i % 16]);
      }
      best = std::max(best, sum / 256);
    }
  }
  EXPECT_NEAR(pooled_max(map, kWidth), best, 1e-15);
}

TEST(ImageScore, PoolingKeepsDigitsThatAFloatSumLoses) {
  std::vector<float> map(256, std::ldexp(1.0F, -30));
  map[0] = 1;
  EXPECT_EQ(pooled_max(map, 16), (1 + 255 * std::ldexp(1.0, -30)) / 256);
}

TEST(ImageScore, PoolingRefusesSmallMaps) {
  testing::expect_error(ErrorKind::kData,
                        "15 x 16 pixels is smaller than the pooling window of 16 x 16",
                        [] { pooled_max(std::vector<float>(15 * 16), 16); });
}

TEST(ImageScore, TopMeanTakesTheLargest) {
  const std::vector<float> map = {1, 9, 3, 7, 5};
  EXPECT_EQ(top_mean(map, 2), 8.0);
  EXPECT_EQ(top_mean(map, 1), 9.0);
  EXPECT_EQ(top_mean(map, 100), 5.0);
}

TEST(ImageScore, MeanIsThatOfAllScores) {
  EXPECT_EQ(mean_score(std::vector<float>{1, 2, 6}), 3.0);
}

}  // namespace
}  // namespace adb
