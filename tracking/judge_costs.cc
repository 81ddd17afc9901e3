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
                 std::vector<CostSample>* samples) {
  for (const auto& run : runs) {
    if (const auto* row = efficiency_row(run, key); row != nullptr && row->value) {
      samples->push_back({*row->value, {run.row.started_at, to_int(run.row.id)}});
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

// What is tested: single figures, or one for each turn.
struct Samples {
  std::vector<double> baseline{}, current{};
  bool turns = false;

  double smallest_p() const { return smallest_mann_whitney_p(baseline.size(), current.size()); }
};

Samples single_samples(const CostComparison& comparison) {
  Samples samples;
  for (const auto& sample : comparison.baseline) {
    samples.baseline.push_back(sample.value);
  }
  for (const auto& sample : comparison.current) {
    samples.current.push_back(sample.value);
  }
  return samples;
}

// The medians of the turns; a turn is what one side measured before the other did again.
Samples samples_of_turns(const CostComparison& comparison) {
  std::vector<std::pair<CostSample, bool>> merged;  // whether it is of the current build
  for (const auto& sample : comparison.baseline) {
    merged.emplace_back(sample, false);
  }
  for (const auto& sample : comparison.current) {
    merged.emplace_back(sample, true);
  }
  std::stable_sort(merged.begin(), merged.end(), [](const auto& a, const auto& b) {
    return a.first.start < b.first.start;
  });
  Samples samples{.turns = true};
  std::vector<double> turn;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const auto& [sample, current] = merged[i];
    turn.push_back(sample.value);
    if (i + 1 == merged.size() || merged[i + 1].second != current) {
      (current ? samples.current : samples.baseline).push_back(median(turn));
      turn.clear();
    }
  }
  return samples;
}

void judge_one(CostComparison* comparison,
               const Samples& samples,
               double adjusted_p,
               bool enough,
               const GateRules& rules) {
  auto& judgement = comparison->judgement;
  const auto& tolerance = comparison->tolerance;
  const auto limit =
      judgement.kind == FigureKind::kTime ? tolerance.time_limit : tolerance.memory_limit;
  const double ratio = *judgement.change;
  const auto said = judgement.reason.empty() ? "" : judgement.reason + ": ";  // on other machines
  const auto sizes = fmt::format("{} and {} {}",
                                 samples.baseline.size(),
                                 samples.current.size(),
                                 samples.turns ? "turns" : "samples");
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
        fmt::format("{}: so few reach no p below {:.2g}", rose, samples.smallest_p()));
  } else if (small) {
    set(Verdict::kNotRegressed, fmt::format("{}, too small to judge", rose));
  } else if (ratio <= tolerance.ratio) {
    set(Verdict::kNotRegressed, fmt::format("{}; up to {} is none", rose, tolerance.ratio));
  } else if (!enough) {
    set(Verdict::kCannotTell, fmt::format("{}: too few for a test", rose));
  } else {
    const auto tested =
        fmt::format("{}, p {:.2g}, corrected {:.2g}", rose, *judgement.p, adjusted_p);
    const bool apart = judgement.kind == FigureKind::kTime && !samples.turns;
    if (adjusted_p > rules.alpha) {
      set(Verdict::kCannotTell, fmt::format("{}: above {}", tested, rules.alpha));
    } else if (apart && (!tolerance.ratio_apart || ratio <= *tolerance.ratio_apart)) {
      const auto bound =
          tolerance.ratio_apart ? fmt::format("up to {} ", *tolerance.ratio_apart) : "";
      set(Verdict::kCannotTell,
          fmt::format("{}: the builds took no turns, so {}it may be the machine", tested, bound));
    } else {
      set(Verdict::kRegressed, tested);
    }
  }
}

}  // namespace

std::vector<Judgement> judge_samples(std::vector<CostComparison> comparisons,
                                     const GateRules& rules) {
  std::vector<Samples> tested;
  std::map<std::string, std::vector<double>> families;
  for (auto& comparison : comparisons) {
    auto& judgement = comparison.judgement;
    auto samples = single_samples(comparison);
    if (judgement.kind == FigureKind::kTime) {
      if (auto turns = samples_of_turns(comparison); turns.smallest_p() <= rules.alpha) {
        samples = std::move(turns);
      }
    }
    judgement.pairs = std::min(samples.baseline.size(), samples.current.size());
    if (judgement.pairs > 0 && median(samples.baseline) > 0) {
      judgement.baseline = median(samples.baseline);
      judgement.current = median(samples.current);
      judgement.change = *judgement.current / *judgement.baseline;
    } else if (comparison.obstacle.empty()) {
      comparison.obstacle = "no positive sample on one side";
    }
    if (comparison.obstacle.empty() && !comparison.same_run &&
        samples.smallest_p() <= rules.alpha) {
      auto tolerated = samples.baseline;
      for (auto& value : tolerated) {
        value *= comparison.tolerance.ratio;
      }
      judgement.p = mann_whitney(tolerated, samples.current).p;
      families[judgement.metric].push_back(*judgement.p);
    }
    tested.push_back(std::move(samples));
  }
  for (auto& [metric, p] : families) {
    p = holm(p);
  }
  std::map<std::string, std::size_t> next;
  std::vector<Judgement> judgements;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    auto& comparison = comparisons[i];
    const auto& samples = tested[i];
    auto& judgement = comparison.judgement;
    if (comparison.same_run) {
      judgement.verdict = Verdict::kNotRegressed;
      judgement.reason = "the baseline's own run";
    } else if (!comparison.obstacle.empty()) {
      judgement.verdict = Verdict::kCannotTell;
      judgement.reason = comparison.obstacle;
    } else {
      judgement.interval = bootstrap_ratio(samples.baseline,
                                           samples.current,
                                           kIntervalCoverage,
                                           kBootstrapDraws,
                                           judge_stream("bootstrap", judgement));
      const bool enough = judgement.p.has_value();
      const double adjusted = enough ? families[judgement.metric][next[judgement.metric]++] : 1;
      judge_one(&comparison, samples, adjusted, enough, rules);
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
