#include "metrics/curve_points.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "metrics/evaluate.h"
#include "tests/metrics/brute_force.h"

namespace adb {
namespace {

using testing::TestCategory;

double area(const Polyline& line) {
  double sum = 0;
  for (std::size_t i = 1; i < line.size(); ++i) {
    sum += (line[i][0] - line[i - 1][0]) * (line[i][1] + line[i - 1][1]) / 2;
  }
  return sum;
}

void expect_ascending(const Polyline& line) {
  EXPECT_LE(line.size(), kMaxCurvePoints);
  for (std::size_t i = 1; i < line.size(); ++i) {
    EXPECT_LE(line[i - 1][0], line[i][0]);
  }
}

// Images with a square defect; noise that the defect exceeds by `contrast`.
TestCategory large_category(double contrast) {
  Stream stream(3, "curves");
  TestCategory category;
  category.height = category.width = 96;
  for (std::size_t image = 0; image < 12; ++image) {
    std::vector<float> map(96 * 96);
    std::vector<std::uint8_t> mask(96 * 96, 0);
    const bool anomalous = image % 3 > 0;
    for (std::size_t i = 0; i < map.size(); ++i) {
      const std::size_t y = i / 96, x = i % 96;
      mask[i] = anomalous && y > 20 && y < 30 && x > 10 && x < 20 + 4 * (image % 7) ? 1 : 0;
      map[i] = static_cast<float>(stream.uniform(0, 1) + stream.uniform(0, 1) + contrast * mask[i]);
    }
    const float highest = *std::max_element(map.begin(), map.end());
    category.add(std::move(map), std::move(mask), anomalous ? 1 : 0, highest);
  }
  return category;
}

TEST(CurvePoints, HaveTheAreasOfTheFigures) {
  for (const double contrast : {-0.3, 0.0, 0.5, 1.2}) {
    SCOPED_TRACE(contrast);
    const TestCategory category = large_category(contrast);
    const auto figures = evaluate_category(category.input(), {});
    const auto curves = curve_points(category.input(), 0.3);
    EXPECT_NEAR(area(curves.pixel_roc), *figures.value(Metric::kPixelAuroc).value, 0.003);
    EXPECT_NEAR(area(curves.pixel_pro) / 0.3, *figures.value(Metric::kPixelAupro).value, 0.005);
    EXPECT_NEAR(area(curves.pixel_pr), *figures.value(Metric::kPixelAp).value, 0.01);
    EXPECT_NEAR(area(curves.image_roc), *figures.value(Metric::kImageAuroc).value, 1e-12);
    for (const auto* line : {&curves.pixel_roc,
                             &curves.pixel_pr,
                             &curves.pixel_pro,
                             &curves.image_roc,
                             &curves.image_pr}) {
      expect_ascending(*line);
    }
    EXPECT_GT(curves.pixel_roc.size(), 200U);
    EXPECT_EQ(curves.pixel_roc.back(), (std::array<double, 2>{1, 1}));
    EXPECT_EQ(curves.pixel_pr.back()[0], 1);
    EXPECT_DOUBLE_EQ(curves.pixel_pro.back()[0], 0.3);
  }
}

// On small inputs nothing is thinned out, so every point can be found by brute force.
TEST(CurvePoints, LieOnTheExactCurve) {
  Stream stream(5, "curves.small");
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const TestCategory category = testing::random_category(stream, round % 2 * 5);
    std::vector<std::pair<float, int>> pixels;
    std::uint64_t anomalous = 0;
    for (std::size_t i = 0; i < category.maps.size(); ++i) {
      for (std::size_t j = 0; j < category.maps[i].size(); ++j) {
        pixels.emplace_back(category.maps[i][j], category.masks[i][j]);
        anomalous += category.masks[i][j];
      }
    }
    const auto curves = curve_points(category.input(), 1);
    if (anomalous == 0 || anomalous == pixels.size()) {
      EXPECT_TRUE(curves.pixel_roc.empty());
      EXPECT_TRUE(curves.pixel_pro.empty());
      continue;
    }
    std::set<std::array<double, 2>> exact = {{0, 0}};
    for (const auto& threshold : pixels) {
      double fp = 0, tp = 0;
      for (const auto& [score, label] : pixels) {
        (label == 1 ? tp : fp) += score >= threshold.first ? 1 : 0;
      }
      exact.insert({fp / static_cast<double>(pixels.size() - anomalous),
                    tp / static_cast<double>(anomalous)});
    }
    for (const auto& point : curves.pixel_roc) {
      EXPECT_TRUE(exact.contains(point)) << point[0] << ' ' << point[1];
    }
  }
}

TEST(CurvePoints, AConstantMapIsTheDiagonal) {
  TestCategory category = large_category(0);
  for (auto& map : category.maps) {
    std::fill(map.begin(), map.end(), 0.25F);
  }
  std::fill(category.image_scores.begin(), category.image_scores.end(), 0.25F);
  const auto curves = curve_points(category.input(), 0.3);
  const Polyline diagonal = {{0, 0}, {1, 1}};
  EXPECT_EQ(curves.pixel_roc, diagonal);
  EXPECT_EQ(curves.image_roc, diagonal);
  ASSERT_EQ(curves.pixel_pro.size(), 2U);
  EXPECT_NEAR(curves.pixel_pro[1][0], 0.3, 1e-12);
  EXPECT_NEAR(curves.pixel_pro[1][1], 0.3, 1e-12);
  EXPECT_EQ(curves.scores.low, 0.25);
  EXPECT_EQ(curves.scores.high, 0.25);
  std::int64_t images = 0;
  for (std::size_t i = 0; i < kHistogramBins; ++i) {
    images += curves.scores.normal[i] + curves.scores.anomalous[i];
  }
  EXPECT_EQ(images, 12);
}

TEST(CurvePoints, WithoutMasksHasImageCurvesOnly) {
  const TestCategory category = large_category(1);
  CategoryInput input = category.input();
  input.masks.clear();
  input.without_masks = true;
  const auto curves = curve_points(input, 0.3);
  EXPECT_FALSE(curves.image_roc.empty());
  EXPECT_TRUE(curves.pixel_roc.empty());
  EXPECT_TRUE(curves.pixel_pr.empty());
}

TEST(MapScale, IsThePercentilesOfAllMaps) {
  std::vector<float> first, second;
  for (int i = 0; i <= 500; ++i) {
    first.push_back(static_cast<float>(1000 - i));
    second.push_back(static_cast<float>(i));
  }
  second.pop_back();  // 0 .. 1000, each once
  const std::vector<std::span<const float>> maps = {first, second};
  const auto scale = map_scale(maps);
  EXPECT_EQ(scale.low, 5);
  EXPECT_EQ(scale.high, 995);
}

TEST(HeatThumbnail, AveragesScalesAndClips) {
  const std::vector<float> map = {0, 2, 10, 10, 0, 2, 10, 10};  // 2 rows
  const auto thumbnail = heat_thumbnail(map, 2, 4, {.low = 0, .high = 5}, 2);
  EXPECT_EQ(thumbnail.width, 2);
  EXPECT_EQ(thumbnail.height, 1);
  EXPECT_EQ(thumbnail.pixels, (std::vector<std::uint8_t>{51, 255}));
  const auto same = heat_thumbnail(map, 2, 4, {.low = 1, .high = 1}, 128);
  EXPECT_EQ(same.width, 4);
  EXPECT_EQ(same.pixels, std::vector<std::uint8_t>(8, 0));
}

}  // namespace
}  // namespace adb
