// Change points: known steps are found at their place, noise is left alone.
#include "tracking/change_points.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adb {
namespace {

std::vector<double> series_of(std::size_t n, const std::function<double(std::size_t)>& value) {
  std::vector<double> series;
  for (std::size_t i = 0; i < n; ++i) {
    series.push_back(value(i));
  }
  return series;
}

std::vector<ChangePoint> find(const std::vector<double>& series, std::int64_t index = 0) {
  return find_change_points(series, kChangeAlpha, Stream(3, "change_points_test", 0, index));
}

TEST(ChangePoints, AStepWithoutNoiseIsFoundAtItsPlace) {
  for (const std::size_t at : {6, 13, 20}) {
    const auto found = find(series_of(26, [&](std::size_t i) { return i < at ? 0.9 : 0.85; }));
    ASSERT_EQ(found.size(), 1) << at;
    EXPECT_EQ(found[0].index, at);
    EXPECT_DOUBLE_EQ(found[0].before, 0.9);
    EXPECT_DOUBLE_EQ(found[0].after, 0.85);
    EXPECT_LE(found[0].p, kChangeAlpha);
  }
}

TEST(ChangePoints, TheLastTwoOfFortyAreEnough) {
  const auto found = find(series_of(40, [](std::size_t i) { return i < 38 ? 0.9 : 0.85; }));
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].index, 38);
}

TEST(ChangePoints, StepsInNoiseAreFoundNearTheirPlaces) {
  int exact = 0;
  for (int trial = 0; trial < 50; ++trial) {
    auto noise = Stream(4, "change_points_test.steps", 0, trial);
    // Up by four standard deviations at 20, down by six at 45.
    const auto found =
        find(series_of(60,
                       [&](std::size_t i) {
                         return (i < 20 ? 0.0 : i < 45 ? 4.0 : -2.0) + noise.normal();
                       }),
             trial);
    ASSERT_GE(found.size(), 2) << trial;
    ASSERT_LE(found.size(), 3) << trial;
    const auto near = [&](std::size_t place) {
      return std::any_of(found.begin(), found.end(), [&](const ChangePoint& point) {
        return point.index + 1 >= place && point.index <= place + 1;
      });
    };
    exact += found.size() == 2 && near(20) && near(45);
  }
  EXPECT_GE(exact, 45);
}

TEST(ChangePoints, NoiseGivesAtMostOnePercentFalseAlarms) {
  const std::map<std::string, std::function<double(Stream&)>> noises = {
      {"normal", [](Stream& s) { return s.normal(); }},
      {"heavy tails", [](Stream& s) { return std::tan(3.1 * (s.uniform() - 0.5)); }},
      {"skewed", [](Stream& s) { return std::exp(s.normal()); }},
      {"few values", [](Stream& s) { return std::floor(3 * s.uniform()); }}};
  for (const auto& [name, draw] : noises) {
    for (const std::size_t n : {10, 40}) {
      int alarms = 0;
      constexpr int kTrials = 500;
      for (int trial = 0; trial < kTrials; ++trial) {
        auto noise = Stream(5, "change_points_test.noise", static_cast<std::int64_t>(n), trial);
        alarms += !find(series_of(n, [&](std::size_t) { return draw(noise); }), trial).empty();
      }
      EXPECT_LE(alarms, kTrials / 100) << name << ", " << n << " values";
    }
  }
}

TEST(ChangePoints, ConstantShortAndOutlyingSeriesHaveNone) {
  EXPECT_TRUE(find({}).empty());
  EXPECT_TRUE(find({1, 2}).empty());
  EXPECT_TRUE(find(std::vector<double>(40, 0.9)).empty());
  EXPECT_TRUE(find(series_of(40, [](std::size_t i) { return i == 17 ? 9.0 : 0.9; })).empty());
}

TEST(ChangePoints, TheSameSeriesGivesTheSameAnswer) {
  auto noise = Stream(6, "change_points_test.same");
  const auto series =
      series_of(30, [&](std::size_t i) { return noise.normal() + (i < 15 ? 0 : 3); });
  const auto one = find(series);
  const auto two = find(series);
  ASSERT_EQ(one.size(), two.size());
  ASSERT_EQ(one.size(), 1);
  EXPECT_EQ(one[0].p, two[0].p);
}

}  // namespace
}  // namespace adb
