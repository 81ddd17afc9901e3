// The tests behind the verdicts: against values worked out by hand, and their false alarms.
#include "tracking/statistics.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adb {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Stream stream(std::int64_t index = 0) {
  return Stream(7, "statistics_test", 0, index);
}

TEST(SignFlip, CountsPatternsExactly) {
  // Sums of +-1 +-2 +-3 that reach 1+2+3 = 6: one of eight; that reach 1-2+3 = 2: 6, 4, 2.
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{1.0, 2.0, 3.0}, 1000, stream()).p, 1.0 / 8);
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{1.0, -2.0, 3.0}, 1000, stream()).p, 3.0 / 8);
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{-1.0, -2.0, -3.0}, 1000, stream()).p, 1.0);
}

TEST(SignFlip, TiesAndZerosCountAgainstTheFinding) {
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{0.0, 0.0}, 1000, stream()).p, 1.0);
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{0.3, 0.0}, 1000, stream()).p, 0.5);
  // 0.1 + 0.2 - 0.3 is not 0 in floating point, and must count as one.
  EXPECT_DOUBLE_EQ(sign_flip_test(std::vector{0.1, 0.2, -0.3}, 1000, stream()).p, 5.0 / 8);
  EXPECT_DOUBLE_EQ(sign_flip_test({}, 1000, stream()).p, 1.0);
}

TEST(SignFlip, DrawnPatternsAgreeWithTheNormalLimitAndRepeat) {
  std::vector<double> values(100, 1.0);
  std::fill(values.begin(), values.begin() + 42, -1.0);  // sum 16 of 100 signs
  const auto drawn = sign_flip_test(values, 20'000, stream());
  EXPECT_FALSE(drawn.exact);
  EXPECT_EQ(drawn.arrangements, 20'000);
  // P(at least 58 heads of 100) = 0.06661.
  EXPECT_THAT(drawn.p, DoubleNear(0.0666, 0.006));
  EXPECT_EQ(drawn.p, sign_flip_test(values, 20'000, stream()).p);
  EXPECT_NE(drawn.p, sign_flip_test(values, 20'000, stream(1)).p);
  const std::vector<double> all(100, 1.0);
  EXPECT_DOUBLE_EQ(sign_flip_test(all, 999, stream()).p, 0.001) << "never 0";
}

TEST(SignFlip, FalseAlarmsStayBelowAlpha) {
  for (const std::size_t n : {8, 24}) {
    int alarms = 0;
    constexpr int kTrials = 1500;
    for (int trial = 0; trial < kTrials; ++trial) {
      auto noise = stream(trial);
      std::vector<double> values(n);
      std::generate(values.begin(), values.end(), [&] { return noise.normal(); });
      alarms += sign_flip_test(values, 1000, stream(trial)).p <= 0.05;
    }
    // 5 % of 1500 is 75, standard deviation 8.4.
    EXPECT_LE(alarms, 105) << n;
    EXPECT_GE(alarms, 40) << n << ": a test that never alarms is none";
  }
}

TEST(Holm, IsStepDownAndMonotone) {
  // Textbook: 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, each at least the one before.
  EXPECT_THAT(holm(std::vector{0.03, 0.01, 0.04, 0.02}),
              ElementsAre(DoubleNear(0.06, 1e-12),
                          DoubleNear(0.04, 1e-12),
                          DoubleNear(0.06, 1e-12),
                          DoubleNear(0.06, 1e-12)));
  EXPECT_THAT(holm(std::vector{0.9, 0.8}), ElementsAre(1.0, 1.0));
  EXPECT_TRUE(holm({}).empty());
}

TEST(MannWhitney, IsExactForSmallSamples) {
  const std::vector<double> low = {1, 2, 3, 4, 5};
  const std::vector<double> high = {6, 7, 8, 9, 10};
  EXPECT_DOUBLE_EQ(mann_whitney(low, high).p, 1.0 / 252);
  EXPECT_DOUBLE_EQ(mann_whitney(high, low).p, 1.0);
  EXPECT_DOUBLE_EQ(smallest_mann_whitney_p(5, 5), 1.0 / 252);
  EXPECT_DOUBLE_EQ(smallest_mann_whitney_p(1, 1), 0.5);
  // {1, 4} against {2, 3}: rank sums of two of 1..4: 3 4 5 5 6 7; at least 5: four of six.
  EXPECT_DOUBLE_EQ(mann_whitney(std::vector{1.0, 4.0}, std::vector{2.0, 3.0}).p, 4.0 / 6);
}

TEST(MannWhitney, TiesShareTheirRanks) {
  EXPECT_DOUBLE_EQ(mann_whitney(std::vector(6, 3.0), std::vector(6, 3.0)).p, 1.0);
  // Ranks 1.5 1.5 | 3.5 3.5: only one of six choices reaches 7.
  EXPECT_DOUBLE_EQ(mann_whitney(std::vector{1.0, 1.0}, std::vector{2.0, 2.0}).p, 1.0 / 6);
  EXPECT_DOUBLE_EQ(mann_whitney({}, std::vector{2.0}).p, 1.0);
}

TEST(MannWhitney, LargeSamplesUseTheNormalLimit) {
  // 0 2 ... 60 against 1 3 ... 61: rank sum 992, expected 976.5 with variance 31 * 31 * 63 / 12, so
  // z = (15.5 - 0.5) / 71.03 = 0.2112.
  std::vector<double> even;
  std::vector<double> odd;
  for (int i = 0; i < 31; ++i) {
    even.push_back(2 * i);
    odd.push_back(2 * i + 1);
  }
  const auto approximate = mann_whitney(even, odd);
  EXPECT_FALSE(approximate.exact);
  EXPECT_NEAR(approximate.p, 0.4164, 1e-4);
  // One pair fewer is computed exactly, and agrees.
  even.pop_back();
  odd.pop_back();
  const auto exact = mann_whitney(even, odd);
  EXPECT_TRUE(exact.exact);
  EXPECT_NEAR(exact.p, approximate.p, 0.002);
  EXPECT_EQ(mann_whitney(std::vector(31, 1.0), std::vector(31, 1.0)).p, 1) << "all tied";
}

TEST(Bootstrap, CoversTheMeanOfNoise) {
  int covered = 0;
  for (int trial = 0; trial < 200; ++trial) {
    auto noise = stream(trial);
    std::vector<CrossedValue> values;
    for (std::size_t i = 0; i < 15; ++i) {
      values.push_back({i, 0, noise.normal() + 3});
    }
    const auto interval = bootstrap_mean(values, 0.95, 500, stream(1000 + trial));
    covered += interval->low <= 3 && 3 <= interval->high;
  }
  EXPECT_GE(covered, 175);  // percentile intervals of 15 values cover about 92 %
  EXPECT_LE(covered, 199);
}

TEST(Bootstrap, ResamplesBothFactors) {
  // Three seeds with their own level: resampling classes alone would see no spread at all.
  std::vector<CrossedValue> values;
  for (std::size_t c = 0; c < 4; ++c) {
    for (std::size_t s = 0; s < 3; ++s) {
      values.push_back({c, s, static_cast<double>(s)});
    }
  }
  const auto interval = bootstrap_mean(values, 0.95, 2000, stream());
  EXPECT_LE(interval->low, 0.34);
  EXPECT_GE(interval->high, 1.66);
  EXPECT_FALSE(bootstrap_mean(std::vector<CrossedValue>{{0, 0, 1.0}}, 0.95, 100, stream()));
}

TEST(Bootstrap, RatioOfMedians) {
  const std::vector<double> a = {10, 11, 10, 9, 10};
  const std::vector<double> b = {20, 21, 20, 19, 20};
  const auto interval = bootstrap_ratio(a, b, 0.95, 1000, stream());
  EXPECT_LE(interval->low, 2);
  EXPECT_GE(interval->high, 2);
  EXPECT_GT(interval->low, 1.6);
  EXPECT_FALSE(bootstrap_ratio(std::vector{1.0}, b, 0.95, 100, stream()));
  EXPECT_FALSE(bootstrap_ratio(std::vector{0.0, 1.0}, b, 0.95, 100, stream()));
}

TEST(Median, OfOddAndEven) {
  EXPECT_DOUBLE_EQ(median(std::vector{3.0, 1.0, 2.0}), 2);
  EXPECT_DOUBLE_EQ(median(std::vector{4.0, 1.0, 2.0, 3.0}), 2.5);
}

}  // namespace
}  // namespace adb
