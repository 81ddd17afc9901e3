// How long reports take on a store of 1,000 runs of 15 classes and 100 epochs. `--make FILE` writes
// that store to a file instead, for measuring whole commands.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/text.h"
#include "metrics/keys.h"
#include "reports/render.h"

#include "bench/check.h"
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
    require(runs.size() == 1000 && runs.front().metrics.size() == 2 * 16 * 8, "stored rows");
  }
}
BENCHMARK(read_runs)->Unit(benchmark::kMillisecond);

void build(benchmark::State& state) {
  const auto runs = read_report_runs(store());
  for ([[maybe_unused]] auto _ : state) {
    const auto report = build_report(runs);
    require(report.groups.size() == 200 && report.means.rows.size() == 400, "groups");
  }
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

// The eight means over the seeds of the first cell, as a format writes them.
std::vector<std::string> written_means(const std::vector<ReportRun>& runs, ReportFormat format) {
  const auto seeds = StoreSize{}.seeds;
  std::vector<std::string> means;
  for (const auto& info : kMetrics) {
    double sum = 0;
    for (std::int64_t i = 0; i < seeds; ++i) {
      const auto& run = runs[static_cast<std::size_t>(i)];
      for (const auto& row : run.metrics) {
        const bool wanted =
            row.category.empty() && row.key == info.key && row.epoch == run.run.reported_epoch;
        sum += wanted ? row.value.value() : 0;
      }
    }
    const double mean = sum / static_cast<double>(seeds);
    means.push_back(format == ReportFormat::kJson  ? fmt::format("{:.17f}", mean).substr(0, 14)
                    : format == ReportFormat::kCsv ? fmt::format("{:.6f}", 100 * mean)
                                                   : fmt::format("{:.1f}", 100 * mean));
  }
  return means;
}

bool holds_in_order(std::string_view text, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  return std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
    at = text.find(part, at);
    const bool found = at != std::string_view::npos;
    at += found ? part.size() : 0;
    return found;
  });
}

void render(benchmark::State& state) {
  const auto format = static_cast<ReportFormat>(state.range(0));
  const auto runs = read_report_runs(store());
  const auto report = build_report(runs);
  const auto text = render_report(report, format);
  const auto means = written_means(runs, format);
  // JSON has keys in the order of the alphabet, and its figures have so many digits that none of
  // them is found by chance.
  const auto lines = split(text, '\n');
  require(format == ReportFormat::kJson
              ? std::all_of(means.begin(),
                            means.end(),
                            [&](const auto& mean) { return holds_in_order(text, {mean}); })
              : std::any_of(lines.begin(),
                            lines.end(),
                            [&](const auto& line) { return holds_in_order(line, means); }),
          "the means of the first row");
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(render_report(report, format));
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
  return adb::bench::run_benchmarks(argc, argv);
}
