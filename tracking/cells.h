// Finds, for every run of a baseline, the run that is compared with it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/store.h"
#include "tracking/verdict.h"

namespace adb {

// A finished run with the figures of its reported epoch.
struct TrackedRun {
  RunRow row{};
  Environment environment{};
  std::vector<MetricRow> metrics{};
  std::vector<ScoreRow> scores{};
  std::vector<EfficiencyRow> efficiency{};
};

TrackedRun read_tracked_run(const Store& store, const RunRow& row);

struct RunPair {
  TrackedRun baseline{};
  std::optional<TrackedRun> current{};  // nothing when it did not run
  std::string missing{};                // then: why
  bool same_run = false;                // current is the baseline's own run
  bool equal = false;                   // all metrics and image scores have the same bits
  bool same_code = false;      // same cell key, same commit without local changes, same libraries
  bool deterministic = false;  // see deterministic()
  // Finished runs of the same cell, code and machine as the baseline's and the current run, these
  // two included: repetitions, for times and memory.
  std::vector<TrackedRun> baseline_repeats{};
  std::vector<TrackedRun> current_repeats{};
};

// The pairs that are judged together.
struct ComparedCell {
  CellName name{};
  std::vector<RunPair> pairs{};  // by seed, then classes
};

// Whether the two runs would give the same bits if they ran the same code: both on processors (no
// device whose sums come in any order) of the same model, with the same number of threads.
bool deterministic(const TrackedRun& a, const TrackedRun& b);

// Why the figures of two runs are not of one protocol, or "" when they are. The protocol id of a
// run is: protocol with version, epoch rule (and the number of tests where the rule selects among
// them), setting, classes, seed and the data's manifest hash; of one method also whether the
// pretrained part is absent, random or a file.
std::string protocol_difference(const RunRow& baseline, const RunRow& current);

// "options lr 0.005 -> 0.5; method version 2 -> 3": what differs between two runs of one protocol,
// or "".
std::string recipe_difference(const RunRow& baseline, const RunRow& current);

struct CellMatch {
  std::vector<ComparedCell> cells{};  // by name
  std::vector<std::string> notes{};
};

// The run compared with a baseline run is the newest (highest id) of the same slot - method, data
// set, setting, classes, seed, protocol - in `current`, whatever its outcome. A slot may hold
// several cells of the baseline, which differ in their options: then a run goes to the cell with
// its key, else to the one with the same changed options. Where the baseline has an older and a
// newer cell of the same changed options, the newer counts.
//   filter: of the baseline's runs; ids and statuses in it are not used
CellMatch match_cells(const Store& baseline_store,
                      const Baseline& baseline,
                      const Store& current,
                      const RunFilter& filter);

// Pairs the finished runs `second` with `first` by (data set, setting, protocol, classes, seed),
// and by method unless each side has only one.
CellMatch match_runs(const Store& first_store,
                     const std::vector<RunRow>& first,
                     const Store& second_store,
                     const std::vector<RunRow>& second);

}  // namespace adb
