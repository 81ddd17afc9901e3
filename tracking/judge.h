// From paired runs to verdicts. The rules are written down in docs/gate.md.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tracking/cells.h"
#include "tracking/rules.h"
#include "tracking/verdict.h"

namespace adb {

// Quality: one judgement for each cell and metric over all classes, and for each class that a rule
// asks for. Holm's correction runs over the cells (or classes) of one metric whose figures changed.
std::vector<Judgement> judge_quality(const std::vector<ComparedCell>& cells,
                                     const GateRules& rules);

// Time and memory: one judgement for each cell and cost, in setting single for each class.
std::vector<Judgement> judge_costs(const std::vector<ComparedCell>& cells, const GateRules& rules);

// One judgement for each run that is missing.
std::vector<Judgement> judge_missing(const std::vector<ComparedCell>& cells,
                                     const GateRules& rules);

// A figure, and when what it measures began: in the order of starts one sees who took turns.
struct CostSample {
  double value = 0;
  std::pair<std::string, std::int64_t> start{};  // time as text, then a running number
};

// Samples of one time or memory, on both sides.
struct CostComparison {
  Judgement judgement{};  // names and unit set
  Tolerance tolerance{};
  std::vector<CostSample> baseline{}, current{};
  double floor = 0;         // in the samples' unit: figures up to it are too small to judge
  bool repeatable = false;  // one sample suffices for "not regressed": memory
  std::string obstacle{};   // why the two cannot be compared; "" when they can
  bool same_run = false;
};

// Holm's correction runs over the comparisons of one metric. A machine gets faster and slower for
// minutes at a time. Where the builds took turns, the samples of a time are therefore the turns
// (the median of each); where they did not, a rise is "cannot tell" (up to Tolerance::ratio_apart).
// The test is whether `current` tends to exceed Tolerance::ratio times the baseline: one against
// the baseline itself, asked for every time of every gate, is wrong too often (docs/gate.md).
std::vector<Judgement> judge_samples(std::vector<CostComparison> comparisons,
                                     const GateRules& rules);

inline constexpr double kIntervalCoverage = 0.95;
inline constexpr std::int64_t kBootstrapDraws = 2000;

// The stream of a judgement's draws for one use: no other judgement changes them.
Stream judge_stream(const char* use, const Judgement& judgement);

// Sets `fails` and `warning` as level and rules say.
void apply_level(const GateRules& rules, Level level, Judgement* judgement);

}  // namespace adb
