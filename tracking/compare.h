// Two sets of runs against each other: differences, intervals, and the words better, worse, cannot
// tell - said exactly when the gate would say regressed one way, the other way, or neither.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "results/store.h"
#include "tracking/rules.h"
#include "tracking/verdict.h"

namespace adb {

enum class Word { kBetter, kWorse, kEqual, kCannotTell };

// "better", "worse", "equal" (no difference beyond the minimum effect), "cannot tell".
std::string_view to_text(Word word);

// How B does beside A.
struct Difference {
  Word word = Word::kCannotTell;
  Judgement judgement{};  // baseline A, current B; change = A - B, a loss of B
};

// Runs of one store.
struct RunSet {
  const Store* store = nullptr;
  std::vector<RunRow> runs{};
  std::string name{};  // as the user gave it
};

struct CompareReport {
  std::string a{}, b{};
  std::string problem{};                  // why nothing could be compared; "" otherwise
  std::vector<Difference> differences{};  // by cell, metric in table order, then class ("" first)
  std::vector<std::string> notes{};
  // 5 when B is worse over the classes of a cell in some metric, else 6 when that cannot be told of
  // some, else 0. Single classes do not count: their tests are weaker, and they are in the whole.
  int exit_code = 0;
};

// Pairs by (data set, setting, protocol, classes, seed), and by method unless each side has one.
//   metrics: keys to compare; none given means all
CompareReport compare_runs(const RunSet& a,
                           const RunSet& b,
                           const GateRules& rules,
                           const std::vector<std::string>& metrics);

// A table of the whole and one of the classes for each cell.
std::string compare_text(const CompareReport& report);
Json compare_json(const CompareReport& report);

}  // namespace adb
