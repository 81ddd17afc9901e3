// What the gate tolerates: alpha, thresholds per metric, data set, method and class, and which
// verdicts fail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/yaml.h"
#include "tracking/verdict.h"

namespace adb {

enum class Level { kFail, kWarn, kIgnore };

// Which runs count as of one machine, so that their times and memory compare.
enum class SameMachine {
  kHost,  // equal host name, processor and device
  kCpu,   // equal processor and device: hosted CI, where every job gets another host name
  kAny    // compared nevertheless, and every such verdict says so
};

// Thresholds of one comparison.
struct Tolerance {
  Level level = Level::kFail;
  double min_effect = 0.003;  // quality: a mean loss up to this is none
  // Quality of deterministic runs with too few pairs for the test to pass: a mean loss above this
  // is a regression.
  std::optional<double> limit = 0.05;
  double ratio = 1.10;    // time and memory: a ratio up to this is no regression
  double floor_ms = 5;    // time: nor is a difference up to this
  double floor_mib = 16;  // memory: nor is a difference up to this
  // Time of builds that did not take turns: up to this nobody can tell. Absent: ever.
  std::optional<double> ratio_apart{};
  std::optional<double> time_limit{};  // a ratio above this is a regression without a test
  std::optional<double> memory_limit = 1.5;
};

// One entry of the rules file: what it applies to, and the tolerances it sets.
struct Rule {
  std::string place{};                                                   // "gate.yaml:4:5"
  std::vector<std::string> metrics{}, datasets{}, methods{}, classes{};  // empty: all
  bool every_class = false;                                              // `class: all`
  std::optional<Level> level{};
  std::optional<double> min_effect{};
  std::optional<std::optional<double>> limit{};  // set and empty: `limit: none`
  std::optional<double> ratio{}, floor_ms{}, floor_mib{};
  std::optional<std::optional<double>> ratio_apart{}, ratio_limit{};
};

struct GateRules {
  double alpha = 0.01;
  std::int64_t draws = 20'000;
  SameMachine machine = SameMachine::kHost;
  std::set<Verdict> fail_on = {Verdict::kRegressed, Verdict::kDidNotRun};
  std::vector<Rule> rules{};

  // A rule with a class applies to comparisons of that class alone, one without to all; a later
  // rule overrides an earlier one. `category` "" stands for all classes, `metric` "" for a run that
  // did not take place, of which only rules without metric speak. Starts from `tolerance`.
  Tolerance tolerance(const CellName& cell,
                      const std::string& category,
                      const std::string& metric,
                      FigureKind kind,
                      Tolerance tolerance = {}) const;

  // Whether some rule asks for a verdict on this class by itself.
  bool asks_for_class(const CellName& cell,
                      const std::string& category,
                      const std::string& metric) const;
};

// time for keys that end in "_s" or "_ms", memory for "_bytes", quality for the metric keys;
// nothing for figures that are no costs (parameters, throughput).
std::optional<FigureKind> figure_kind(const std::string& key);

// throws: Error(kConfig) "FILE:LINE:COLUMN: ..." for unknown keys, names and values out of range
GateRules parse_rules(const YamlNode& file);
GateRules read_rules(const std::filesystem::path& file);

// Rules that match none of the judgements, one line each: most likely a misspelt name.
std::vector<std::string> unused_rules(const GateRules& rules,
                                      const std::vector<Judgement>& judgements);

}  // namespace adb
