#include "tracking/verdict.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "core/error.h"
#include "metrics/keys.h"

namespace adb {
namespace {

struct VerdictName {
  Verdict verdict;
  std::string_view text;
  std::string_view symbol;
};

constexpr std::array<VerdictName, 4> kVerdicts = {{
    {Verdict::kNotRegressed, "not regressed", "not_regressed"},
    {Verdict::kCannotTell, "cannot tell", "cannot_tell"},
    {Verdict::kDidNotRun, "did not run", "did_not_run"},
    {Verdict::kRegressed, "regressed", "regressed"},
}};

const VerdictName& name_of(Verdict verdict) {
  return kVerdicts.at(static_cast<std::size_t>(verdict));
}

// Metrics in the order of the tables, then the costs by name.
std::pair<std::size_t, std::string> metric_order(const std::string& key) {
  const auto metric = find_metric(key);
  return {metric ? static_cast<std::size_t>(*metric) : kNumMetrics, key};
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  return name_of(verdict).text;
}

std::string_view to_symbol(Verdict verdict) {
  return name_of(verdict).symbol;
}

std::optional<Verdict> verdict_from_symbol(std::string_view text) {
  for (const auto& name : kVerdicts) {
    if (name.symbol == text) {
      return name.verdict;
    }
  }
  return std::nullopt;
}

std::string describe(const CellName& cell) {
  return fmt::format("{} on {}{}{}{}{}",
                     cell.method,
                     cell.dataset,
                     cell.setting.empty() ? "" : ", " + cell.setting,
                     cell.protocol.empty() ? "" : ", protocol " + cell.protocol,
                     cell.variant.empty() ? "" : ", ",
                     cell.variant);
}

std::size_t count(const GateReport& report, Verdict verdict) {
  return static_cast<std::size_t>(std::count_if(
      report.judgements.begin(), report.judgements.end(), [&](const Judgement& judgement) {
        return judgement.verdict == verdict;
      }));
}

std::string summary_line(const GateReport& report) {
  return fmt::format("{} regressed, {} not regressed, {} cannot tell, {} did not run",
                     count(report, Verdict::kRegressed),
                     count(report, Verdict::kNotRegressed),
                     count(report, Verdict::kCannotTell),
                     count(report, Verdict::kDidNotRun));
}

void conclude(GateReport* report) {
  auto& judgements = report->judgements;
  std::stable_sort(
      judgements.begin(), judgements.end(), [](const Judgement& a, const Judgement& b) {
        return std::tuple(b.verdict, b.fails, a.cell, a.category, metric_order(a.metric)) <
               std::tuple(a.verdict, a.fails, b.cell, b.category, metric_order(b.metric));
      });
  const auto failing = [&](Verdict verdict) {
    return std::any_of(judgements.begin(), judgements.end(), [&](const Judgement& judgement) {
      return judgement.fails && judgement.verdict == verdict;
    });
  };
  if (!report->problem.empty()) {
    report->exit_code = 6;
  } else if (failing(Verdict::kRegressed)) {
    report->exit_code = 5;
  } else if (failing(Verdict::kDidNotRun)) {
    report->exit_code = 4;
  } else {
    report->exit_code = failing(Verdict::kCannotTell) ? 6 : 0;
  }
}

}  // namespace adb
