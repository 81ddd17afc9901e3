// What the gate says of one comparison, and the words for it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/statistics.h"

namespace adb {

// In order of severity: where several hold, the last one names the whole.
enum class Verdict { kNotRegressed, kCannotTell, kDidNotRun, kRegressed };

std::string_view to_text(Verdict verdict);    // "not regressed", "cannot tell", ...
std::string_view to_symbol(Verdict verdict);  // "not_regressed", ..., in JSON and rules
std::optional<Verdict> verdict_from_symbol(std::string_view text);

enum class FigureKind {
  kQuality,  // a fraction, higher is better
  kTime,     // lower is better, in the unit of the row
  kMemory    // bytes, lower is better
};

// The runs that are compared as one: those of all seeds, and in setting single of all classes.
struct CellName {
  std::string method{};
  std::string title{};
  std::string dataset{};
  std::string setting{};
  std::string protocol{};
  std::string variant{};  // "option=value ..." where the baseline holds several of one method

  auto operator<=>(const CellName&) const = default;
};

std::string describe(const CellName& cell);  // "rd on mvtec_ad, multi, protocol paper"

// One comparison. For a run that did not take place metric is "" and the figures are empty.
struct Judgement {
  CellName cell{};
  std::string category{};  // "" for all classes
  std::string metric{};
  FigureKind kind = FigureKind::kQuality;
  std::string unit{};  // of baseline and current: "" for fractions
  Verdict verdict = Verdict::kCannotTell;
  bool fails = false;    // whether the verdict decides the exit code
  bool warning = false;  // regressed or did not run, but the rules only warn
  std::string reason{};  // what the verdict rests on, in words
  std::optional<double> baseline{};
  std::optional<double> current{};
  // Quality: baseline - current as a fraction, so that a positive value is a loss. Time and memory:
  // current / baseline.
  std::optional<double> change{};
  std::optional<Interval> interval{};  // of change, 95 %
  std::optional<double> p{};  // one-sided, that current is worse; costs: by more than the ratio
  std::optional<double> adjusted_p{};  // after Holm's correction
  std::size_t pairs = 0;
  std::size_t classes = 0;
  std::size_t seeds = 0;
};

struct GateReport {
  std::string baseline{};               // its name
  std::string created_at{};             // of the baseline
  std::string problem{};                // why nothing could be compared; "" otherwise
  std::vector<Judgement> judgements{};  // the worst first
  std::vector<std::string> notes{};
  double alpha = 0.01;
  int exit_code = 0;
};

std::size_t count(const GateReport& report, Verdict verdict);

// "1 regressed, 14 not regressed, 2 cannot tell, 0 did not run"
std::string summary_line(const GateReport& report);

// Sorts judgements (worst verdict, then cell, class, metric in table order) and sets exit_code:
// 5 when one regressed, else 4 when one did not run, else 6 when one cannot be told, of those whose
// `fails` is set; a report with a problem is always 6.
void conclude(GateReport* report);

}  // namespace adb
