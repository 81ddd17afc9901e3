// The Gaussian filter of the maps.
#include <algorithm>
#include <cmath>
#include <vector>

#include <benchmark/benchmark.h>

#include <ATen/ATen.h>

#include "core/seed.h"
#include "tensor/maps.h"

#include "bench/check.h"

namespace adb::bench {
namespace {

constexpr std::int64_t kSide = 256, kMaps = 8;
constexpr double kSigma = 4;

at::Tensor random_maps() {
  auto maps = at::empty({kMaps, kSide, kSide});
  Stream random(0, "filter_bench");
  std::generate_n(
      maps.data_ptr<float>(), maps.numel(), [&] { return static_cast<float>(random.uniform()); });
  return maps;
}

// One pixel of the last map, both axes at once, the border mirrored.
double slow_filter(const at::Tensor& maps, std::int64_t row, std::int64_t column) {
  const auto mirrored = [](std::int64_t i) {
    return i < 0 ? -i - 1 : i >= kSide ? 2 * kSide - 1 - i : i;
  };
  const auto* map = maps.data_ptr<float>() + (kMaps - 1) * kSide * kSide;
  const auto radius = static_cast<std::int64_t>(4 * kSigma + 0.5);
  double sum = 0, weights = 0;
  for (std::int64_t i = -radius; i <= radius; ++i) {
    for (std::int64_t j = -radius; j <= radius; ++j) {
      const double weight = std::exp(-static_cast<double>(i * i + j * j) / (2 * kSigma * kSigma));
      sum += weight * static_cast<double>(map[mirrored(row + i) * kSide + mirrored(column + j)]);
      weights += weight;
    }
  }
  return sum / weights;
}

void gaussian(benchmark::State& state) {
  const auto maps = random_maps();
  const auto smooth = gaussian_smooth(maps, kSigma).contiguous();
  const auto* map = smooth.data_ptr<double>() + (kMaps - 1) * kSide * kSide;
  for (std::int64_t i = 0; i < kSide; i += 15) {  // both corners among them
    require(std::abs(map[i * kSide + i] - slow_filter(maps, i, i)) < 1e-12, "a filtered pixel");
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(gaussian_smooth(maps, kSigma));
  }
  state.SetItemsProcessed(state.iterations() * kMaps);
}
BENCHMARK(gaussian)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adb::bench

int main(int argc, char** argv) {
  return adb::bench::run_benchmarks(argc, argv);
}
