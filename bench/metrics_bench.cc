// Parts of the metrics, each by itself. See metric_speed for the whole.
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "metrics/components.h"
#include "metrics/evaluate.h"
#include "metrics/image_score.h"
#include "metrics/pixel_ranking.h"
#include "metrics/score_key.h"

#include "bench/radix_sort.h"
#include "bench/synthetic_category.h"

namespace adb::bench {
namespace {

const SyntheticCategory& category() {
  static const SyntheticCategory category(83, 20, 256, 1);
  return category;
}

void count_pixels(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(category().num_pixels()));
}

void sort_scores(benchmark::State& state) {
  std::vector<std::uint32_t> keys(category().num_pixels());
  std::vector<std::uint32_t> scratch(keys.size());
  for (auto _ : state) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = score_key(category().scores()[i]);
    }
    radix_sort(keys, scratch);
    benchmark::DoNotOptimize(keys.data());
  }
  count_pixels(state);
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
BENCHMARK(pool_maps)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adb::bench

BENCHMARK_MAIN();
