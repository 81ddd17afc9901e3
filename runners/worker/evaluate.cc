#include "runners/worker/evaluate.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <ATen/ops/empty.h>

#include "images/codec.h"
#include "images/resize.h"
#include "methods/optional.h"
#include "metrics/curve_points.h"
#include "metrics/evaluate.h"
#include "runners/worker/thumbnails.h"
#include "tensor/maps.h"

namespace adb {
namespace {

// Thumbnails of a category. The page shows the worst first, and a run of Real-IAD has 150,000
// images.
constexpr std::size_t kMaxThumbnails = 40;

std::vector<std::filesystem::path> paths(const std::vector<wire::JobSample>& samples) {
  std::vector<std::filesystem::path> files;
  for (const auto& sample : samples) {
    files.push_back(sample.image);
  }
  return files;
}

Json metrics_json(const std::array<MetricValue, kNumMetrics>& values) {
  Json json = Json::object();
  for (const auto& info : kMetrics) {
    const auto& value = values[static_cast<std::size_t>(info.metric)];
    auto& entry = json[std::string(info.key)];
    entry = {{"value", value.value ? Json(*value.value) : Json(nullptr)}};
    if (!value.value) {
      entry["reason"] = value.reason;
    }
  }
  return json;
}

SampleFunction test_sample(const Method& method) {
  const auto* changes = dynamic_cast<const ChangesTestImages*>(&method);
  return changes == nullptr ? SampleFunction() : changes->test_sample();
}

}  // namespace

// Predictions for the images of one category.
struct Evaluator::Category {
  std::vector<std::size_t> tests;  // index in job.test
  std::vector<float> maps;         // [N, S, S]
  std::vector<float> scores, ader_scores;
  std::vector<std::uint8_t> labels;
};

Evaluator::Evaluator(const wire::Job& job,
                     const MethodEntry& entry,
                     const Method& method,
                     std::int64_t budget_bytes,
                     ThreadPool& pool,
                     const Ranks& ranks)
    : job_(job),
      entry_(entry),
      input_(method.input()),
      pool_(pool),
      ranks_(ranks),
      streams_(job.seed),
      sample_(test_sample(method)),
      images_(paths(job.test), kept_side(input_, sample_), budget_bytes / 4),
      features_(sample_ ? "off" : job.feature_cache,
                static_cast<std::int64_t>(job.test.size()),
                budget_bytes / 4 * 3,
                job.folder / fmt::format("test-features-{}.cache", ranks.rank())),
      masks_(job.test.size()) {}

std::vector<std::uint8_t> Evaluator::mask(std::size_t test_index) {
  const auto& sample = job_.test[test_index];
  const int side = static_cast<int>(input_.image_size);
  if (!sample.mask) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(side) *
                                     static_cast<std::size_t>(side));
  }
  const auto mask = read_mask(*sample.mask);
  const auto info = probe_image(sample.image);
  ADB_CHECK(mask.width == info.width && mask.height == info.height,
            ErrorKind::kData,
            "mask '{}' has {} x {} pixels, its image {} x {}",
            sample.mask->string(),
            mask.width,
            mask.height,
            info.width,
            info.height);
  return resize_mask(mask, side, side);
}

Evaluation Evaluator::run(Method& method, std::int64_t epoch, bool keep) {
  const auto plane = static_cast<std::size_t>(input_.image_size * input_.image_size);
  Evaluation evaluation;
  Json categories = Json::array();
  std::vector<CategoryResult> results;
  for (const auto& name : job_.categories) {
    Category category;
    for (std::size_t i = 0; i < job_.test.size(); ++i) {
      if (job_.test[i].category == name) {
        category.tests.push_back(i);
        category.labels.push_back(job_.test[i].anomalous);
      }
    }
    predict(method, epoch, &category);
    gather(&category);
    if (!ranks_.lead()) {
      continue;
    }
    const auto input = input_of(category);
    const auto result = score(name, input);
    Json scores = Json::array();
    for (std::size_t i = 0; i < category.tests.size(); ++i) {
      const auto& sample = job_.test[category.tests[i]];
      scores.push_back({{"sample", sample.id},
                        {"anomalous", sample.anomalous},
                        {"score", category.scores[i]},
                        {"ader_score", category.ader_scores[i]}});
    }
    categories.push_back({{"category", name},
                          {"metrics", metrics_json(result.values)},
                          {"counts", counts(result, category)},
                          {"scores", scores}});
    results.push_back(result);
    if (keep) {
      add_report_material(name, category, input, &evaluation);
      if (job_.save_maps != "none") {
        keep_maps(name, category, plane, &evaluation);
      }
    }
  }
  if (!ranks_.lead()) {
    return evaluation;
  }
  const auto means = average(results, /*skip_undefined=*/false);
  std::array<MetricValue, kNumMetrics> values;
  for (std::size_t m = 0; m < kNumMetrics; ++m) {
    values[m] = means.means[m].value;
  }
  evaluation.event = {{"categories", categories}, {"mean", metrics_json(values)}};
  evaluation.mean_pixel_auroc = values[static_cast<std::size_t>(Metric::kPixelAuroc)].value;
  return evaluation;
}

void Evaluator::predict(Method& method, std::int64_t epoch, Category* category) {
  // This rank's images: the r-th part of the category.
  const auto all = category->tests.size();
  const auto rank = static_cast<std::size_t>(ranks_.rank());
  const auto ranks = static_cast<std::size_t>(ranks_.size());
  const auto begin = all * rank / ranks, end = all * (rank + 1) / ranks;
  const auto n = end - begin;
  const auto plane = static_cast<std::size_t>(input_.image_size * input_.image_size);
  category->maps.resize(n * plane);
  std::vector<BatchRequest> requests;
  for (std::size_t first = 0; first < n; first += static_cast<std::size_t>(input_.batch)) {
    BatchRequest request;
    for (std::size_t i = first; i < std::min(n, first + static_cast<std::size_t>(input_.batch));
         ++i) {
      request.ids.push_back(static_cast<std::int64_t>(category->tests[begin + i]));
    }
    request.epoch = epoch;
    // A stream for each test image, whichever rank and batch it is in.
    request.first_position = request.ids.front();
    request.pixels = !(input_.features_suffice && features_.has(request.ids));
    requests.push_back(std::move(request));
  }
  BatchSequence batches(
      images_, input_, sample_, "test_sample", nullptr, streams_, pool_, requests);
  std::size_t done = 0;
  for (std::size_t k = 0; k < requests.size(); ++k) {
    auto batch = batches.next();
    to_device(&batch, at::Device(job_.device));
    if (features_.has(batch.ids)) {
      batch.features = features_.get(batch.ids);
      to_device(&batch, at::Device(job_.device));
    } else if (batch.features = method.features(batch.images); !batch.features.empty()) {
      features_.put(batch.ids, batch.features);
    }
    const auto prediction = method.predict(batch);
    const auto maps = prediction.maps.to(at::kCPU, at::kFloat).contiguous();
    ADB_ASSERT(maps.numel() == static_cast<std::int64_t>(batch.ids.size() * plane) &&
               prediction.scores.size() == batch.ids.size());
    std::copy_n(maps.const_data_ptr<float>(),
                maps.numel(),
                category->maps.begin() + static_cast<std::ptrdiff_t>(done * plane));
    const auto ader =
        pooled_maximum(prediction.maps, std::min(entry_.ader_pool, input_.image_size));
    for (std::size_t i = 0; i < batch.ids.size(); ++i) {
      category->scores.push_back(static_cast<float>(prediction.scores[i]));
      category->ader_scores.push_back(static_cast<float>(ader[i]));
    }
    done += batch.ids.size();
  }
}

// At the lead: the whole category, in its order.
void Evaluator::gather(Category* category) const {
  if (ranks_.size() == 1) {
    return;
  }
  category->maps = ranks_.gather(category->maps);
  category->scores = ranks_.gather(category->scores);
  category->ader_scores = ranks_.gather(category->ader_scores);
}

CategoryInput Evaluator::input_of(const Category& category) {
  const auto side = static_cast<std::size_t>(input_.image_size);
  CategoryInput input;
  input.height = input.width = side;
  std::int64_t unmasked = 0;
  for (std::size_t i = 0; i < category.tests.size(); ++i) {
    const auto test = category.tests[i];
    if (masks_[test].empty()) {
      masks_[test] = mask(test);
    }
    input.maps.emplace_back(category.maps.data() + i * side * side, side * side);
    input.masks.emplace_back(masks_[test]);
    unmasked += job_.test[test].anomalous && !job_.test[test].mask;
  }
  if (unmasked > 0) {
    input.masks.clear();
    input.without_masks = true;
  }
  input.image_labels = category.labels;
  input.image_scores = category.scores;
  input.ader_image_scores = category.ader_scores;
  input.image_name = [this, &category](std::size_t i) {
    return fmt::format("'{}'", job_.test[category.tests[i]].id);
  };
  return input;
}

CategoryResult Evaluator::score(const std::string& name, const CategoryInput& input) const {
  EvaluationOptions options;
  options.mode = job_.metric_mode == "ader" ? MetricMode::kAder : MetricMode::kExact;
  options.fpr_limit = job_.fpr_limit;
  options.threads = static_cast<int>(job_.threads);
  try {
    return evaluate_category(input, options);
  } catch (const Error& e) {
    throw Error(e.kind() == ErrorKind::kData ? ErrorKind::kNumeric : e.kind(),
                fmt::format("category '{}': {}", name, e.what()));
  }
}

Json Evaluator::counts(const CategoryResult& result, const Category& category) const {
  std::int64_t anomalous = 0, changed = 0;
  for (const auto test : category.tests) {
    const auto& sample = job_.test[test];
    anomalous += sample.anomalous;
    const auto& mask = masks_[test];
    const bool by_mask =
        std::any_of(mask.begin(), mask.end(), [](std::uint8_t m) { return m != 0; });
    changed += sample.mask && by_mask != sample.anomalous;
  }
  return {{"images", category.tests.size()},
          {"anomalous", anomalous},
          {"components", result.components},
          {"labels_changed", changed}};
}

// Anomalous images with the lowest scores and normal ones with the highest, judged against the
// middle between the two groups' means.
std::vector<std::size_t> Evaluator::worst_first(const Category& category) const {
  double sums[2] = {0, 0}, numbers[2] = {0, 0};
  for (std::size_t i = 0; i < category.tests.size(); ++i) {
    const bool anomalous = category.labels[i] != 0;
    sums[anomalous] += category.scores[i];
    numbers[anomalous] += 1;
  }
  const double middle =
      (sums[0] / std::max(1.0, numbers[0]) + sums[1] / std::max(1.0, numbers[1])) / 2;
  const auto wrongness = [&](std::size_t i) {
    const double above = category.scores[i] - middle;
    return category.labels[i] != 0 ? -above : above;
  };
  std::vector<std::size_t> order(category.tests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(
      order.begin(), order.end(), [&](auto a, auto b) { return wrongness(a) > wrongness(b); });
  return order;
}

void Evaluator::add_report_material(const std::string& name,
                                    const Category& category,
                                    const CategoryInput& input,
                                    Evaluation* evaluation) const {
  evaluation->curves.push_back(curve_points(input, job_.fpr_limit));
  evaluation->curves.back().category = name;
  const auto scale = map_scale(input.maps);
  auto order = worst_first(category);
  order.resize(std::min(order.size(), kMaxThumbnails));
  for (const auto i : order) {
    const auto& sample = job_.test[category.tests[i]];
    const auto image = images_.image(static_cast<std::int64_t>(category.tests[i]));
    const bool masked = !sample.anomalous || sample.mask;
    auto thumbnail =
        make_thumbnail(*image,
                       masked ? std::span<const std::uint8_t>(masks_[category.tests[i]])
                              : std::span<const std::uint8_t>(),
                       input.maps[i],
                       input.width,
                       scale);
    thumbnail.category = name;
    thumbnail.sample = sample.id;
    thumbnail.anomalous = sample.anomalous;
    thumbnail.score = category.scores[i];
    evaluation->thumbnails.push_back(std::move(thumbnail));
  }
}

void Evaluator::keep_maps(const std::string& name,
                          const Category& category,
                          std::size_t plane,
                          Evaluation* evaluation) const {
  auto chosen = worst_first(category);
  if (job_.save_maps.starts_with("worst:")) {
    chosen.resize(std::min<std::size_t>(chosen.size(), std::stoul(job_.save_maps.substr(6))));
  }
  std::sort(chosen.begin(), chosen.end());
  auto& maps = evaluation->maps[name];
  for (const auto i : chosen) {
    const auto begin = category.maps.begin() + static_cast<std::ptrdiff_t>(i * plane);
    maps.insert(maps.end(), begin, begin + static_cast<std::ptrdiff_t>(plane));
    evaluation->map_samples[name].push_back(job_.test[category.tests[i]].id);
  }
}

}  // namespace adb
