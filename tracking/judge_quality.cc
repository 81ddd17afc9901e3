// Quality: figures of the same classes and seeds, before and now.
#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "metrics/keys.h"
#include "tracking/judge.h"

namespace adb {
namespace {

constexpr std::size_t kFewestSeeds = 3;
constexpr double kRounding = 1e-12;  // of differences of fractions

std::string counted(std::size_t n, const char* thing, const char* things) {
  return fmt::format("{} {}", n, n == 1 ? thing : things);
}

// A figure of one class in both runs of a pair.
struct Figure {
  enum class State { kBoth, kUndefinedBefore, kUndefinedNow, kOtherSetting, kAbsent };
  State state = State::kAbsent;
  double baseline = 0;
  double current = 0;
  std::string reason{};
};

std::string describe(const MetricSetting& setting) {
  return fmt::format("{} version {}, FPR limit {}, size {}",
                     setting.mode,
                     setting.version,
                     setting.fpr_limit,
                     setting.eval_size);
}

Figure figure_of(const RunPair& pair, const std::string& category, std::string_view key) {
  Figure figure;
  for (const auto& before : pair.baseline.metrics) {
    if (before.category != category || before.key != key) {
      continue;
    }
    const auto now = std::find_if(
        pair.current->metrics.begin(), pair.current->metrics.end(), [&](const MetricRow& row) {
          return row.category == category && row.key == key && row.setting == before.setting;
        });
    if (now == pair.current->metrics.end()) {
      // Another setting of the same figure may still match.
      if (figure.state == Figure::State::kAbsent) {
        figure.state = Figure::State::kOtherSetting;
        figure.reason = "the baseline's figures are " + describe(before.setting) +
                        ", the run has none of these";
      }
    } else if (!before.value) {
      figure = {Figure::State::kUndefinedBefore, 0, 0, before.reason};
    } else if (!now->value) {
      figure = {Figure::State::kUndefinedNow, 0, 0, now->reason};
    } else {
      figure = {Figure::State::kBoth, *before.value, *now->value, ""};
    }
    // `exact` figures come after `ader` ones, newer versions after older: the last match counts.
  }
  return figure;
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

struct QualityComparison {
  Judgement judgement{};
  Tolerance tolerance{};
  std::vector<double> losses{};     // of the pairs (class, seed)
  std::vector<double> trainings{};  // summed over the classes of one trained model
  double training_p = 1;
  bool deterministic = true;
  bool testable = false;
};

void decide(QualityComparison* comparison, Verdict verdict, std::string reason) {
  comparison->judgement.verdict = verdict;
  comparison->judgement.reason = std::move(reason);
  comparison->testable = false;
}

// What can be said without a test; leaves `testable` set when a test is needed.
QualityComparison compare_quality(const ComparedCell& cell,
                                  const std::string& category,
                                  std::string_view key,
                                  const GateRules& rules) {
  QualityComparison comparison;
  auto& judgement = comparison.judgement;
  judgement.cell = cell.name;
  judgement.category = category;
  judgement.metric = key;
  comparison.tolerance =
      rules.tolerance(cell.name, category, judgement.metric, FigureKind::kQuality);
  comparison.testable = true;

  std::string obstacle;
  bool same_run = true;
  bool equal = true;
  bool contradiction = false;
  std::set<std::int64_t> seeds;
  std::set<std::string> classes;
  std::vector<std::pair<std::string, std::int64_t>> levels;  // of each loss
  double before = 0;
  double now = 0;
  for (const auto& pair : cell.pairs) {
    if (!pair.current) {
      continue;
    }
    const auto& run = pair.baseline.row;
    double training = 0;
    bool used = false;
    for (const auto& name : run.classes) {
      if (!category.empty() && name != category) {
        continue;
      }
      const auto figure = figure_of(pair, name, key);
      if (figure.state == Figure::State::kAbsent ||
          figure.state == Figure::State::kUndefinedBefore) {
        continue;
      }
      used = true;
      seeds.insert(run.seed);
      classes.insert(name);
      if (figure.state != Figure::State::kBoth) {
        obstacle = figure.state == Figure::State::kUndefinedNow
                       ? fmt::format("{} is undefined now: {}", name, figure.reason)
                       : figure.reason;
        continue;
      }
      equal = equal && same_bits(figure.baseline, figure.current);
      before += figure.baseline;
      now += figure.current;
      const double loss = figure.baseline - figure.current;
      comparison.losses.push_back(loss);
      training += loss;
      levels.emplace_back(name, run.seed);
    }
    if (!used) {
      continue;
    }
    comparison.trainings.push_back(training);
    same_run = same_run && pair.same_run;
    comparison.deterministic = comparison.deterministic && pair.deterministic;
    contradiction = contradiction || (pair.same_code && pair.deterministic && !pair.equal);
    if (const auto difference = protocol_difference(run, pair.current->row);
        obstacle.empty() && !difference.empty()) {
      obstacle = "not of one protocol: " + difference;
    }
  }
  judgement.pairs = comparison.losses.size();
  judgement.seeds = seeds.size();
  judgement.classes = classes.size();
  if (seeds.empty()) {
    comparison.testable = false;  // no figure to compare; dropped by the caller
    return comparison;
  }
  if (!obstacle.empty()) {
    decide(&comparison, Verdict::kCannotTell, obstacle);
    return comparison;
  }
  const auto n = static_cast<double>(judgement.pairs);
  judgement.baseline = before / n;
  judgement.current = now / n;
  judgement.change = mean(comparison.losses);
  if (same_run) {
    decide(&comparison, Verdict::kNotRegressed, "the baseline's own run");
  } else if (equal) {
    decide(&comparison, Verdict::kNotRegressed, "bitwise equal");
  } else if (contradiction) {
    comparison.deterministic = false;
  }
  if (!comparison.testable) {
    return comparison;
  }
  std::vector<CrossedValue> crossed;
  const auto index = [](const auto& all, const auto& one) {
    return static_cast<std::size_t>(std::distance(all.begin(), all.find(one)));
  };
  for (std::size_t i = 0; i < levels.size(); ++i) {
    crossed.push_back(
        {index(classes, levels[i].first), index(seeds, levels[i].second), comparison.losses[i]});
  }
  judgement.interval = bootstrap_mean(
      crossed, kIntervalCoverage, kBootstrapDraws, judge_stream("bootstrap", judgement));
  if (!comparison.deterministic && judgement.seeds < kFewestSeeds) {
    decide(&comparison,
           Verdict::kCannotTell,
           fmt::format("{}, and {}: three seeds are needed",
                       counted(judgement.seeds, "seed", "seeds"),
                       contradiction ? "the same code, seed and device class gave other figures"
                                     : "not the same code path, processor and thread count"));
    return comparison;
  }
  judgement.p =
      sign_flip_test(comparison.losses, rules.draws, judge_stream("permutation", judgement)).p;
  comparison.training_p =
      sign_flip_test(comparison.trainings, rules.draws, judge_stream("trainings", judgement)).p;
  return comparison;
}

// The verdict once the p values of the metric's other cells are known, `family` in all.
void test_quality(QualityComparison* comparison,
                  double adjusted_p,
                  std::size_t family,
                  double alpha) {
  auto& judgement = comparison->judgement;
  judgement.adjusted_p = adjusted_p;
  const double loss = *judgement.change;
  const auto& tolerance = comparison->tolerance;
  const auto points = [](double fraction) { return fmt::format("{:.2f}", 100 * fraction); };
  const auto over = fmt::format("{} ({}, {})",
                                counted(judgement.pairs, "pair", "pairs"),
                                counted(judgement.classes, "class", "classes"),
                                counted(judgement.seeds, "seed", "seeds"));
  if (loss <= tolerance.min_effect + kRounding) {
    decide(comparison,
           Verdict::kNotRegressed,
           fmt::format("{} {} points over {}; up to {} is none",
                       loss > 0 ? "loss" : "gain",
                       points(std::abs(loss)),
                       over,
                       points(tolerance.min_effect)));
    return;
  }
  const auto lost = fmt::format("loss {} points over {}", points(loss), over);
  // Where so few pairs could never pass the test, a deterministic loss may still be too large.
  const double smallest =
      std::exp2(-static_cast<double>(judgement.pairs)) * static_cast<double>(family);
  if (comparison->deterministic && tolerance.limit && smallest > alpha &&
      loss > *tolerance.limit + kRounding) {
    decide(comparison,
           Verdict::kRegressed,
           fmt::format("{}, deterministic, above the limit of {}", lost, points(*tolerance.limit)));
    return;
  }
  // Classes of one model share its training: flipping whole trainings must agree, as far as so few
  // of them can.
  const double fewest =
      std::max(alpha, std::exp2(-static_cast<double>(comparison->trainings.size())));
  if (adjusted_p > alpha) {
    decide(comparison,
           Verdict::kCannotTell,
           smallest > alpha ? fmt::format("{}: so few reach no p below {:.2g}", lost, smallest)
                            : fmt::format("{}, p {:.2g}, corrected {:.2g}: above {}",
                                          lost,
                                          *judgement.p,
                                          adjusted_p,
                                          alpha));
  } else if (comparison->training_p > fewest) {
    decide(comparison,
           Verdict::kCannotTell,
           fmt::format("{}, p {:.2g}, but the trainings disagree (p {:.2g} over {})",
                       lost,
                       *judgement.p,
                       comparison->training_p,
                       counted(comparison->trainings.size(), "training", "trainings")));
  } else {
    decide(comparison,
           Verdict::kRegressed,
           fmt::format("{}, p {:.2g}, corrected {:.2g}", lost, *judgement.p, adjusted_p));
  }
}

std::vector<std::string> classes_of(const ComparedCell& cell) {
  std::vector<std::string> classes;
  for (const auto& pair : cell.pairs) {
    for (const auto& name : pair.baseline.row.classes) {
      if (std::find(classes.begin(), classes.end(), name) == classes.end()) {
        classes.push_back(name);
      }
    }
  }
  return classes;
}

}  // namespace

std::vector<Judgement> judge_quality(const std::vector<ComparedCell>& cells,
                                     const GateRules& rules) {
  std::vector<Judgement> judgements;
  for (const auto& info : kMetrics) {
    const std::string key(info.key);
    std::vector<QualityComparison> whole;
    std::vector<QualityComparison> single;
    const auto add = [&](const ComparedCell& cell, const std::string& category, auto* to) {
      auto comparison = compare_quality(cell, category, key, rules);
      if (comparison.judgement.seeds > 0 && comparison.tolerance.level != Level::kIgnore) {
        to->push_back(std::move(comparison));
      }
    };
    for (const auto& cell : cells) {
      add(cell, "", &whole);
      for (const auto& category : classes_of(cell)) {
        if (rules.asks_for_class(cell.name, category, key)) {
          add(cell, category, &single);
        }
      }
    }
    for (auto* family : {&whole, &single}) {
      std::vector<double> p;
      for (const auto& comparison : *family) {
        if (comparison.testable) {
          p.push_back(*comparison.judgement.p);
        }
      }
      const auto adjusted = holm(p);
      std::size_t next = 0;
      for (auto& comparison : *family) {
        if (comparison.testable) {
          test_quality(&comparison, adjusted[next++], p.size(), rules.alpha);
        }
        apply_level(rules, comparison.tolerance.level, &comparison.judgement);
        judgements.push_back(std::move(comparison.judgement));
      }
    }
  }
  return judgements;
}

}  // namespace adb
