// What all judgements have in common, and runs that are missing.
#include "tracking/judge.h"

#include "core/text.h"

namespace adb {

Stream judge_stream(const char* use, const Judgement& judgement) {
  return Stream(
      0,
      fmt::format(
          "gate.{} {} {} {}", use, describe(judgement.cell), judgement.category, judgement.metric));
}

void apply_level(const GateRules& rules, Level level, Judgement* judgement) {
  const bool bad = judgement->verdict != Verdict::kNotRegressed;
  judgement->fails = bad && level == Level::kFail && rules.fail_on.contains(judgement->verdict);
  // A time that a single run cannot tell is no news; an undecided quality figure is.
  judgement->warning =
      bad && !judgement->fails &&
      (judgement->verdict != Verdict::kCannotTell || judgement->kind == FigureKind::kQuality);
}

std::vector<Judgement> judge_missing(const std::vector<ComparedCell>& cells,
                                     const GateRules& rules) {
  std::vector<Judgement> judgements;
  for (const auto& cell : cells) {
    for (const auto& pair : cell.pairs) {
      const auto level = rules.tolerance(cell.name, "", "", FigureKind::kQuality).level;
      if (pair.current || level == Level::kIgnore) {
        continue;
      }
      Judgement judgement;
      judgement.cell = cell.name;
      judgement.category =
          cell.name.setting == "single" ? join(pair.baseline.row.classes, ",") : "";
      judgement.verdict = Verdict::kDidNotRun;
      judgement.seeds = 1;
      judgement.reason = fmt::format("seed {}: {}", pair.baseline.row.seed, pair.missing);
      apply_level(rules, level, &judgement);
      judgements.push_back(std::move(judgement));
    }
  }
  return judgements;
}

}  // namespace adb
