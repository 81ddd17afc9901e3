// Time and memory: samples of runs, before and now.
#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "tracking/judge.h"

namespace adb {
namespace {

std::string machine_of(const TrackedRun& run, SameMachine rule) {
  return fmt::format("{}{}{} ({}, {} threads)",
                     rule == SameMachine::kHost ? run.environment.host + ": " : "",
                     run.environment.cpu,
                     run.environment.gpu.empty() ? "" : ", " + run.environment.gpu,
                     run.row.device,
                     run.row.threads);
}

const EfficiencyRow* efficiency_row(const TrackedRun& run, const std::string& key) {
  const auto found = std::find_if(run.efficiency.begin(),
                                  run.efficiency.end(),
                                  [&](const EfficiencyRow& row) { return row.key == key; });
  return found == run.efficiency.end() ? nullptr : &*found;
}

void add_samples(const std::vector<TrackedRun>& runs,
                 const std::string& key,
                 std::vector<double>* samples) {
  for (const auto& run : runs) {
    if (const auto* row = efficiency_row(run, key); row != nullptr && row->value) {
      samples->push_back(*row->value);
    }
  }
}

std::string cost_obstacle(const RunPair& pair, const EfficiencyRow& before, SameMachine rule) {
  const auto* now = efficiency_row(*pair.current, before.key);
  if (now == nullptr || !now->value) {
    return now == nullptr || now->note.empty() ? "not measured now"
                                               : "not measured now: " + now->note;
  }
  if (now->unit != before.unit || now->note != before.note) {
    return fmt::format("measured in another way: '{}' ({}) against '{}' ({})",
                       before.note,
                       before.unit,
                       now->note,
                       now->unit);
  }
  const auto a = machine_of(pair.baseline, rule);
  const auto b = machine_of(*pair.current, rule);
  return a == b || rule == SameMachine::kAny ? ""
                                             : fmt::format("other machine: {} against {}", a, b);
}

CostComparison compare_cost(const ComparedCell& cell,
                            const std::string& category,
                            const std::string& key,
                            FigureKind kind,
                            const GateRules& rules) {
  CostComparison comparison;
  auto& judgement = comparison.judgement;
  judgement.cell = cell.name;
  judgement.category = category;
  judgement.metric = key;
  judgement.kind = kind;
  comparison.tolerance = rules.tolerance(cell.name, category, key, kind);
  comparison.repeatable = kind == FigureKind::kMemory;
  comparison.same_run = true;
  std::set<std::int64_t> seeds;
  bool other_machine = false;
  for (const auto& pair : cell.pairs) {
    const auto* before = efficiency_row(pair.baseline, key);
    if (!pair.current || before == nullptr || !before->value ||
        (!category.empty() && pair.baseline.row.classes != std::vector{category})) {
      continue;
    }
    judgement.unit = before->unit;
    seeds.insert(pair.baseline.row.seed);
    add_samples(pair.baseline_repeats, key, &comparison.baseline);
    add_samples(pair.current_repeats, key, &comparison.current);
    comparison.same_run = comparison.same_run && pair.same_run;
    if (comparison.obstacle.empty()) {
      comparison.obstacle = cost_obstacle(pair, *before, rules.machine);
    }
    if (comparison.obstacle.empty()) {
      comparison.obstacle = protocol_difference(pair.baseline.row, pair.current->row);
    }
    other_machine = other_machine || machine_of(pair.baseline, SameMachine::kHost) !=
                                         machine_of(*pair.current, SameMachine::kHost);
  }
  judgement.seeds = seeds.size();
  if (kind == FigureKind::kTime) {
    comparison.floor = comparison.tolerance.floor_ms * (judgement.unit == "s" ? 1e-3 : 1.0);
  } else {
    comparison.floor = comparison.tolerance.floor_mib * (1 << 20);
  }
  if (other_machine && rules.machine != SameMachine::kHost) {
    judgement.reason = "other machines";
  }
  return comparison;
}

void judge_one(CostComparison* comparison, double adjusted_p, bool enough, const GateRules& rules) {
  auto& judgement = comparison->judgement;
  const auto& tolerance = comparison->tolerance;
  const auto limit =
      judgement.kind == FigureKind::kTime ? tolerance.time_limit : tolerance.memory_limit;
  const double ratio = *judgement.change;
  const auto said = judgement.reason.empty() ? "" : judgement.reason + ": ";  // on other machines
  const auto sizes =
      fmt::format("{} and {} samples", comparison->baseline.size(), comparison->current.size());
  const auto rose = fmt::format("{}ratio {:.3f}, {}", said, ratio, sizes);
  const bool small = *judgement.current <= comparison->floor;
  const auto set = [&](Verdict verdict, std::string reason) {
    judgement.verdict = verdict;
    judgement.reason = std::move(reason);
  };
  if (enough) {
    judgement.adjusted_p = adjusted_p;
  }
  if (limit && ratio > *limit && !small) {
    set(Verdict::kRegressed, fmt::format("{}, above the limit of {}", rose, *limit));
  } else if (!enough && !comparison->repeatable) {
    set(Verdict::kCannotTell,
        fmt::format(
            "{}: so few reach no p below {:.2g}",
            rose,
            smallest_mann_whitney_p(comparison->baseline.size(), comparison->current.size())));
  } else if (small) {
    set(Verdict::kNotRegressed, fmt::format("{}, too small to judge", rose));
  } else if (ratio <= tolerance.ratio) {
    set(Verdict::kNotRegressed, fmt::format("{}; up to {} is none", rose, tolerance.ratio));
  } else if (!enough) {
    set(Verdict::kCannotTell, fmt::format("{}: too few for a test", rose));
  } else if (adjusted_p <= rules.alpha) {
    set(Verdict::kRegressed,
        fmt::format("{}, p {:.2g}, corrected {:.2g}", rose, *judgement.p, adjusted_p));
  } else {
    set(Verdict::kCannotTell,
        fmt::format("{}, p {:.2g}, corrected {:.2g}: above {}",
                    rose,
                    *judgement.p,
                    adjusted_p,
                    rules.alpha));
  }
}

}  // namespace

std::vector<Judgement> judge_samples(std::vector<CostComparison> comparisons,
                                     const GateRules& rules) {
  const auto enough = [&](const CostComparison& comparison) {
    return comparison.obstacle.empty() && !comparison.same_run &&
           smallest_mann_whitney_p(comparison.baseline.size(), comparison.current.size()) <=
               rules.alpha;
  };
  std::map<std::string, std::vector<double>> families;
  for (auto& comparison : comparisons) {
    auto& judgement = comparison.judgement;
    judgement.pairs = std::min(comparison.baseline.size(), comparison.current.size());
    if (!comparison.baseline.empty() && !comparison.current.empty() &&
        median(comparison.baseline) > 0) {
      judgement.baseline = median(comparison.baseline);
      judgement.current = median(comparison.current);
      judgement.change = *judgement.current / *judgement.baseline;
    } else if (comparison.obstacle.empty()) {
      comparison.obstacle = "no positive sample on one side";
    }
    if (enough(comparison)) {
      judgement.p = mann_whitney(comparison.baseline, comparison.current).p;
      families[judgement.metric].push_back(*judgement.p);
    }
  }
  for (auto& [metric, p] : families) {
    p = holm(p);
  }
  std::map<std::string, std::size_t> next;
  std::vector<Judgement> judgements;
  for (auto& comparison : comparisons) {
    auto& judgement = comparison.judgement;
    if (comparison.same_run) {
      judgement.verdict = Verdict::kNotRegressed;
      judgement.reason = "the baseline's own run";
    } else if (!comparison.obstacle.empty()) {
      judgement.verdict = Verdict::kCannotTell;
      judgement.reason = comparison.obstacle;
    } else {
      judgement.interval = bootstrap_ratio(comparison.baseline,
                                           comparison.current,
                                           kIntervalCoverage,
                                           kBootstrapDraws,
                                           judge_stream("bootstrap", judgement));
      const bool tested = judgement.p.has_value();
      const double adjusted = tested ? families[judgement.metric][next[judgement.metric]++] : 1;
      judge_one(&comparison, adjusted, tested, rules);
    }
    apply_level(rules, comparison.tolerance.level, &judgement);
    judgements.push_back(std::move(judgement));
  }
  return judgements;
}

std::vector<Judgement> judge_costs(const std::vector<ComparedCell>& cells, const GateRules& rules) {
  std::vector<CostComparison> comparisons;
  for (const auto& cell : cells) {
    std::set<std::string> keys;
    std::set<std::string> categories;
    for (const auto& pair : cell.pairs) {
      for (const auto& row : pair.baseline.efficiency) {
        keys.insert(row.key);
      }
      categories.insert(cell.name.setting == "single" ? join(pair.baseline.row.classes, ",") : "");
    }
    for (const auto& key : keys) {
      const auto kind = figure_kind(key);
      if (!kind || *kind == FigureKind::kQuality) {
        continue;
      }
      for (const auto& category : categories) {
        auto comparison = compare_cost(cell, category, key, *kind, rules);
        if (comparison.judgement.seeds > 0 && comparison.tolerance.level != Level::kIgnore) {
          comparisons.push_back(std::move(comparison));
        }
      }
    }
  }
  return judge_samples(std::move(comparisons), rules);
}

}  // namespace adb
