// Parts of the metrics, each by itself. See metric_speed for the whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "metrics/bootstrap.h"
#include "metrics/components.h"
#include "metrics/evaluate.h"
#include "metrics/image_score.h"
#include "metrics/pixel_ranking.h"
#include "metrics/score_key.h"

#include "bench/radix_sort.h"
#include "bench/synthetic_category.h"

namespace adb::bench {
namespace {

// One at a time is kept.
const SyntheticCategory& category(std::size_t images = 83, std::size_t normal = 20) {
  static std::unique_ptr<const SyntheticCategory> made;
  static std::size_t made_images = 0, made_normal = 0;
  if (made == nullptr || made_images != images || made_normal != normal) {
    made = std::make_unique<const SyntheticCategory>(images, normal, 256, 1);
    made_images = images;
    made_normal = normal;
  }
  return *made;
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
  count_pixels(state, category);
}

void sort_scores(benchmark::State& state) {
  sort_category(state, category());
}

const SyntheticCategory& category_of(const benchmark::State& state) {
  return category(static_cast<std::size_t>(state.range(0)),
                  static_cast<std::size_t>(state.range(1)));
}

void sort_of_size(benchmark::State& state) {
  sort_category(state, category_of(state));
}

void evaluate_of_size(benchmark::State& state) {
  const SyntheticCategory& category = category_of(state);
  const CategoryInput input = category.input();
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
  for (auto _ : state) {
    benchmark::DoNotOptimize(check_input(input, 1));
  }
  count_pixels(state);
}

void label_components(benchmark::State& state) {
  const CategoryInput input = category().input();
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
    benchmark::DoNotOptimize(ranking.num_components());
  }
  count_pixels(state);
}

void finish_figures(benchmark::State& state) {
  const CategoryInput input = category().input();
  const PixelRanking ranking(
      input, check_input(input, 1).anomalous_pixels, Connectivity::kEight, 1);
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
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluate_category(input, options));
  }
  count_pixels(state);
}

void resample_images(benchmark::State& state) {
  const CategoryInput input = category().input();
  BootstrapOptions options;
  options.threads = static_cast<int>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bootstrap(input, options));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options.resamples));
}

void pool_maps(benchmark::State& state) {
  const CategoryInput input = category().input();
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

BENCHMARK_MAIN();
