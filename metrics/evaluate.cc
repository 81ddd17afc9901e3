#include "metrics/evaluate.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "metrics/ader.h"
#include "metrics/aupimo.h"
#include "metrics/pixel_ranking.h"
#include "metrics/workers.h"

namespace adb {
namespace {

constexpr double kAderFprLimit = 0.3;
constexpr double kRecall = 0.95;  // of fpr95

MetricValue& value_of(CategoryResult& result, Metric metric) {
  return result.values[static_cast<std::size_t>(metric)];
}

void set_undefined(CategoryResult& result, MetricLevel level, const std::string& reason) {
  for (const MetricInfo& info : kMetrics) {
    if (info.level == level) {
      value_of(result, info.metric) = MetricValue::undefined(reason);
    }
  }
}

void evaluate_images(const CategoryInput& input,
                     const EvaluationOptions& options,
                     CategoryResult& result) {
  std::span<const std::uint8_t> labels = input.image_labels;
  std::span<const float> scores = input.image_scores;
  if (options.mode == MetricMode::kAder) {
    if (input.without_masks) {
      set_undefined(
          result, MetricLevel::kImage, "`ader` mode takes image labels from masks; there are none");
      return;
    }
    labels = result.ader->image_labels;
    scores = input.ader_image_scores.empty() ? scores : input.ader_image_scores;
  }
  const auto anomalous = std::count(labels.begin(), labels.end(), 1);
  if (anomalous == 0) {
    set_undefined(result, MetricLevel::kImage, labels.empty() ? "no image" : "no anomalous image");
    return;
  }
  if (static_cast<std::size_t>(anomalous) == labels.size()) {
    set_undefined(result, MetricLevel::kImage, "no normal image");
    return;
  }
  result.image = rank_scores(scores, labels);
  value_of(result, Metric::kImageAuroc) = MetricValue::of(result.image->auroc);
  value_of(result, Metric::kImageAp) = MetricValue::of(result.image->ap);
  value_of(result, Metric::kImageF1Max) = MetricValue::of(result.image->f1_max);
}

// ranking: nullptr where the pixel figures are undefined
void evaluate_extra(const CategoryInput& input,
                    const PixelRanking* ranking,
                    const EvaluationOptions& options,
                    CategoryResult& result) {
  const auto add = [&](std::string key, Metric like, const auto& figure) {
    const MetricValue& base = result.value(like);
    result.extra.push_back(
        {std::move(key), base.value ? figure() : MetricValue::undefined(base.reason)});
  };
  if (options.extra) {
    add("image.fpr95", Metric::kImageAuroc, [&] {
      return MetricValue::of(fpr_at_recall(input.image_scores, input.image_labels, kRecall));
    });
    add("pixel.fpr95", Metric::kPixelAuroc, [&] {
      return MetricValue::of(ranking->fpr_at_recall(kRecall));
    });
    add("pixel.iou_max", Metric::kPixelF1Max, [&] {
      // F1 = 2 TP / (TP + FP + P) = n / d, IoU = TP / (FP + P), which rises with it.
      const auto n = static_cast<double>(result.pixel->f1_numerator);
      const auto twice_d = static_cast<double>(2 * result.pixel->f1_denominator);
      return MetricValue::of(n / (twice_d - n));
    });
    add("pixel.aupimo", Metric::kPixelAuroc, [&] { return aupimo(input, options.threads); });
  }
  for (const double limit : options.more_fpr_limits) {
    add(fmt::format("pixel.aupro@{}", limit), Metric::kPixelAupro, [&] {
      return MetricValue::of(ranking->aupro(limit));
    });
  }
}

void evaluate_pixels(const CategoryInput& input,
                     const InputCounts& counts,
                     const EvaluationOptions& options,
                     CategoryResult& result) {
  MapCheck map_check(input);
  if (result.anomalous_pixels == 0 || result.normal_pixels == 0) {
    run_workers(usable_workers(options.threads, input.maps.size()), [&](int) { map_check.run(); });
    map_check.finish();
  }
  if (input.without_masks) {
    set_undefined(result, MetricLevel::kPixel, "no masks");
    evaluate_extra(input, nullptr, options, result);
    return;
  }
  if (result.anomalous_pixels == 0) {
    set_undefined(result, MetricLevel::kPixel, "no anomalous pixel");
    evaluate_extra(input, nullptr, options, result);
    return;
  }
  if (result.normal_pixels == 0) {
    set_undefined(result, MetricLevel::kPixel, "no normal pixel");
    result.components = count_components(input, options.connectivity);
    evaluate_extra(input, nullptr, options, result);
    return;
  }
  const PixelRanking ranking(
      input, counts.anomalous_pixels, options.connectivity, options.threads, &map_check);
  result.components = ranking.num_components();
  if (options.mode == MetricMode::kAder) {
    result.pixel = ranking.figures();
    AderPixelFigures figures =
        ader_pixel_figures(input, ranking, options.ader_steps, options.threads);
    value_of(result, Metric::kPixelF1Max) = std::move(figures.f1_max);
    value_of(result, Metric::kPixelAupro) = std::move(figures.aupro);
    result.ader->aupro_points = figures.aupro_points;
  } else {
    double aupro = 0;
    const int workers = std::min(options.threads, 2);
    run_workers(workers, [&](int worker) {
      if (worker == 0) {
        result.pixel = ranking.figures();
      }
      if (worker == workers - 1) {
        aupro = ranking.aupro(options.fpr_limit);
      }
    });
    value_of(result, Metric::kPixelF1Max) = MetricValue::of(result.pixel->f1_max);
    value_of(result, Metric::kPixelAupro) = MetricValue::of(aupro);
  }
  value_of(result, Metric::kPixelAuroc) = MetricValue::of(result.pixel->auroc);
  value_of(result, Metric::kPixelAp) = MetricValue::of(result.pixel->ap);
  evaluate_extra(input, &ranking, options, result);
}

void compare_labels_with_masks(const CategoryInput& input,
                               const InputCounts& counts,
                               const EvaluationOptions& options,
                               CategoryResult& result) {
  for (std::size_t i = 0; i < counts.anomalous_pixels.size(); ++i) {
    const bool labelled = input.image_labels[i] == 1;
    const bool masked = counts.anomalous_pixels[i] > 0;
    if (masked && !labelled) {
      result.warnings.push_back(
          {i,
           fmt::format("{}: labelled normal, but its mask has {} anomalous pixels",
                       input.describe_image(i),
                       counts.anomalous_pixels[i])});
    }
    result.anomalous_images_with_empty_mask += labelled && !masked ? 1 : 0;
    if (options.mode == MetricMode::kAder) {
      result.ader->image_labels.push_back(masked ? 1 : 0);
      result.ader->labels_changed += labelled != masked ? 1 : 0;
    }
  }
}

void check_fpr_limit(double limit) {
  ADB_CHECK(limit > 0 && limit <= 1,
            ErrorKind::kUsage,
            "the false-positive limit must be in (0, 1], got {}",
            limit);
}

// value_of(category): the figure to be averaged
template <class ValueOf>
Average::Mean mean_over(std::span<const CategoryResult> categories,
                        bool skip_undefined,
                        const ValueOf& value_of_category) {
  Average::Mean mean;
  mean.categories = categories.size();
  double sum = 0;
  for (const CategoryResult& category : categories) {
    const MetricValue& value = value_of_category(category);
    if (value.value) {
      sum += *value.value;
      ++mean.defined;
    }
  }
  if (mean.defined == 0) {
    mean.value = MetricValue::undefined("undefined in every category");
  } else if (mean.defined < mean.categories && !skip_undefined) {
    mean.value = MetricValue::undefined(fmt::format(
        "undefined in {} of {} categories", mean.categories - mean.defined, mean.categories));
  } else {
    mean.value = MetricValue::of(sum / static_cast<double>(mean.defined));
  }
  return mean;
}

}  // namespace

std::string_view metric_mode_name(MetricMode mode) {
  return mode == MetricMode::kExact ? "exact" : "ader";
}

MetricMode parse_metric_mode(std::string_view name) {
  for (const MetricMode mode : {MetricMode::kExact, MetricMode::kAder}) {
    if (name == metric_mode_name(mode)) {
      return mode;
    }
  }
  fail(ErrorKind::kUsage, "unknown metric mode '{}'; known: ader, exact", name);
}

void check_options(const EvaluationOptions& options) {
  check_fpr_limit(options.fpr_limit);
  ADB_CHECK(options.mode == MetricMode::kExact || options.fpr_limit == kAderFprLimit,
            ErrorKind::kUsage,
            "`ader` mode knows only the false-positive limit {}, got {}",
            kAderFprLimit,
            options.fpr_limit);
  for (const double limit : options.more_fpr_limits) {
    check_fpr_limit(limit);
  }
  ADB_CHECK(
      options.mode == MetricMode::kExact || (!options.extra && options.more_fpr_limits.empty()),
      ErrorKind::kUsage,
      "further figures and limits are exact only: not in `ader` mode");
  ADB_CHECK(options.threads >= 1,
            ErrorKind::kUsage,
            "threads must be at least 1, got {}",
            options.threads);
  ADB_CHECK(options.ader_steps >= 2 && options.ader_steps <= 100000,
            ErrorKind::kUsage,
            "the steps of `ader` mode must be in [2, 100000], got {}",
            options.ader_steps);
}

CategoryResult evaluate_category(const CategoryInput& input, const EvaluationOptions& options) {
  check_options(options);
  const InputCounts counts = check_besides_maps(input, options.threads);
  CategoryResult result;
  result.num_images = input.num_images();
  result.anomalous_images = counts.anomalous_images;
  for (const std::uint64_t pixels : counts.anomalous_pixels) {
    result.anomalous_pixels += pixels;
    result.normal_pixels += input.height * input.width - pixels;
  }
  if (options.mode == MetricMode::kAder) {
    result.ader.emplace();
  }
  compare_labels_with_masks(input, counts, options, result);
  evaluate_images(input, options, result);
  evaluate_pixels(input, counts, options, result);
  value_of(result, Metric::kMad) = mean_of_metrics(std::span(result.values).first(kNumBaseMetrics));
  return result;
}

MetricValue mean_of_metrics(std::span<const MetricValue> values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].value) {
      return MetricValue::undefined(fmt::format("{} is undefined", kMetrics[i].key));
    }
    sum += *values[i].value;
  }
  return MetricValue::of(sum / static_cast<double>(values.size()));
}

Average average(std::span<const CategoryResult> categories, bool skip_undefined) {
  Average average;
  std::array<MetricValue, kNumBaseMetrics> means;
  for (std::size_t i = 0; i < kNumBaseMetrics; ++i) {
    average.means[i] =
        mean_over(categories, skip_undefined, [i](const auto& category) -> const MetricValue& {
          return category.values[i];
        });
    means[i] = average.means[i].value;
  }
  Average::Mean& mad = average.means[static_cast<std::size_t>(Metric::kMad)];
  mad.value = mean_of_metrics(means);
  mad.categories = categories.size();
  mad.defined = static_cast<std::size_t>(
      std::count_if(categories.begin(), categories.end(), [](const auto& category) {
        return category.value(Metric::kMad).value.has_value();
      }));
  return average;
}

std::vector<std::pair<std::string, Average::Mean>> average_extra(
    std::span<const CategoryResult> categories, bool skip_undefined) {
  std::vector<std::pair<std::string, Average::Mean>> means;
  const std::size_t figures = categories.empty() ? 0 : categories.front().extra.size();
  for (std::size_t i = 0; i < figures; ++i) {
    means.emplace_back(
        categories.front().extra[i].key,
        mean_over(categories, skip_undefined, [i](const auto& category) -> const MetricValue& {
          return category.extra[i].value;
        }));
  }
  return means;
}

}  // namespace adb
