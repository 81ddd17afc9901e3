// How often the gate calls an unchanged method regressed: noise goes through judge_quality as the
// figures of runs do. docs/gate.md has the table.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "core/seed.h"
#include "tracking/judge.h"

namespace {

struct Setup {
  const char* title;
  bool deterministic;
  std::int64_t seeds;
  double noise;   // standard deviation of a figure of one class, in points
  double shared;  // share of the variance that all classes of one training have in common
};

adb::TrackedRun draw_run(const Setup& setup, std::int64_t seed, adb::Stream& stream) {
  constexpr int kClasses = 8;
  adb::TrackedRun run;
  run.row.method = "method";
  run.row.dataset = "data";
  run.row.seed = seed;
  run.row.device = setup.deterministic ? "cpu" : "cuda:0";
  const double common = std::sqrt(setup.shared) * stream.normal();
  for (int i = 0; i < kClasses; ++i) {
    const auto name = fmt::format("class{}", i);
    run.row.classes.push_back(name);
    const double own = std::sqrt(1 - setup.shared) * stream.normal();
    run.metrics.push_back(
        {.category = name, .key = "mad", .value = 0.9 + 0.01 * setup.noise * (common + own)});
  }
  return run;
}

// The share of trials with the verdict regressed.
double false_alarms(const Setup& setup, int trials) {
  adb::GateRules rules;
  rules.draws = 2000;
  int alarms = 0;
  for (int trial = 0; trial < trials; ++trial) {
    adb::Stream stream(0, std::string("gate_noise ") + setup.title, setup.seeds, trial);
    adb::ComparedCell cell;
    cell.name = {.method = "method", .dataset = "data", .variant = std::to_string(trial)};
    for (std::int64_t seed = 0; seed < setup.seeds; ++seed) {
      adb::RunPair pair;
      pair.baseline = draw_run(setup, seed, stream);
      pair.current = draw_run(setup, seed, stream);
      pair.deterministic = setup.deterministic;
      cell.pairs.push_back(std::move(pair));
    }
    alarms += adb::judge_quality({cell}, rules).at(0).verdict == adb::Verdict::kRegressed;
  }
  return static_cast<double>(alarms) / trials;
}

}  // namespace

int main(int argc, char** argv) {
  const int trials = argc > 1 ? std::atoi(argv[1]) : 2000;
  if (trials < 1) {
    std::fputs("usage: gate_noise [TRIALS]\n", stderr);
    return 2;
  }
  std::printf("%-44s %5s  %s\n", "noise of a class's figure, 8 classes", "seeds", "false alarms");
  for (const std::int64_t seeds : {1, 3, 5, 7}) {
    for (const Setup& setup : {Setup{"0.2 points, classes independent", false, 1, 0.2, 0},
                               Setup{"1 point, classes independent", false, 1, 1, 0},
                               Setup{"0.2 points, half of it shared", false, 1, 0.2, 0.5},
                               Setup{"1 point, half of it shared", false, 1, 1, 0.5},
                               Setup{"1 point, all of it shared", false, 1, 1, 1}}) {
      auto one = setup;
      one.seeds = seeds;
      one.deterministic = seeds == 1;  // else one seed cannot tell
      std::printf("%-44s %5lld  %5.2f %%\n",
                  one.title,
                  static_cast<long long>(seeds),
                  100 * false_alarms(one, trials));
    }
  }
}
