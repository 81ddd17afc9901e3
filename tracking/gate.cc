#include "tracking/gate.h"

#include <iterator>

#include "core/text.h"
#include "tracking/judge.h"

namespace adb {
namespace {

void add(std::vector<Judgement> judgements, GateReport* report) {
  std::move(judgements.begin(), judgements.end(), std::back_inserter(report->judgements));
}

// What differs between the runs beside their code: a reader must know it to believe the figures.
void note_differences(const std::vector<ComparedCell>& cells, GateReport* report) {
  for (const auto& cell : cells) {
    for (const auto& pair : cell.pairs) {
      if (!pair.current) {
        continue;
      }
      const auto where = fmt::format("{}, seed {}", describe(cell.name), pair.baseline.row.seed);
      if (const auto recipe = recipe_difference(pair.baseline.row, pair.current->row);
          !recipe.empty()) {
        report->notes.push_back(fmt::format("{}: another recipe: {}", where, recipe));
      }
      if (pair.same_code && pair.deterministic && !pair.equal) {
        report->notes.push_back(
            fmt::format("{}: non-deterministic: the same code, seed and device class gave other "
                        "figures",
                        where));
      }
    }
  }
}

}  // namespace

GateReport run_gate(const Store& baseline_store,
                    const std::string& name,
                    const Store& current,
                    const RunFilter& filter,
                    const GateRules& rules) {
  GateReport report;
  report.baseline = name;
  const auto baseline = baseline_store.baseline(name);
  if (!baseline) {
    std::vector<std::string> known;
    for (const auto& other : baseline_store.baselines()) {
      known.push_back(other.name);
    }
    report.problem =
        fmt::format("'{}': {}",
                    baseline_store.file().string(),
                    known.empty() ? fmt::format("no baseline '{}', nor any other", name)
                                  : unknown_name("baseline", name, known));
    return report;
  }
  report.created_at = baseline->created_at;
  auto match = match_cells(baseline_store, *baseline, current, filter);
  report.notes = std::move(match.notes);
  if (match.cells.empty()) {
    report.problem =
        fmt::format("no run of baseline '{}' is of the methods and data sets asked for", name);
    return report;
  }
  add(judge_missing(match.cells, rules), &report);
  add(judge_quality(match.cells, rules), &report);
  add(judge_costs(match.cells, rules), &report);
  note_differences(match.cells, &report);
  return report;
}

void finish_report(const GateRules& rules, GateReport* report) {
  if (report->problem.empty()) {
    for (auto& line : unused_rules(rules, report->judgements)) {
      report->notes.push_back(std::move(line));
    }
    if (report->judgements.empty()) {
      report->problem = "the rules leave nothing to compare";
    }
  }
  report->alpha = rules.alpha;
  conclude(report);
}

}  // namespace adb
