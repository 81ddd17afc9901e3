#include "metrics/evaluate.h"

#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/pixel_ranking.h"
#include "tests/metrics/brute_force.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;
using testing::TestCategory;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

double figure(const CategoryResult& result, Metric metric) {
  return result.value(metric).value.value();
}

// Two images of 2 x 3, the second anomalous with one component of two pixels.
TestCategory small_category() {
  TestCategory category;
  category.height = 2;
  category.width = 3;
  category.add({1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 0, 0}, 0, 6);
  category.add({1, 9, 3, 4, 8, 6}, {0, 1, 0, 0, 1, 0}, 1, 9);
  return category;
}

Rejection rejection_of(const CategoryInput& input, int threads = 1) {
  EvaluationOptions options;
  options.threads = threads;
  try {
    evaluate_category(input, options);
  } catch (const RejectedInput& error) {
    return error.rejection();
  }
  ADD_FAILURE() << "the input was not refused";
  return {};
}

// cards/metrics.md section 7, "Not in any golden".
TEST(Evaluate, HandCalculatedCategory) {
  TestCategory category;
  category.height = 2;
  category.width = 6;
  category.add({0, 10, 20, 30, 40, 100, 50, 60, 70, 80, 90, 80},
               {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1},
               1,
               100);
  const CategoryResult exact = evaluate_category(category.input(), {});
  EXPECT_EQ(exact.pixel->auroc_numerator * 40, exact.pixel->auroc_denominator * 37);
  EXPECT_EQ(figure(exact, Metric::kPixelAp), 0.75);
  EXPECT_EQ(exact.pixel->f1_numerator, 2U);
  EXPECT_EQ(exact.pixel->f1_denominator, 3U);
  EXPECT_EQ(exact.pixel->f1_threshold_highest, 100.0F);
  EXPECT_EQ(exact.pixel->f1_threshold_lowest, 80.0F);
  EXPECT_NEAR(figure(exact, Metric::kPixelAupro), 0.75, 1e-15);
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  const CategoryResult ader = evaluate_category(category.input(), options);
  EXPECT_NEAR(figure(ader, Metric::kPixelAupro), 0.625, 1e-12);
  EXPECT_EQ(ader.ader->aupro_points, 30U);
  EXPECT_NEAR(figure(ader, Metric::kPixelF1Max), 0.66666666, 5e-9);
}

TEST(Evaluate, EqualScores) {
  TestCategory category = small_category();
  for (auto& map : category.maps) {
    map.assign(map.size(), 0.25F);
  }
  category.image_scores = {7, 7};
  const CategoryResult result = evaluate_category(category.input(), {});
  EXPECT_EQ(figure(result, Metric::kImageAuroc), 0.5);
  EXPECT_EQ(figure(result, Metric::kImageAp), 0.5);
  EXPECT_EQ(figure(result, Metric::kImageF1Max), 2.0 / 3);
  EXPECT_EQ(figure(result, Metric::kPixelAuroc), 0.5);
  EXPECT_EQ(figure(result, Metric::kPixelAp), 2.0 / 12);
  EXPECT_EQ(figure(result, Metric::kPixelF1Max), 4.0 / 14);
  EXPECT_NEAR(figure(result, Metric::kPixelAupro), 0.15, 1e-15);
  EvaluationOptions ader;
  ader.mode = MetricMode::kAder;
  EXPECT_EQ(evaluate_category(category.input(), ader).value(Metric::kPixelF1Max).reason,
            "all scores are equal");
}

TEST(Evaluate, NoImages) {
  CategoryInput input;
  const CategoryResult result = evaluate_category(input, {});
  EXPECT_EQ(result.value(Metric::kImageAuroc).reason, "no image");
  EXPECT_EQ(result.value(Metric::kPixelAupro).reason, "no anomalous pixel");
  EXPECT_EQ(result.value(Metric::kMad).reason, "image.auroc is undefined");
  EXPECT_FALSE(result.value(Metric::kMad).value.has_value());
}

TEST(Evaluate, OneClassOnly) {
  TestCategory normal = small_category();
  normal.masks[1].assign(6, 0);
  normal.labels[1] = 0;
  CategoryResult result = evaluate_category(normal.input(), {});
  EXPECT_EQ(result.value(Metric::kImageAp).reason, "no anomalous image");
  EXPECT_EQ(result.value(Metric::kPixelAp).reason, "no anomalous pixel");
  EXPECT_FALSE(result.image.has_value());
  EXPECT_FALSE(result.pixel.has_value());

  TestCategory anomalous = small_category();
  for (std::size_t i = 0; i < 2; ++i) {
    anomalous.masks[i].assign(6, 1);
    anomalous.labels[i] = 1;
  }
  result = evaluate_category(anomalous.input(), {});
  EXPECT_EQ(result.value(Metric::kImageAp).reason, "no normal image");
  EXPECT_EQ(result.value(Metric::kPixelAp).reason, "no normal pixel");
  EXPECT_EQ(result.components, 2U);
}

TEST(Evaluate, AnomalousImageWithEmptyMaskKeepsItsLabel) {
  TestCategory category = small_category();
  category.add({0, 0, 0, 0, 0, 7}, {0, 0, 0, 0, 0, 0}, 1, 7);
  const CategoryResult result = evaluate_category(category.input(), {});
  EXPECT_EQ(result.anomalous_images, 2U);
  EXPECT_EQ(result.anomalous_images_with_empty_mask, 1U);
  EXPECT_EQ(result.components, 1U);
  EXPECT_EQ(result.normal_pixels, 16U);
  EXPECT_TRUE(result.warnings.empty());
  EXPECT_EQ(result.image->anomalous, 2U);

  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  const CategoryResult ader = evaluate_category(category.input(), options);
  EXPECT_THAT(ader.ader->image_labels, ::testing::ElementsAre(0, 1, 0));
  EXPECT_EQ(ader.ader->labels_changed, 1U);
  EXPECT_EQ(ader.image->anomalous, 1U);
}

TEST(Evaluate, NormalImageWithMaskIsNamed) {
  TestCategory category = small_category();
  category.masks[0][4] = 1;
  CategoryInput input = category.input();
  input.image_name = [](std::size_t image) { return "good/00" + std::to_string(image) + ".png"; };
  const CategoryResult result = evaluate_category(input, {});
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0].image, 0U);
  EXPECT_EQ(result.warnings[0].message,
            "good/000.png: labelled normal, but its mask has 1 anomalous pixels");
  EXPECT_EQ(result.image->anomalous, 1U);
  EXPECT_EQ(result.components, 2U);
}

TEST(Evaluate, WithoutMasks) {
  const TestCategory category = small_category();
  CategoryInput input = category.input();
  input.masks.clear();
  input.without_masks = true;
  const CategoryResult result = evaluate_category(input, {});
  EXPECT_EQ(figure(result, Metric::kImageAuroc), 1.0);
  EXPECT_EQ(result.value(Metric::kPixelAuroc).reason, "no masks");
  EXPECT_EQ(result.normal_pixels, 0U);
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  EXPECT_FALSE(evaluate_category(input, options).value(Metric::kImageAuroc).value.has_value());
}

TEST(Evaluate, AderModeHasItsOwnImageScores) {
  const TestCategory category = small_category();
  CategoryInput input = category.input();
  const std::vector<float> swapped = {2, 1};
  input.ader_image_scores = swapped;
  EvaluationOptions options;
  EXPECT_EQ(figure(evaluate_category(input, options), Metric::kImageAuroc), 1.0);
  options.mode = MetricMode::kAder;
  EXPECT_EQ(figure(evaluate_category(input, options), Metric::kImageAuroc), 0.0);
}

TEST(Evaluate, RefusesNonFiniteScores) {
  TestCategory category = small_category();
  category.maps[1][4] = kNan;
  category.maps[1][5] = -kInfinity;
  category.image_scores[0] = kNan;
  Rejection rejection = rejection_of(category.input());
  EXPECT_EQ(rejection.reason, Rejection::Reason::kNonFinite);
  EXPECT_EQ(rejection.first_image, 1U);  // maps come before image scores
  EXPECT_EQ(rejection.first_pixel.value(), (std::array<std::size_t, 2>{1, 1}));
  EXPECT_EQ(rejection.count_nan, 2U);
  EXPECT_EQ(rejection.count_infinite, 1U);
  expect_error(ErrorKind::kData,
               "image 1: non-finite score at row 1, column 1 (2 NaN and 1 infinite in all)",
               [&] { evaluate_category(category.input(), {}); });

  // Also where the maps are looked at besides the sorting, and where nothing is sorted.
  EXPECT_EQ(rejection_of(category.input(), 3).count_nan, 2U);
  category.masks[1].assign(6, 0);
  EXPECT_EQ(rejection_of(category.input(), 3).count_nan, 2U);

  category = small_category();
  category.image_scores[1] = kInfinity;
  rejection = rejection_of(category.input());
  EXPECT_EQ(rejection.first_image, 1U);
  EXPECT_FALSE(rejection.first_pixel.has_value());
  expect_error(ErrorKind::kData,
               "image 1: non-finite image score (0 NaN and 1 infinite in all)",
               [&] { evaluate_category(category.input(), {}); });
}

TEST(Evaluate, RefusesOtherMaskAndLabelValues) {
  TestCategory category = small_category();
  category.masks[1][2] = 255;
  expect_error(ErrorKind::kData,
               "image 1: mask value 255 at row 0, column 2, expected 0 or 1",
               [&] { evaluate_category(category.input(), {}); });
  EXPECT_EQ(rejection_of(category.input()).reason, Rejection::Reason::kMaskValue);
  category = small_category();
  category.labels[0] = 2;
  expect_error(ErrorKind::kData, "image 0: image label 2, expected 0 or 1", [&] {
    evaluate_category(category.input(), {});
  });
}

TEST(Evaluate, RefusesSizesThatDiffer) {
  const TestCategory category = small_category();
  CategoryInput input = category.input();
  input.masks[1] = input.masks[1].first(5);
  expect_error(ErrorKind::kData, "image 1: the mask has 5 pixels, expected 2 x 3", [&] {
    evaluate_category(input, {});
  });
  input = category.input();
  input.maps[0] = input.maps[0].first(3);
  expect_error(ErrorKind::kData, "image 0: the map has 3 pixels, expected 2 x 3", [&] {
    evaluate_category(input, {});
  });
  input = category.input();
  input.maps.pop_back();
  expect_error(
      ErrorKind::kData, "2 image labels, but 1 maps", [&] { evaluate_category(input, {}); });
  input = category.input();
  input.masks.clear();
  expect_error(
      ErrorKind::kData, "2 image labels, but 0 masks", [&] { evaluate_category(input, {}); });
  input = category.input();
  input.image_scores = input.image_scores.first(1);
  expect_error(ErrorKind::kData, "2 image labels, but 1 image scores", [&] {
    evaluate_category(input, {});
  });
  input = category.input();
  input.height = 0;
  expect_error(
      ErrorKind::kData, "maps of 0 x 3 pixels are empty", [&] { evaluate_category(input, {}); });
  input = category.input();
  input.height = std::size_t{1} << 40;
  input.width = std::size_t{1} << 40;
  expect_error(ErrorKind::kData, "at most 4294967295 pixels in a category", [&] {
    evaluate_category(input, {});
  });
}

TEST(Evaluate, RefusesOptionsOutsideTheirRange) {
  const TestCategory category = small_category();
  for (const double limit : {0.0, -0.1, 1.5, std::nan("")}) {
    EvaluationOptions options;
    options.fpr_limit = limit;
    expect_error(ErrorKind::kUsage, "the false-positive limit must be in (0, 1]", [&] {
      evaluate_category(category.input(), options);
    });
  }
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  options.fpr_limit = 0.05;
  expect_error(ErrorKind::kUsage,
               "`ader` mode knows only the false-positive limit 0.3, got 0.05",
               [&] { evaluate_category(category.input(), options); });
  options = {};
  options.threads = 0;
  expect_error(ErrorKind::kUsage, "threads must be at least 1", [&] {
    evaluate_category(category.input(), options);
  });
  expect_error(ErrorKind::kUsage, "unknown metric mode 'ada'; known: ader, exact", [] {
    parse_metric_mode("ada");
  });
  EXPECT_EQ(parse_metric_mode("ader"), MetricMode::kAder);
}

CategoryResult with_values(std::optional<double> first, double others) {
  CategoryResult result;
  for (MetricValue& value : result.values) {
    value = MetricValue::of(others);
  }
  if (first) {
    result.values[0] = MetricValue::of(*first);
  } else {
    result.values[0] = MetricValue::undefined("no normal image");
  }
  return result;
}

TEST(Average, IsUnweightedAndOfUnroundedFigures) {
  const std::vector<CategoryResult> categories = {with_values(1.0, 0.5), with_values(0.5, 0.25)};
  const Average mean = average(categories, false);
  EXPECT_EQ(mean.means[0].value.value, 0.75);
  EXPECT_EQ(mean.means[6].value.value, 0.375);
  EXPECT_EQ(mean.means[7].value.value, (0.75 + 6 * 0.375) / 7);
}

TEST(Average, OfAnUndefinedFigureIsUndefinedUnlessSkipped) {
  const std::vector<CategoryResult> categories = {with_values({}, 0.5), with_values(0.5, 0.25)};
  const Average strict = average(categories, false);
  EXPECT_EQ(strict.means[0].value.reason, "undefined in 1 of 2 categories");
  EXPECT_EQ(strict.means[0].defined, 1U);
  EXPECT_EQ(strict.means[1].value.value, 0.375);
  EXPECT_EQ(strict.means[7].value.reason, "image.auroc is undefined");
  const Average skipping = average(categories, true);
  EXPECT_EQ(skipping.means[0].value.value, 0.5);
  EXPECT_EQ(skipping.means[7].value.value, (0.5 + 6 * 0.375) / 7);
  const Average none = average(std::vector<CategoryResult>{with_values({}, 0.5)}, true);
  EXPECT_EQ(none.means[0].value.reason, "undefined in every category");
  EXPECT_FALSE(none.means[7].value.value.has_value());
}

TEST(PixelRanking, FprAtRecall) {
  const TestCategory category = small_category();
  const PixelRanking ranking(
      category.input(), check_input(category.input(), 1).anomalous_pixels, Connectivity::kEight, 1);
  EXPECT_EQ(ranking.fpr_at_recall(0.95), 0.0);
  TestCategory harder = category;
  harder.maps[1][4] = 4;  // below 5, 6 and 6; equal to 4 and 4
  const PixelRanking other(
      harder.input(), check_input(harder.input(), 1).anomalous_pixels, Connectivity::kEight, 1);
  EXPECT_EQ(other.fpr_at_recall(0.5), 0.0);
  EXPECT_EQ(other.fpr_at_recall(0.95), 0.5);
}

TEST(Keys, AreOrderedAndFound) {
  for (std::size_t i = 0; i < kNumMetrics; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kMetrics[i].metric), i);
    EXPECT_EQ(find_metric(kMetrics[i].key), kMetrics[i].metric);
  }
  EXPECT_EQ(find_metric("pixel.mad"), std::nullopt);
}

}  // namespace
}  // namespace adb
