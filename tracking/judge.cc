// What all findings have in common, and runs that are missing.
#include "tracking/judge.h"

#include "core/text.h"

namespace adb {

Stream judge_stream(const char* use, const Finding& finding) {
  return Stream(
      0,
      fmt::format(
          "gate.{} {} {} {}", use, describe(finding.cell), finding.category, finding.metric));
}

void apply_level(const GateRules& rules, Level level, Finding* finding) {
  const bool bad = finding->verdict != Verdict::kNotRegressed;
  finding->fails = bad && level == Level::kFail && rules.fail_on.contains(finding->verdict);
  // A time that a single run cannot tell is no news; an undecided quality figure is.
  finding->warning =
      bad && !finding->fails &&
      (finding->verdict != Verdict::kCannotTell || finding->kind == FigureKind::kQuality);
}

std::vector<Finding> judge_missing(const std::vector<ComparedCell>& cells, const GateRules& rules) {
  std::vector<Finding> findings;
  for (const auto& cell : cells) {
    for (const auto& pair : cell.pairs) {
      const auto level = rules.tolerance(cell.name, "", "", FigureKind::kQuality).level;
      if (pair.current || level == Level::kIgnore) {
        continue;
      }
      Finding finding;
      finding.cell = cell.name;
      finding.category = cell.name.setting == "single" ? join(pair.baseline.row.classes, ",") : "";
      finding.verdict = Verdict::kDidNotRun;
      finding.seeds = 1;
      finding.reason = fmt::format("seed {}: {}", pair.baseline.row.seed, pair.missing);
      apply_level(rules, level, &finding);
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace adb
