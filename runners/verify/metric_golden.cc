#include "runners/verify/metric_golden.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "formats/safetensors.h"
#include "metrics/evaluate.h"
#include "metrics/image_score.h"
#include "metrics/pixel_ranking.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMeanTolerance = 1e-12;  // of figures that have no tolerance of their own

// One category's part of the stored arrays.
struct Category {
  std::vector<std::size_t> images;  // in file order
  std::vector<std::uint8_t> labels;
  std::vector<float> scores;
};

struct Arrays {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> maps;  // [N, H, W]
  std::vector<std::uint8_t> masks;
  std::map<std::int64_t, Category> categories;

  std::span<const float> map(std::size_t image) const {
    return std::span(maps).subspan(image * height * width, height * width);
  }

  CategoryInput input(const Category& category) const {
    CategoryInput input;
    input.height = height;
    input.width = width;
    for (const auto image : category.images) {
      input.maps.push_back(map(image));
      input.masks.push_back(std::span(masks).subspan(image * height * width, height * width));
    }
    input.image_labels = category.labels;
    input.image_scores = category.scores;
    return input;
  }
};

Arrays read_arrays(const GoldenFile& file) {
  const auto opened = SafetensorsFile::open(file.tensors, kKind);
  const auto& maps = opened.at("scores");
  const auto& masks = opened.at("masks");
  const auto& labels = opened.at("image_labels");
  ADB_CHECK(maps.dtype == DType::kF32 && maps.shape.size() == 3 && maps.shape[0] > 0 &&
                maps.shape[1] > 0 && maps.shape[2] > 0,
            kKind,
            "{}: scores: expected float32 [N, H, W], got {} {}",
            file.name,
            dtype_name(maps.dtype),
            shape_text(maps.shape));
  ADB_CHECK(masks.dtype == DType::kU8 && masks.shape == maps.shape,
            kKind,
            "{}: masks: expected uint8 {}",
            file.name,
            shape_text(maps.shape));
  const std::vector<std::int64_t> per_image = {maps.shape[0]};
  ADB_CHECK(labels.dtype == DType::kU8 && labels.shape == per_image &&
                opened.at("image_scores").shape == per_image,
            kKind,
            "{}: image_labels, image_scores: expected {} of either",
            file.name,
            maps.shape[0]);
  Arrays arrays;
  arrays.height = static_cast<std::size_t>(maps.shape[1]);
  arrays.width = static_cast<std::size_t>(maps.shape[2]);
  arrays.maps = to_floats(maps, file.name, kKind);
  arrays.masks.assign(masks.bytes.begin(), masks.bytes.end());
  const auto scores = to_floats(opened.at("image_scores"), file.name, kKind);
  std::vector<double> category(scores.size(), 0);
  if (const auto* array = opened.find("category"); array != nullptr) {
    ADB_CHECK(array->shape == per_image, kKind, "{}: category: expected one per image", file.name);
    category = to_doubles(*array, file.name, kKind);
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    ADB_CHECK(std::abs(category[i]) < 1e9, kKind, "{}: category: impossible number", file.name);
    auto& its = arrays.categories[static_cast<std::int64_t>(category[i])];
    its.images.push_back(i);
    its.labels.push_back(labels.bytes[i]);
    its.scores.push_back(scores[i]);
  }
  return arrays;
}

// Collects the rows of a case; every function's `want` is a value of the case file.
class Rows {
 public:
  explicit Rows(std::string where) : where_(std::move(where)) {}

  const Json& at(const Json& object, const std::string& key) const {
    return json_at(object, key, where_, kKind);
  }

  // A figure, or null where it must be undefined.
  void figure(const std::string& path,
              const std::optional<double>& got,
              const Json& want,
              double tolerance) {
    if (want.is_null()) {
      note(path, got ? fmt::format("is {}, expected undefined", *got) : "");
      return;
    }
    if (!got) {
      note(path, "is undefined");
      return;
    }
    number(path, *got, json_number(want, where_ + ": " + path, kKind), tolerance);
  }

  void number(const std::string& path, double got, double want, double tolerance) {
    VerifyRow row;
    row.path = path;
    row.got = got;
    row.want = want;
    const double deviation = std::abs(got - want);
    row.ratio = deviation == 0                            ? 0
                : deviation <= kInfinity && tolerance > 0 ? deviation / tolerance
                                                          : kInfinity;
    rows_.push_back(std::move(row));
  }

  template <class Count>
  void equal(const std::string& path, Count got, const Json& want) {
    number(path, static_cast<double>(got), json_number(want, where_ + ": " + path, kKind), 0);
  }

  void text(const std::string& path, const std::string& got, const Json& want) {
    const auto expected = want.is_string() ? want.get<std::string>() : want.dump();
    note(path, got == expected ? "" : fmt::format("is {}, expected {}", got, expected));
  }

  // Passes without a note.
  void note(const std::string& path, const std::string& note) {
    VerifyRow row;
    row.path = path;
    row.note = note;
    row.ratio = note.empty() ? 0 : kInfinity;
    rows_.push_back(std::move(row));
  }

  std::vector<VerifyRow> take() { return std::move(rows_); }

 private:
  std::string where_;
  std::vector<VerifyRow> rows_;
};

double tolerance_of(const Rows& rows, const Json& tolerances, const std::string& figure) {
  return json_number(rows.at(tolerances, figure), "tolerance: " + figure, kKind);
}

// Figures of the image or pixel level that `expected` names.
void compare_level(Rows& rows,
                   const std::string& path,
                   const std::string& level,
                   const CategoryResult& result,
                   const Json& expected,
                   const Json& tolerances,
                   bool exact) {
  for (const std::string figure : {"auroc", "ap", "f1_max", "aupro"}) {
    if (const auto metric = find_metric(level + "." + figure)) {
      rows.figure(fmt::format("{}/{}/{}", path, level, figure),
                  result.value(*metric).value,
                  rows.at(expected, figure),
                  tolerance_of(rows, tolerances, exact ? figure : "ader"));
    }
  }
}

void compare_ranking(Rows& rows,
                     const std::string& path,
                     const std::optional<RankingFigures>& figures,
                     const Json& expected) {
  for (const auto& [key, got] : std::initializer_list<std::pair<std::string, std::string>>{
           {"auroc_ratio",
            figures ? fmt::format("{}/{}", figures->auroc_numerator, figures->auroc_denominator)
                    : "null"},
           {"f1_max_ratio",
            figures ? fmt::format("{}/{}", figures->f1_numerator, figures->f1_denominator)
                    : "null"}}) {
    if (expected.contains(key)) {
      rows.text(path + "/" + key, got, expected[key]);
    }
  }
  const auto threshold = [&](const char* key, float RankingFigures::*member) {
    std::optional<double> got;
    if (figures) {
      got = static_cast<double>((*figures).*member);
    }
    rows.figure(path + "/" + key, got, rows.at(expected, key), 0);
  };
  threshold("f1_threshold_lowest", &RankingFigures::f1_threshold_lowest);
  threshold("f1_threshold_highest", &RankingFigures::f1_threshold_highest);
}

void compare_exact(Rows& rows,
                   const std::string& path,
                   const CategoryInput& input,
                   const Json& expected,
                   const Json& tolerances) {
  const auto result = evaluate_category(input, {});
  const auto& pixel = rows.at(expected, "pixel");
  compare_level(rows, path, "image", result, rows.at(expected, "image"), tolerances, true);
  compare_level(rows, path, "pixel", result, pixel, tolerances, true);
  compare_ranking(rows, path + "/image", result.image, expected["image"]);
  compare_ranking(rows, path + "/pixel", result.pixel, pixel);
  rows.figure(
      path + "/mad", result.value(Metric::kMad).value, rows.at(expected, "mad"), kMeanTolerance);
  Json undefined = Json::array();
  for (const auto& info : kMetrics) {
    if (!result.value(info.metric).value) {
      undefined.push_back(std::string(info.key));
    }
  }
  rows.text(path + "/undefined", undefined.dump(), rows.at(expected, "undefined"));

  const double allowed = tolerance_of(rows, tolerances, "aupro");
  EvaluationOptions four;
  four.connectivity = Connectivity::kFour;
  rows.figure(path + "/pixel/aupro_connectivity_4",
              evaluate_category(input, four).value(Metric::kPixelAupro).value,
              rows.at(pixel, "aupro_connectivity_4"),
              allowed);
  constexpr std::string_view kLimit = "aupro_limit_";
  for (const auto& [key, want] : pixel.items()) {
    if (key.starts_with(kLimit)) {
      EvaluationOptions other;
      other.fpr_limit = std::strtod(key.c_str() + kLimit.size(), nullptr);
      rows.figure(path + "/pixel/" + key,
                  evaluate_category(input, other).value(Metric::kPixelAupro).value,
                  want,
                  allowed);
    }
  }
  if (const auto& at_fpr = rows.at(pixel, "pro_at_fpr"); at_fpr.is_object() && result.pixel) {
    const PixelRanking ranking(
        input, check_input(input, 1).anomalous_pixels, Connectivity::kEight, 1);
    for (const auto& [key, want] : at_fpr.items()) {
      const double fpr = std::strtod(key.c_str(), nullptr);
      ADB_CHECK(fpr >= 0 && fpr <= 1, kKind, "{}/pro_at_fpr: '{}' is not a rate", path, key);
      rows.figure(path + "/pixel/pro_at_fpr/" + key, ranking.pro_at_fpr(fpr), want, kMeanTolerance);
    }
  } else {
    rows.note(path + "/pixel/pro_at_fpr",
              at_fpr.is_null() == !result.pixel ? "" : "is undefined on one side only");
  }
}

void compare_ader(Rows& rows,
                  const std::string& path,
                  const CategoryInput& input,
                  const Json& expected,
                  const Json& tolerances) {
  EvaluationOptions options;
  options.mode = MetricMode::kAder;
  const auto result = evaluate_category(input, options);
  const auto& pixel = rows.at(expected, "pixel");
  const double allowed = tolerance_of(rows, tolerances, "ader");
  compare_level(rows, path, "image", result, rows.at(expected, "image"), tolerances, false);
  compare_level(rows, path, "pixel", result, pixel, tolerances, false);
  rows.figure(path + "/mad", result.value(Metric::kMad).value, rows.at(expected, "mad"), allowed);
  ADB_ASSERT(result.ader.has_value());
  rows.text(path + "/image_labels_from_masks",
            Json(result.ader->image_labels).dump(),
            rows.at(expected, "image_labels_from_masks"));
  rows.equal(
      path + "/pixel/aupro_points", result.ader->aupro_points, rows.at(pixel, "aupro_points"));
  if (pixel.contains("aupro_steps_200")) {
    options.ader_steps = 200;
    const auto finer = evaluate_category(input, options);
    ADB_ASSERT(finer.ader.has_value());
    rows.figure(path + "/pixel/aupro_steps_200",
                finer.value(Metric::kPixelAupro).value,
                pixel["aupro_steps_200"],
                allowed);
    rows.equal(path + "/pixel/aupro_steps_200_points",
               finer.ader->aupro_points,
               rows.at(pixel, "aupro_steps_200_points"));
  }
}

void compare_counts(Rows& rows,
                    const std::string& path,
                    const CategoryInput& input,
                    const Json& expected) {
  EvaluationOptions four;
  four.connectivity = Connectivity::kFour;
  const auto result = evaluate_category(input, {});
  rows.equal(
      path + "/anomalous_pixels", result.anomalous_pixels, rows.at(expected, "anomalous_pixels"));
  rows.equal(path + "/normal_pixels", result.normal_pixels, rows.at(expected, "normal_pixels"));
  rows.equal(
      path + "/anomalous_images", result.anomalous_images, rows.at(expected, "anomalous_images"));
  rows.equal(path + "/normal_images",
             result.num_images - result.anomalous_images,
             rows.at(expected, "normal_images"));
  rows.equal(path + "/components_8", result.components, rows.at(expected, "components_8"));
  rows.equal(path + "/components_4",
             evaluate_category(input, four).components,
             rows.at(expected, "components_4"));
  rows.equal(path + "/distinct_scores",
             count_distinct_scores(input.maps),
             rows.at(expected, "distinct_scores"));
}

void compare_image_scores(Rows& rows,
                          const std::string& path,
                          const Arrays& arrays,
                          const Category& category,
                          const Json& expected) {
  for (const std::string kind : {"max", "mean", "avgpool16_stride1_max"}) {
    const auto& wanted = rows.at(expected, kind);
    const auto place = path + "/" + kind;
    ADB_CHECK(wanted.is_array() && wanted.size() == category.images.size(),
              kKind,
              "{}: expected one per image",
              place);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto map = arrays.map(category.images[i]);
      const double want = json_number(wanted[i], place, kKind);
      const double got = kind == "max"    ? static_cast<double>(max_score(map))
                         : kind == "mean" ? mean_score(map)
                                          : pooled_max(map, arrays.width);
      rows.number(
          fmt::format("{}/{}", place, i), got, want, kind == "max" ? 0 : 1e-12 * std::abs(want));
    }
  }
}

// `expected` of a case, or one entry of its `categories`.
void compare_category(Rows& rows,
                      const std::string& path,
                      const Arrays& arrays,
                      const Category& category,
                      const Json& expected,
                      const Json* counts,
                      const Json& tolerances) {
  const auto input = arrays.input(category);
  compare_exact(rows, path + "exact", input, rows.at(expected, "exact"), tolerances);
  if (expected.contains("ader")) {
    compare_ader(rows, path + "ader", input, expected["ader"], tolerances);
  }
  if (counts != nullptr) {
    compare_counts(rows, path + "counts", input, *counts);
  }
  if (expected.contains("image_score_from_map")) {
    compare_image_scores(
        rows, path + "image_score_from_map", arrays, category, expected["image_score_from_map"]);
  }
}

void compare_average(Rows& rows, const Arrays& arrays, const Json& expected) {
  std::vector<CategoryResult> results;
  for (const auto& [number, category] : arrays.categories) {
    results.push_back(evaluate_category(arrays.input(category), {}));
  }
  const auto strict = average(results, false), skipping = average(results, true);
  const auto& means = rows.at(expected, "average");
  for (std::size_t i = 0; i < kNumBaseMetrics; ++i) {
    const std::string key(kMetrics[i].key);
    const auto path = "average/" + key;
    const auto& wanted = rows.at(means, key);
    rows.figure(
        path + "/mean", strict.means[i].value.value, rows.at(wanted, "mean"), kMeanTolerance);
    rows.figure(path + "/mean_over_defined",
                skipping.means[i].value.value,
                rows.at(wanted, "mean_over_defined"),
                kMeanTolerance);
    rows.equal(path + "/categories", strict.means[i].categories, rows.at(wanted, "categories"));
    rows.equal(path + "/defined", strict.means[i].defined, rows.at(wanted, "defined"));
  }
  rows.figure(
      "mad", strict.means[kNumBaseMetrics].value.value, rows.at(expected, "mad"), kMeanTolerance);
  rows.figure("mad_over_defined",
              skipping.means[kNumBaseMetrics].value.value,
              rows.at(expected, "mad_over_defined"),
              kMeanTolerance);
}

void compare_rejection(Rows& rows, const CategoryInput& input, const Json& expected) {
  try {
    evaluate_category(input, {});
    rows.note("reject", "the input was accepted");
  } catch (const RejectedInput& error) {
    const auto& rejection = error.rejection();
    const auto pixel = rejection.first_pixel ? Json(*rejection.first_pixel) : Json(nullptr);
    rows.text("reject/first_pixel", pixel.dump(), rows.at(expected, "first_pixel"));
    rows.text("reject/first_image",
              rejection.first_image ? std::to_string(*rejection.first_image) : "null",
              rows.at(expected, "first_image"));
    rows.equal("reject/count_nan", rejection.count_nan, rows.at(expected, "count_nan"));
    rows.equal("reject/count_inf", rejection.count_infinite, rows.at(expected, "count_inf"));
  }
}

std::vector<VerifyRow> check(const GoldenFile& file) {
  Rows rows(file.name);
  const auto arrays = read_arrays(file);
  const auto& expected = rows.at(file.json, "expected");
  const auto& tolerances = rows.at(file.json, "tolerance");
  ADB_CHECK(expected.is_object(), kKind, "{}: expected: expected an object", file.name);
  const auto& first = arrays.categories.begin()->second;
  if (expected.contains("reject")) {
    compare_rejection(rows, arrays.input(first), expected["reject"]);
  } else if (expected.contains("categories")) {
    for (const auto& wanted : expected["categories"]) {
      const auto number = json_int(rows.at(wanted, "category"), file.name, kKind);
      const auto found = arrays.categories.find(number);
      ADB_CHECK(found != arrays.categories.end(),
                kKind,
                "{}: no image of category {}",
                file.name,
                number);
      const auto path = fmt::format("categories/{}/", number);
      rows.equal(path + "images", found->second.images.size(), rows.at(wanted, "images"));
      const auto* counts = wanted.contains("counts") ? &wanted["counts"] : nullptr;
      compare_category(rows, path, arrays, found->second, wanted, counts, tolerances);
    }
    compare_average(rows, arrays, expected);
  } else {
    const auto* counts = file.json.contains("counts") ? &file.json["counts"] : nullptr;
    compare_category(rows, "", arrays, first, expected, counts, tolerances);
  }
  return rows.take();
}

}  // namespace

GoldenFunction metric_golden_function() {
  GoldenFunction function;
  function.cases = "metrics_*";
  function.check = check;
  return function;
}

}  // namespace adb
