// The engine against a brute-force one, and what must not change a figure.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "metrics/evaluate.h"
#include "metrics/pixel_ranking.h"
#include "tests/metrics/brute_force.h"

namespace adb {
namespace {

using testing::BrutePro;
using testing::BruteRanking;
using testing::TestCategory;

bool has_both_classes(const TestCategory& category) {
  std::size_t anomalous = 0;
  for (const auto& mask : category.masks) {
    anomalous += static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
  }
  return anomalous > 0 && anomalous < category.masks.size() * category.height * category.width;
}

void expect_ranking(const std::optional<RankingFigures>& got, const BruteRanking& expected) {
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->auroc_numerator, expected.auroc_numerator);
  EXPECT_NEAR(got->ap, expected.ap, 1e-12);
  EXPECT_NEAR(got->f1_max, expected.f1_max, 1e-15);
  EXPECT_EQ(got->f1_threshold_highest, expected.f1_highest);
  EXPECT_EQ(got->f1_threshold_lowest, expected.f1_lowest);
}

TEST(Metrics, AgreeWithBruteForce) {
  Stream stream(1, "metrics.brute_force");
  int compared = 0;
  for (int round = 0; round < 150; ++round) {
    const TestCategory category = testing::random_category(stream, round % 3 * 4);
    if (!has_both_classes(category)) {
      continue;
    }
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (std::size_t i = 0; i < category.maps.size(); ++i) {
      scores.insert(scores.end(), category.maps[i].begin(), category.maps[i].end());
      labels.insert(labels.end(), category.masks[i].begin(), category.masks[i].end());
    }
    EvaluationOptions options;
    options.fpr_limit = round % 2 == 0 ? 0.3 : stream.uniform(0.01, 1.0);
    options.connectivity = round % 5 == 0 ? Connectivity::kFour : Connectivity::kEight;
    options.threads = 1 + round % 3;
    const CategoryResult result = evaluate_category(category.input(), options);
    expect_ranking(result.pixel, testing::brute_ranking(scores, labels));
    expect_ranking(result.image, testing::brute_ranking(category.image_scores, category.labels));
    const BrutePro pro = testing::brute_pro(
        category, options.fpr_limit, options.connectivity == Connectivity::kEight);
    EXPECT_EQ(result.components, static_cast<std::uint64_t>(pro.components));
    ASSERT_TRUE(result.value(Metric::kPixelAupro).value.has_value());
    EXPECT_NEAR(*result.value(Metric::kPixelAupro).value, pro.aupro, 1e-12);
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

void expect_same_bits(const CategoryResult& a, const CategoryResult& b) {
  for (std::size_t i = 0; i < kNumMetrics; ++i) {
    EXPECT_EQ(a.values[i].value, b.values[i].value) << kMetrics[i].key;
  }
  EXPECT_EQ(a.components, b.components);
  EXPECT_EQ(a.pixel->auroc_numerator, b.pixel->auroc_numerator);
}

// Large enough for several blocks, images and threads to meet.
TestCategory large_category(int levels) {
  Stream stream(2, "metrics.invariance");
  TestCategory category;
  category.height = 75;
  category.width = 111;
  for (int image = 0; image < 9; ++image) {
    std::vector<float> map;
    std::vector<std::uint8_t> mask;
    for (std::size_t i = 0; i < category.height * category.width; ++i) {
      mask.push_back(image % 3 > 0 && stream.uniform() < 0.05 * image ? 1 : 0);
      double score = stream.normal() + mask.back();
      score = levels > 0 ? std::round(score * levels) : score;
      map.push_back(static_cast<float>(score));
    }
    category.add(std::move(map),
                 std::move(mask),
                 image % 3 > 0 ? 1 : 0,
                 static_cast<float>(stream.normal()));
  }
  return category;
}

TEST(Metrics, DoNotDependOnThreads) {
  for (const int levels : {0, 3}) {
    for (const MetricMode mode : {MetricMode::kExact, MetricMode::kAder}) {
      const TestCategory category = large_category(levels);
      EvaluationOptions options;
      options.mode = mode;
      const CategoryResult one = evaluate_category(category.input(), options);
      for (const int threads : {2, 3, 8, 100}) {
        options.threads = threads;
        expect_same_bits(evaluate_category(category.input(), options), one);
      }
    }
  }
}

TEST(Metrics, DoNotDependOnTheOrderOfImages) {
  const TestCategory category = large_category(0);
  std::vector<std::size_t> order(category.maps.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  TestCategory reversed;
  reversed.height = category.height;
  reversed.width = category.width;
  std::reverse(order.begin(), order.end());
  std::swap(order[1], order[5]);
  for (const std::size_t i : order) {
    reversed.add(category.maps[i], category.masks[i], category.labels[i], category.image_scores[i]);
  }
  for (const MetricMode mode : {MetricMode::kExact, MetricMode::kAder}) {
    EvaluationOptions options;
    options.mode = mode;
    expect_same_bits(evaluate_category(reversed.input(), options),
                     evaluate_category(category.input(), options));
  }
}

TEST(Metrics, DoNotDependOnStrictlyIncreasingTransforms) {
  TestCategory category = large_category(40);
  const CategoryResult plain = evaluate_category(category.input(), {});
  // Exact on these small integers, and far apart afterwards.
  const std::vector<std::function<float(float)>> transforms = {
      [](float score) { return 4 * score + 1024; },
      [](float score) { return score < 0 ? score * 1e-3F : score * 1e30F; },
      [](float score) { return std::ldexp(std::copysign(std::abs(score), score), -140); },
      [](float score) { return score * score * score; },
  };
  for (std::size_t i = 0; i < transforms.size(); ++i) {
    SCOPED_TRACE("transform " + std::to_string(i));
    TestCategory other = category;
    for (auto& map : other.maps) {
      std::transform(map.begin(), map.end(), map.begin(), transforms[i]);
    }
    expect_same_bits(evaluate_category(other.input(), {}), plain);
  }
}

// Scores crowded so that many distinct ones share the upper half of their key, beside far outliers.
TEST(Metrics, ResolveCrowdedScores) {
  Stream stream(3, "metrics.crowded");
  TestCategory category;
  category.height = 40;
  category.width = 50;
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (int image = 0; image < 2; ++image) {
    std::vector<float> map;
    std::vector<std::uint8_t> mask;
    for (std::size_t i = 0; i < category.height * category.width; ++i) {
      mask.push_back(image == 1 && stream.below(3) == 0 ? 1 : 0);
      float score = 0.5F;
      for (std::int64_t steps = stream.below(2000); steps > 0; --steps) {
        score = std::nextafter(score, 1.0F);
      }
      map.push_back(score);
    }
    map[0] = image == 0 ? 3e38F : -3e38F;
    scores.insert(scores.end(), map.begin(), map.end());
    labels.insert(labels.end(), mask.begin(), mask.end());
    category.add(std::move(map),
                 std::move(mask),
                 static_cast<std::uint8_t>(image),
                 static_cast<float>(image));
  }
  expect_ranking(evaluate_category(category.input(), {}).pixel,
                 testing::brute_ranking(scores, labels));
}

}  // namespace
}  // namespace adb
