// Every metrics case of tests/goldens, compared as cards/metrics.md section 7 says.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "metrics/evaluate.h"
#include "metrics/image_score.h"
#include "metrics/pixel_ranking.h"
#include "tests/metrics/golden_case.h"

namespace adb {
namespace {

using testing::GoldenCase;

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(ADB_TEST_GOLDENS)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".json" && name.starts_with("metrics_")) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

void expect_close(const std::optional<double>& got,
                  const Json& expected,
                  double tolerance,
                  const std::string& what) {
  if (expected.is_null()) {
    EXPECT_FALSE(got.has_value()) << what << " is " << *got << ", expected undefined";
    return;
  }
  ASSERT_TRUE(got.has_value()) << what << " is undefined";
  EXPECT_NEAR(*got, expected.get<double>(), tolerance) << what;
}

void expect_ratio(std::uint64_t numerator,
                  std::uint64_t denominator,
                  const Json& expected,
                  const std::string& what) {
  EXPECT_EQ(std::to_string(numerator) + "/" + std::to_string(denominator),
            expected.get<std::string>())
      << what;
}

// One level of `exact` or `ader`: figures, and in `exact` the ratios and thresholds.
void expect_level(const CategoryResult& result,
                  const std::string& level,
                  const Json& expected,
                  const Json& tolerance,
                  bool exact) {
  for (const std::string figure : {"auroc", "ap", "f1_max", "aupro"}) {
    const auto metric = find_metric(level + "." + figure);
    if (metric) {
      const double allowed = (exact ? tolerance[figure] : tolerance["ader"]).get<double>();
      const MetricValue& value = result.value(*metric);
      expect_close(value.value, expected.at(figure), allowed, level + "." + figure);
      EXPECT_EQ(value.reason.empty(), value.value.has_value())
          << "an undefined figure needs a reason";
    }
  }
  if (!exact) {
    return;
  }
  const auto& figures = level == "image" ? result.image : result.pixel;
  ASSERT_EQ(figures.has_value(), !expected.at("auroc").is_null());
  if (figures) {
    expect_ratio(
        figures->auroc_numerator, figures->auroc_denominator, expected.at("auroc_ratio"), level);
    expect_ratio(
        figures->f1_numerator, figures->f1_denominator, expected.at("f1_max_ratio"), level);
    EXPECT_EQ(static_cast<double>(figures->f1_threshold_highest),
              expected.at("f1_threshold_highest").get<double>());
    EXPECT_EQ(static_cast<double>(figures->f1_threshold_lowest),
              expected.at("f1_threshold_lowest").get<double>());
  }
}

void expect_counts(const CategoryResult& result,
                   const CategoryResult& four,
                   const CategoryInput& input,
                   const Json& expected) {
  EXPECT_EQ(result.anomalous_pixels, expected.at("anomalous_pixels").get<std::uint64_t>());
  EXPECT_EQ(result.normal_pixels, expected.at("normal_pixels").get<std::uint64_t>());
  EXPECT_EQ(result.anomalous_images, expected.at("anomalous_images").get<std::uint64_t>());
  EXPECT_EQ(result.num_images - result.anomalous_images,
            expected.at("normal_images").get<std::uint64_t>());
  EXPECT_EQ(result.components, expected.at("components_8").get<std::uint64_t>());
  EXPECT_EQ(four.components, expected.at("components_4").get<std::uint64_t>());
  EXPECT_EQ(count_distinct_scores(input.maps), expected.at("distinct_scores").get<std::uint64_t>());
}

void expect_pro_at_fpr(const CategoryInput& input, const Json& expected) {
  const PixelRanking ranking(
      input, check_input(input, 1).anomalous_pixels, Connectivity::kEight, 1);
  for (const auto& [fpr, pro] : expected.items()) {
    EXPECT_NEAR(ranking.pro_at_fpr(std::stod(fpr)), pro.get<double>(), 1e-12) << fpr;
  }
}

void expect_exact(const CategoryInput& input,
                  const Json& expected,
                  const Json& tolerance,
                  int threads) {
  EvaluationOptions options;
  options.threads = threads;
  const CategoryResult result = evaluate_category(input, options);
  expect_level(result, "image", expected.at("image"), tolerance, true);
  expect_level(result, "pixel", expected.at("pixel"), tolerance, true);
  expect_close(result.value(Metric::kMad).value, expected.at("mad"), 1e-12, "mad");
  std::vector<std::string> undefined;
  for (const MetricInfo& info : kMetrics) {
    if (!result.value(info.metric).value) {
      undefined.emplace_back(info.key);
    }
  }
  EXPECT_EQ(undefined, expected.at("undefined").get<std::vector<std::string>>());
  const Json& pixel = expected.at("pixel");
  const double allowed = tolerance.at("aupro").get<double>();
  for (const double limit : {0.05, 1.0}) {
    EvaluationOptions other = options;
    other.fpr_limit = limit;
    expect_close(evaluate_category(input, other).value(Metric::kPixelAupro).value,
                 pixel.at(limit == 1.0 ? "aupro_limit_1.0" : "aupro_limit_0.05"),
                 allowed,
                 "aupro at another limit");
  }
  EvaluationOptions four = options;
  four.connectivity = Connectivity::kFour;
  const CategoryResult result_four = evaluate_category(input, four);
  expect_close(result_four.value(Metric::kPixelAupro).value,
               pixel.at("aupro_connectivity_4"),
               allowed,
               "connectivity 4");
  if (!pixel.at("pro_at_fpr").is_null()) {
    expect_pro_at_fpr(input, pixel.at("pro_at_fpr"));
  }
}

void expect_ader(const CategoryInput& input,
                 const Json& expected,
                 const Json& tolerance,
                 int threads) {
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  options.threads = threads;
  const CategoryResult result = evaluate_category(input, options);
  expect_level(result, "image", expected.at("image"), tolerance, false);
  expect_level(result, "pixel", expected.at("pixel"), tolerance, false);
  expect_close(result.value(Metric::kMad).value,
               expected.at("mad"),
               tolerance.at("ader").get<double>(),
               "mad");
  ASSERT_TRUE(result.ader.has_value());
  EXPECT_EQ(result.ader->image_labels,
            expected.at("image_labels_from_masks").get<std::vector<std::uint8_t>>());
  const Json& pixel = expected.at("pixel");
  EXPECT_EQ(result.ader->aupro_points, pixel.at("aupro_points").get<std::size_t>());
  options.ader_steps = 200;
  const CategoryResult finer = evaluate_category(input, options);
  expect_close(finer.value(Metric::kPixelAupro).value,
               pixel.at("aupro_steps_200"),
               tolerance.at("ader").get<double>(),
               "aupro_steps_200");
  EXPECT_EQ(finer.ader->aupro_points, pixel.at("aupro_steps_200_points").get<std::size_t>());
}

void expect_image_scores(const GoldenCase& golden,
                         const std::vector<std::size_t>& images,
                         const Json& expected) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto map = golden.map(images[i]);
    EXPECT_EQ(static_cast<double>(max_score(map)), expected.at("max").at(i).get<double>());
    const double mean = expected.at("mean").at(i).get<double>();
    EXPECT_NEAR(mean_score(map), mean, 1e-12 * std::abs(mean));
    const double pooled = expected.at("avgpool16_stride1_max").at(i).get<double>();
    EXPECT_NEAR(pooled_max(map, golden.width), pooled, 1e-12 * std::abs(pooled));
  }
}

// `expected` of a case, or one entry of its `categories`.
void expect_category(const GoldenCase& golden,
                     std::int64_t category,
                     const Json& expected,
                     const Json* counts) {
  const CategoryInput input = golden.input(category);
  const Json& tolerance = golden.json.at("tolerance");
  for (const int threads : {1, 3}) {
    expect_exact(input, expected.at("exact"), tolerance, threads);
    if (expected.contains("ader")) {
      expect_ader(input, expected.at("ader"), tolerance, threads);
    }
  }
  if (counts != nullptr) {
    EvaluationOptions four;
    four.connectivity = Connectivity::kFour;
    expect_counts(evaluate_category(input, {}), evaluate_category(input, four), input, *counts);
  }
  if (expected.contains("image_score_from_map")) {
    expect_image_scores(
        golden, golden.categories.at(category).images, expected.at("image_score_from_map"));
  }
}

void expect_average(const GoldenCase& golden, const Json& expected) {
  std::vector<CategoryResult> results;
  for (const auto& [category, images] : golden.categories) {
    results.push_back(evaluate_category(golden.input(category), {}));
  }
  const Average strict = average(results, false);
  const Average skipping = average(results, true);
  const Json& means = expected.at("average");
  for (std::size_t i = 0; i < kNumBaseMetrics; ++i) {
    const std::string key(kMetrics[i].key);
    const Json& mean = means.at(key);
    expect_close(strict.means[i].value.value, mean.at("mean"), 1e-12, key);
    expect_close(skipping.means[i].value.value, mean.at("mean_over_defined"), 1e-12, key);
    EXPECT_EQ(strict.means[i].categories, mean.at("categories").get<std::size_t>());
    EXPECT_EQ(strict.means[i].defined, mean.at("defined").get<std::size_t>());
  }
  expect_close(strict.means[7].value.value, expected.at("mad"), 1e-12, "mad");
  expect_close(
      skipping.means[7].value.value, expected.at("mad_over_defined"), 1e-12, "mad_over_defined");
}

void expect_rejection(const GoldenCase& golden, const Json& expected) {
  try {
    evaluate_category(golden.input(), {});
    FAIL() << "the input was not refused";
  } catch (const RejectedInput& error) {
    const Rejection& rejection = error.rejection();
    EXPECT_EQ(rejection.first_image, expected.at("first_image").get<std::size_t>());
    ASSERT_TRUE(rejection.first_pixel.has_value());
    EXPECT_EQ(rejection.first_pixel->at(0), expected.at("first_pixel").at(0).get<std::size_t>());
    EXPECT_EQ(rejection.first_pixel->at(1), expected.at("first_pixel").at(1).get<std::size_t>());
    EXPECT_EQ(rejection.count_nan, expected.at("count_nan").get<std::uint64_t>());
    EXPECT_EQ(rejection.count_infinite, expected.at("count_inf").get<std::uint64_t>());
    EXPECT_EQ(std::string(error.what()),
              "image 1: non-finite score at row 3, column 4 (1 NaN and 1 infinite in all)");
  }
}

class MetricGoldens : public ::testing::TestWithParam<std::string> {};

TEST_P(MetricGoldens, AreMet) {
  const GoldenCase golden(GetParam());
  const Json& expected = golden.json.at("expected");
  std::set<std::string> fields;
  for (const auto& [field, value] : expected.items()) {
    fields.insert(field);
  }
  if (fields.contains("reject")) {
    expect_rejection(golden, expected.at("reject"));
  } else if (fields.contains("categories")) {
    for (const Json& category : expected.at("categories")) {
      SCOPED_TRACE("category " + category.at("category").dump());
      const auto number = category.at("category").get<std::int64_t>();
      EXPECT_EQ(golden.categories.at(number).images.size(),
                category.at("images").get<std::size_t>());
      expect_category(
          golden, number, category, category.contains("counts") ? &category.at("counts") : nullptr);
    }
    expect_average(golden, expected);
  } else {
    expect_category(golden, 0, expected, &golden.json.at("counts"));
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         MetricGoldens,
                         ::testing::ValuesIn(case_names()),
                         [](const auto& parameter) { return parameter.param; });

TEST(MetricGoldens, AreAllThere) {
  EXPECT_EQ(case_names().size(), 22U);
}

}  // namespace
}  // namespace adb
