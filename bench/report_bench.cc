// How long reports take on a store of 1,000 runs of 15 classes and 100 epochs. `--make FILE` writes
// that store to a file instead, for measuring whole commands.
#include <cstdio>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "reports/render.h"

#include "bench/synthetic_store.h"

namespace adb::bench {
namespace {

const Store& store() {
  static const Store filled = [] {
    Store made = Store::in_memory();
    fill_store(made, StoreSize{});
    return made;
  }();
  return filled;
}

void read_runs(benchmark::State& state) {
  store();  // filled outside of what is timed
  for ([[maybe_unused]] auto _ : state) {
    const auto runs = read_report_runs(store());
    if (runs.size() != 1000 || runs.front().metrics.size() != 2 * 16 * 8) {
      state.SkipWithError("not the rows that were stored");
    }
  }
}
BENCHMARK(read_runs)->Unit(benchmark::kMillisecond);

void build(benchmark::State& state) {
  const auto runs = read_report_runs(store());
  for ([[maybe_unused]] auto _ : state) {
    const auto report = build_report(runs);
    if (report.groups.size() != 200 || report.means.rows.size() != 400) {
      state.SkipWithError("not the groups that were stored");
    }
  }
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

void render(benchmark::State& state) {
  const auto report = build_report(read_report_runs(store()));
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(render_report(report, static_cast<ReportFormat>(state.range(0))));
  }
}
BENCHMARK(render)
    ->Arg(static_cast<int>(ReportFormat::kTerminal))
    ->Arg(static_cast<int>(ReportFormat::kMarkdown))
    ->Arg(static_cast<int>(ReportFormat::kCsv))
    ->Arg(static_cast<int>(ReportFormat::kJson))
    ->Arg(static_cast<int>(ReportFormat::kLatex))
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace adb::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--make") {
    try {
      auto store = adb::Store::open_for_write(argv[2]);
      adb::bench::fill_store(store, adb::bench::StoreSize{});
      store.close();
      return 0;
    } catch (const std::exception& e) {
      fmt::print(stderr, "report_bench: {}\n", e.what());
      return 1;
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
