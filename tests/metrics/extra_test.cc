// The figures besides the eight, against definitions written out slowly.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/seed.h"
#include "metrics/aupimo.h"
#include "metrics/bootstrap.h"
#include "metrics/evaluate.h"
#include "metrics/pixel_bins.h"
#include "tests/metrics/brute_force.h"

namespace adb {
namespace {

using testing::TestCategory;

// All pixels of a category in one list.
struct Pixels {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
};

Pixels all_pixels(const TestCategory& category) {
  Pixels pixels;
  for (std::size_t i = 0; i < category.maps.size(); ++i) {
    pixels.scores.insert(pixels.scores.end(), category.maps[i].begin(), category.maps[i].end());
    pixels.labels.insert(pixels.labels.end(), category.masks[i].begin(), category.masks[i].end());
  }
  return pixels;
}

double brute_iou(const Pixels& pixels) {
  double best = 0;
  for (const float threshold : std::set<float>(pixels.scores.begin(), pixels.scores.end())) {
    double both = 0, either = 0;
    for (std::size_t i = 0; i < pixels.scores.size(); ++i) {
      const bool flagged = pixels.scores[i] >= threshold;
      both += flagged && pixels.labels[i] == 1 ? 1 : 0;
      either += flagged || pixels.labels[i] == 1 ? 1 : 0;
    }
    best = std::max(best, both / either);
  }
  return best;
}

double brute_fpr(const std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
  double smallest = 1;
  for (const float threshold : std::set<float>(scores.begin(), scores.end())) {
    double hits = 0, false_alarms = 0, anomalous = 0, normal = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      (labels[i] == 1 ? anomalous : normal) += 1;
      if (scores[i] >= threshold) {
        (labels[i] == 1 ? hits : false_alarms) += 1;
      }
    }
    if (hits / anomalous >= 0.95) {
      smallest = std::min(smallest, false_alarms / normal);
    }
  }
  return smallest;
}

std::map<std::string, MetricValue> extra_of(const TestCategory& category, int threads = 1) {
  EvaluationOptions options;
  options.extra = true;
  options.more_fpr_limits = {0.05, 1};
  options.threads = threads;
  std::map<std::string, MetricValue> values;
  for (const ExtraFigure& figure : evaluate_category(category.input(), options).extra) {
    values[figure.key] = figure.value;
  }
  return values;
}

TEST(Extra, AgreesWithBruteForce) {
  Stream stream(5, "metrics.extra");
  int compared = 0;
  for (int round = 0; round < 60; ++round) {
    const TestCategory category = testing::random_category(stream, round % 3 == 0 ? 0 : round % 7);
    const Pixels pixels = all_pixels(category);
    const auto values = extra_of(category, 1 + round % 3);
    EXPECT_NEAR(values.at("image.fpr95").value.value(),
                brute_fpr(category.image_scores, category.labels),
                1e-15);
    if (std::count(pixels.labels.begin(), pixels.labels.end(), 1) == 0) {
      EXPECT_EQ(values.at("pixel.iou_max").reason, "no anomalous pixel");
      EXPECT_EQ(values.at("pixel.aupro@0.05").reason, "no anomalous pixel");
      continue;
    }
    ++compared;
    EXPECT_NEAR(values.at("pixel.iou_max").value.value(), brute_iou(pixels), 1e-15);
    EXPECT_NEAR(
        values.at("pixel.fpr95").value.value(), brute_fpr(pixels.scores, pixels.labels), 1e-15);
    EXPECT_NEAR(values.at("pixel.aupro@0.05").value.value(),
                testing::brute_pro(category, 0.05, true).aupro,
                1e-12);
    EXPECT_NEAR(values.at("pixel.aupro@1").value.value(),
                testing::brute_pro(category, 1, true).aupro,
                1e-12);
  }
  EXPECT_GT(compared, 40);
}

TEST(Extra, IsExactOnly) {
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  options.extra = true;
  EXPECT_THROW(check_options(options), Error);
  options = {};
  options.more_fpr_limits = {0.5, 0};
  EXPECT_THROW(check_options(options), Error);
}

// Large enough that one normal pixel is a rate inside the range of AUPIMO.
TestCategory aupimo_category(int levels) {
  Stream stream(6, "metrics.aupimo");
  TestCategory category;
  category.height = 90;
  category.width = 100;
  for (int image = 0; image < 9; ++image) {
    const bool anomalous = image % 3 == 1;
    std::vector<float> map;
    std::vector<std::uint8_t> mask;
    for (std::size_t i = 0; i < category.height * category.width; ++i) {
      mask.push_back(anomalous && stream.uniform() < 0.004 ? 1 : 0);
      // Near the highest normal scores, so that the curve changes within the range.
      const double score = mask.back() == 1 ? stream.uniform(3, 5) : stream.normal();
      map.push_back(static_cast<float>(levels > 0 ? std::floor(score * levels) : score));
    }
    category.add(std::move(map), std::move(mask), anomalous ? 1 : 0, 0);
  }
  return category;
}

// The recall of every anomalous image as a step function of the rate of all normal images,
// integrated over the logarithm of the rate step by step.
double brute_aupimo(const TestCategory& category) {
  std::vector<float> normal;
  for (std::size_t i = 0; i < category.maps.size(); ++i) {
    if (category.labels[i] == 0) {
      normal.insert(normal.end(), category.maps[i].begin(), category.maps[i].end());
    }
  }
  double sum = 0;
  int images = 0;
  for (std::size_t i = 0; i < category.maps.size(); ++i) {
    std::vector<float> marked;
    for (std::size_t k = 0; k < category.maps[i].size(); ++k) {
      if (category.masks[i][k] == 1) {
        marked.push_back(category.maps[i][k]);
      }
    }
    if (marked.empty()) {
      continue;
    }
    std::map<double, double> recall_at;  // by rate: the highest recall at just that rate
    for (const float threshold : marked) {
      const auto above = [&](float score) { return score >= threshold; };
      const double rate = static_cast<double>(std::count_if(normal.begin(), normal.end(), above)) /
                          static_cast<double>(normal.size());
      const double recall =
          static_cast<double>(std::count_if(marked.begin(), marked.end(), above)) /
          static_cast<double>(marked.size());
      recall_at[rate] = std::max(recall_at[rate], recall);
    }
    double area = 0, at = 1e-5, recall = 0;
    for (const auto& [rate, value] : recall_at) {
      const double next = std::clamp(rate, 1e-5, 1e-4);
      area += recall * (std::log10(next) - std::log10(at));
      at = next;
      recall = value;
    }
    area += recall * (std::log10(1e-4) - std::log10(at));
    sum += area;
    ++images;
  }
  return sum / images;
}

TEST(Aupimo, AgreesWithStepwiseIntegration) {
  for (const int levels : {0, 8}) {
    const TestCategory category = aupimo_category(levels);
    const double expected = brute_aupimo(category);
    EXPECT_GT(expected, 0.05);
    EXPECT_LT(expected, 0.95);
    const double value = aupimo(category.input(), 1).value.value();
    EXPECT_NEAR(value, expected, 1e-12);
    EXPECT_EQ(aupimo(category.input(), 3).value.value(), value);
    TestCategory reversed = category;
    std::reverse(reversed.maps.begin(), reversed.maps.end());
    std::reverse(reversed.masks.begin(), reversed.masks.end());
    std::reverse(reversed.labels.begin(), reversed.labels.end());
    EXPECT_EQ(aupimo(reversed.input(), 2).value.value(), value);
  }
}

TEST(Aupimo, NeedsNormalImagesAndMasks) {
  TestCategory category = aupimo_category(0);
  category.labels.assign(category.labels.size(), 1);
  EXPECT_EQ(aupimo(category.input(), 1).reason, "no normal image");
  category.masks.assign(category.masks.size(), category.masks[0]);
  EXPECT_EQ(aupimo(category.input(), 1).reason, "no anomalous pixel");
}

// Draws as documented, the drawn images laid out, every figure by brute force.
std::map<std::string, std::vector<double>> brute_resamples(const TestCategory& category,
                                                           std::int64_t resamples,
                                                           std::int64_t seed) {
  std::vector<std::size_t> groups[2];  // anomalous, normal
  for (std::size_t i = 0; i < category.labels.size(); ++i) {
    groups[category.labels[i] == 1 ? 0 : 1].push_back(i);
  }
  std::map<std::string, std::vector<double>> values;
  for (std::int64_t k = 0; k < resamples; ++k) {
    Stream stream(seed, "metrics.bootstrap", 0, k);
    TestCategory drawn;
    drawn.height = category.height;
    drawn.width = category.width;
    for (const auto& group : groups) {
      for (std::size_t n = 0; n < group.size(); ++n) {
        const auto i = group[static_cast<std::size_t>(stream.below(std::ssize(group)))];
        drawn.add(
            category.maps[i], category.masks[i], category.labels[i], category.image_scores[i]);
      }
    }
    const auto images = testing::brute_ranking(drawn.image_scores, drawn.labels);
    values["image.auroc"].push_back(static_cast<double>(images.auroc_numerator) / 2 /
                                    static_cast<double>(groups[0].size() * groups[1].size()));
    values["image.ap"].push_back(images.ap);
    values["image.f1_max"].push_back(images.f1_max);
    double seven =
        values["image.auroc"].back() + values["image.ap"].back() + values["image.f1_max"].back();
    const Pixels pixels = all_pixels(drawn);
    const auto anomalous =
        static_cast<double>(std::count(pixels.labels.begin(), pixels.labels.end(), 1));
    if (anomalous > 0) {
      const auto ranking = testing::brute_ranking(pixels.scores, pixels.labels);
      values["pixel.auroc"].push_back(static_cast<double>(ranking.auroc_numerator) / 2 / anomalous /
                                      (static_cast<double>(pixels.labels.size()) - anomalous));
      values["pixel.ap"].push_back(ranking.ap);
      values["pixel.f1_max"].push_back(ranking.f1_max);
      values["pixel.aupro"].push_back(testing::brute_pro(drawn, 0.3, true).aupro);
      for (const char* key : {"pixel.auroc", "pixel.ap", "pixel.f1_max", "pixel.aupro"}) {
        seven += values[key].back();
      }
      values["mad"].push_back(seven / 7);
    }
  }
  return values;
}

TEST(Bootstrap, AgreesWithResampledImages) {
  Stream stream(8, "metrics.bootstrap.test");
  for (int round = 0; round < 4; ++round) {
    TestCategory category = testing::random_category(stream, round % 2 == 0 ? 0 : 3);
    category.masks[1].assign(category.masks[1].size(), 0);  // may leave a resample without pixels
    BootstrapOptions options;
    options.resamples = 40;
    options.seed = 7 + round;
    options.level = 0.8;
    options.threads = 1 + round % 2;
    auto expected = brute_resamples(category, 40, options.seed);
    std::erase_if(expected, [](const auto& entry) { return entry.second.empty(); });
    const auto intervals = bootstrap(category.input(), options);
    ASSERT_EQ(intervals.size(), expected.size());
    for (const ConfidenceInterval& interval : intervals) {
      auto values = expected.at(interval.key);
      std::sort(values.begin(), values.end());
      EXPECT_EQ(interval.resamples, values.size());
      const auto at = [&](double share) {
        return values[static_cast<std::size_t>(
                          std::ceil(share * static_cast<double>(values.size()) - 1e-9)) -
                      1];
      };
      EXPECT_NEAR(interval.lower, at(0.1), 1e-12) << interval.key;
      EXPECT_NEAR(interval.upper, at(0.9), 1e-12) << interval.key;
    }
  }
}

// Far more distinct scores than bins: each image once is the category itself.
TEST(PixelBins, AreNearTheExactFigures) {
  Stream stream(10, "metrics.pixel_bins.test");
  TestCategory category;
  category.height = category.width = 64;
  for (int image = 0; image < 12; ++image) {
    std::vector<float> map(64 * 64);
    std::vector<std::uint8_t> mask(map.size());
    for (std::size_t i = 0; i < map.size(); ++i) {
      const bool inside =
          image % 2 == 1 && i / 64 % 32 < 9 && i % 64 + 2 * static_cast<std::size_t>(image) > 50;
      mask[i] = inside ? 1 : 0;
      map[i] = static_cast<float>(stream.normal() + (inside ? 1.5 : 0));
    }
    category.add(map, mask, static_cast<std::uint8_t>(image % 2), map[0]);
  }
  const auto input = category.input();
  const auto exact = evaluate_category(input, {});
  std::vector<double> sums;
  const std::vector<std::uint32_t> once(category.maps.size(), 1);
  const auto binned = PixelBins(input, 0.3, 2).figures(once, sums);
  const auto value = [&](Metric metric) { return *exact.value(metric).value; };
  EXPECT_NEAR(binned.ap, value(Metric::kPixelAp), 0.002);
  EXPECT_NEAR(binned.f1_max, value(Metric::kPixelF1Max), 0.001);
  EXPECT_NEAR(binned.aupro, value(Metric::kPixelAupro), 0.001);
  EXPECT_NE(binned.ap, value(Metric::kPixelAp)) << "the edges were to be chosen";
}

TEST(Bootstrap, DoesNotDependOnThreads) {
  Stream stream(9, "metrics.bootstrap.threads");
  TestCategory category;
  category.height = 1;
  category.width = 2;
  for (int image = 0; image < 30; ++image) {
    const auto label = static_cast<std::uint8_t>(image % 2);
    const auto score = static_cast<float>(stream.uniform() + 0.5 * label);
    category.add({score, static_cast<float>(stream.uniform())}, {label, 0}, label, score);
  }
  BootstrapOptions options;
  options.resamples = 500;
  const auto one = bootstrap(category.input(), options);
  options.threads = 5;
  const auto five = bootstrap(category.input(), options);
  ASSERT_EQ(one.size(), five.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].lower, five[i].lower);
    EXPECT_EQ(one[i].upper, five[i].upper);
  }
  options.seed = 43;
  EXPECT_NE(bootstrap(category.input(), options)[3].lower, one[3].lower);
  options.resamples = 0;
  EXPECT_THROW(bootstrap(category.input(), options), Error);
}

}  // namespace
}  // namespace adb
