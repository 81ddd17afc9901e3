// Parts of the metrics, each by itself. See metric_speed for the whole.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "metrics/bootstrap.h"
#include "metrics/components.h"
#include "metrics/evaluate.h"
#include "metrics/image_score.h"
#include "metrics/pixel_ranking.h"
#include "metrics/score_key.h"
#include "tests/metrics/brute_force.h"

#include "bench/check.h"
#include "bench/radix_sort.h"
#include "bench/synthetic_category.h"

namespace adb::bench {
namespace {

bool near(double a, double b) {
  return std::abs(a - b) < 1e-12;
}

// What the parts must agree with, found by other roads.
struct Answers {
  std::uint64_t normal = 0, anomalous = 0;  // pixels
  std::uint64_t components = 0;
  double pixel_auroc = 0;
  double image_auroc = 0;
};

double auroc(std::span<const float> scores, const std::vector<std::uint8_t>& labels) {
  std::vector<std::pair<float, std::uint8_t>> items;
  items.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    items.emplace_back(scores[i], labels[i]);
  }
  std::sort(items.begin(), items.end());
  double pairs = 0, normal_below = 0, anomalous = 0;
  for (std::size_t begin = 0, end = 0; begin < items.size(); begin = end) {
    double group[2] = {0, 0};
    for (; end < items.size() && items[end].first == items[begin].first; ++end) {
      ++group[items[end].second];
    }
    pairs += group[1] * (normal_below + group[0] / 2);
    normal_below += group[0];
    anomalous += group[1];
  }
  return pairs / (normal_below * anomalous);
}

Answers answers_of(const SyntheticCategory& category) {
  const CategoryInput input = category.input();
  Answers answers;
  std::vector<std::uint8_t> labels;
  for (const auto mask : input.masks) {
    int found = 0;
    testing::flood_fill(mask, input.width, true, found);
    answers.components += static_cast<std::uint64_t>(found);
    labels.insert(labels.end(), mask.begin(), mask.end());
  }
  answers.anomalous = static_cast<std::uint64_t>(std::count(labels.begin(), labels.end(), 1));
  answers.normal = labels.size() - answers.anomalous;
  answers.pixel_auroc = auroc(category.scores(), labels);
  answers.image_auroc =
      auroc(input.image_scores, {input.image_labels.begin(), input.image_labels.end()});
  return answers;
}

struct Category {
  SyntheticCategory data;
  Answers answers;
};

// One at a time is kept.
const Category& checked_category(std::size_t images = 83, std::size_t normal = 20) {
  static std::unique_ptr<const Category> made;
  static std::size_t made_images = 0, made_normal = 0;
  if (made == nullptr || made_images != images || made_normal != normal) {
    SyntheticCategory data(images, normal, 256, 1);
    const Answers answers = answers_of(data);
    made = std::make_unique<const Category>(Category{std::move(data), answers});
    made_images = images;
    made_normal = normal;
  }
  return *made;
}

const SyntheticCategory& category() {
  return checked_category().data;
}

// AUROC is exact in both modes.
void require_figures(const CategoryResult& result, const Answers& answers) {
  require(near(result.value(Metric::kPixelAuroc).value.value(), answers.pixel_auroc),
          "pixel AUROC");
  require(near(result.value(Metric::kImageAuroc).value.value(), answers.image_auroc),
          "image AUROC");
  require(result.components == answers.components, "number of components");
}

void require_ranking(const PixelRanking& ranking, const Answers& answers) {
  require(ranking.num_anomalous() == answers.anomalous && ranking.num_normal() == answers.normal &&
              ranking.num_components() == answers.components,
          "counts of pixels and components");
}

void count_pixels(benchmark::State& state, const SyntheticCategory& of = category()) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(of.num_pixels()));
}

void sort_category(benchmark::State& state, const SyntheticCategory& category) {
  std::vector<std::uint32_t> unsorted(category.num_pixels());
  std::transform(category.scores().begin(), category.scores().end(), unsorted.begin(), score_key);
  std::vector<std::uint32_t> keys(unsorted.size());
  std::vector<std::uint32_t> scratch(keys.size());
  for (auto _ : state) {
    state.PauseTiming();
    std::copy(unsorted.begin(), unsorted.end(), keys.begin());
    state.ResumeTiming();
    radix_sort(keys, scratch);
    benchmark::DoNotOptimize(keys.data());
  }
  std::sort(unsorted.begin(), unsorted.end());
  require(keys == unsorted, "the order of the sorted keys");
  count_pixels(state, category);
}

void sort_scores(benchmark::State& state) {
  sort_category(state, category());
}

const Category& category_of(const benchmark::State& state) {
  return checked_category(static_cast<std::size_t>(state.range(0)),
                          static_cast<std::size_t>(state.range(1)));
}

void sort_of_size(benchmark::State& state) {
  sort_category(state, category_of(state).data);
}

void evaluate_of_size(benchmark::State& state) {
  const auto& [category, answers] = category_of(state);
  const CategoryInput input = category.input();
  require_figures(evaluate_category(input, {}), answers);
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate_category(input, {}));
  }
  count_pixels(state, category);
}

// Every size that a category of MVTec AD or VisA has: test images, of these normal.
void all_sizes(benchmark::internal::Benchmark* benchmark) {
  std::set<std::pair<std::size_t, std::size_t>> sizes;
  for (const auto& data_set : {mvtec_sizes(), visa_sizes()}) {
    for (const CategorySize& size : data_set) {
      sizes.emplace(size.images, size.normal);
    }
  }
  for (const auto& [images, normal] : sizes) {
    benchmark->Args({static_cast<std::int64_t>(images), static_cast<std::int64_t>(normal)});
  }
}

void check(benchmark::State& state) {
  const CategoryInput input = category().input();
  const auto anomalous = check_input(input, 1).anomalous_pixels;
  require(std::accumulate(anomalous.begin(), anomalous.end(), std::uint64_t{0}) ==
              checked_category().answers.anomalous,
          "number of anomalous pixels");
  for (auto _ : state) {
    benchmark::DoNotOptimize(check_input(input, 1));
  }
  count_pixels(state);
}

void label_components(benchmark::State& state) {
  const CategoryInput input = category().input();
  require(count_components(input, Connectivity::kEight) == checked_category().answers.components,
          "number of components");
  for (auto _ : state) {
    benchmark::DoNotOptimize(count_components(input, Connectivity::kEight));
  }
  count_pixels(state);
}

void rank_pixels(benchmark::State& state) {
  const CategoryInput input = category().input();
  const InputCounts counts = check_input(input, 1);
  for (auto _ : state) {
    const PixelRanking ranking(
        input, counts.anomalous_pixels, Connectivity::kEight, static_cast<int>(state.range(0)));
    require_ranking(ranking, checked_category().answers);
  }
  count_pixels(state);
}

void finish_figures(benchmark::State& state) {
  const CategoryInput input = category().input();
  const PixelRanking ranking(
      input, check_input(input, 1).anomalous_pixels, Connectivity::kEight, 1);
  require(near(ranking.figures().auroc, checked_category().answers.pixel_auroc), "pixel AUROC");
  const auto whole = evaluate_category(input, {});
  require(ranking.aupro(0.3) == whole.value(Metric::kPixelAupro).value, "AU-PRO");
  for (auto _ : state) {
    benchmark::DoNotOptimize(ranking.figures());
    benchmark::DoNotOptimize(ranking.aupro(0.3));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(ranking.num_anomalous()));
}

void evaluate(benchmark::State& state, MetricMode mode) {
  const CategoryInput input = category().input();
  EvaluationOptions options;
  options.mode = mode;
  options.threads = static_cast<int>(state.range(0));
  require_figures(evaluate_category(input, options), checked_category().answers);
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate_category(input, options));
  }
  count_pixels(state);
}

void further_figures(benchmark::State& state) {
  const CategoryInput input = category().input();
  EvaluationOptions options;
  options.extra = true;
  options.more_fpr_limits = {0.05, 1};
  const PixelRanking ranking(
      input, check_input(input, 1).anomalous_pixels, Connectivity::kEight, 1);
  const auto result = evaluate_category(input, options);
  require_figures(result, checked_category().answers);
  for (const auto& [key, limit] : {std::pair("pixel.aupro@0.05", 0.05), {"pixel.aupro@1", 1.0}}) {
    const auto found =
        std::find_if(result.extra.begin(), result.extra.end(), [name = key](const auto& figure) {
          return figure.key == name;
        });
    require(found != result.extra.end() && found->value.value == ranking.aupro(limit), key);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate_category(input, options));
  }
  count_pixels(state);
}

void resample_images(benchmark::State& state) {
  const CategoryInput input = category().input();
  BootstrapOptions options;
  options.threads = static_cast<int>(state.range(0));
  for (const auto& interval : bootstrap(input, options)) {
    const auto& answers = checked_category().answers;
    const double figure = interval.key == "image.auroc"   ? answers.image_auroc
                          : interval.key == "pixel.auroc" ? answers.pixel_auroc
                                                          : (interval.lower + interval.upper) / 2;
    require(interval.resamples == options.resamples && interval.lower < figure &&
                figure < interval.upper,
            "interval of " + interval.key);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(bootstrap(input, options));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options.resamples));
}

// Every window added up by itself.
double slow_pooled_max(std::span<const float> map, std::size_t width) {
  constexpr std::size_t kWindow = 16;
  double best = 0;
  for (std::size_t row = 0; row + kWindow <= map.size() / width; ++row) {
    for (std::size_t column = 0; column + kWindow <= width; ++column) {
      double sum = 0;
      for (std::size_t i = 0; i < kWindow * kWindow; ++i) {
        sum += static_cast<double>(map[(row + i / kWindow) * width + column + i % kWindow]);
      }
      best = std::max(best, sum / (kWindow * kWindow));
    }
  }
  return best;
}

void pool_maps(benchmark::State& state) {
  const CategoryInput input = category().input();
  require(near(pooled_max(input.maps[0], input.width), slow_pooled_max(input.maps[0], input.width)),
          "pooled maximum");
  for (auto _ : state) {
    for (const auto map : input.maps) {
      benchmark::DoNotOptimize(pooled_max(map, input.width));
    }
  }
  count_pixels(state);
}

BENCHMARK(sort_scores)->Unit(benchmark::kMillisecond);
BENCHMARK(check)->Unit(benchmark::kMillisecond);
BENCHMARK(label_components)->Unit(benchmark::kMillisecond);
BENCHMARK(rank_pixels)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(finish_figures)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(evaluate, exact, MetricMode::kExact)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(evaluate, ader, MetricMode::kAder)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(further_figures)->Unit(benchmark::kMillisecond);
BENCHMARK(resample_images)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(sort_of_size)->Apply(all_sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(evaluate_of_size)->Apply(all_sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(pool_maps)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adb::bench

int main(int argc, char** argv) {
  return adb::bench::run_benchmarks(argc, argv);
}
