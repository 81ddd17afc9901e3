#include "tracking/cells.h"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>
#include <utility>

#include "core/text.h"

namespace adb {
namespace {

// Whether run ids mean the same runs in both.
bool same_file(const Store& a, const Store& b) {
  return &a == &b || (a.file() == b.file() && a.file() != ":memory:");
}

using Slot = std::tuple<std::string,               // method
                        std::string,               // data set
                        std::string,               // setting
                        std::string,               // protocol
                        std::vector<std::string>,  // classes
                        std::int64_t>;             // seed

Slot slot_of(const RunRow& run) {
  return {run.method, run.dataset, run.setting, run.protocol, run.classes, run.seed};
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_bits(const std::optional<double>& a, const std::optional<double>& b) {
  return a.has_value() == b.has_value() && (!a || same_bits(*a, *b));
}

bool equal_results(const TrackedRun& a, const TrackedRun& b) {
  const auto metric = [](const MetricRow& x, const MetricRow& y) {
    return x.category == y.category && x.key == y.key && x.setting == y.setting &&
           x.reason == y.reason && same_bits(x.value, y.value);
  };
  const auto score = [](const ScoreRow& x, const ScoreRow& y) {
    return x.category == y.category && x.sample == y.sample && x.anomalous == y.anomalous &&
           same_bits(x.score, y.score) && same_bits(x.ader_score, y.ader_score);
  };
  return std::equal(
             a.metrics.begin(), a.metrics.end(), b.metrics.begin(), b.metrics.end(), metric) &&
         std::equal(a.scores.begin(), a.scores.end(), b.scores.begin(), b.scores.end(), score);
}

// An unknown commit or local changes may hide any code.
bool known_commit(const Environment& environment) {
  const auto& commit = environment.code_commit;
  return !commit.empty() && commit != "unknown" && !commit.ends_with("+dirty");
}

bool same_build(const Environment& a, const Environment& b) {
  return known_commit(a) && a.code_commit == b.code_commit && a.libraries == b.libraries &&
         a.compiler == b.compiler && a.build_type == b.build_type;
}

// Repetitions of `run`: the same cell, code and machine.
std::vector<TrackedRun> repeats_of(const Store& store,
                                   const TrackedRun& run,
                                   const std::set<RunId>& others) {
  std::vector<TrackedRun> repeats;
  for (const auto& row :
       store.find_runs({.keys = {run.row.key}, .statuses = {RunStatus::kFinished}})) {
    auto environment = store.environment(row.environment);
    const bool same = row.threads == run.row.threads && row.device == run.row.device &&
                      environment == run.environment;
    if (row.id == run.row.id || (same && !others.contains(row.id))) {
      TrackedRun repeat;
      repeat.row = row;
      repeat.environment = std::move(environment);
      repeat.efficiency = store.efficiency(row.id);
      repeats.push_back(std::move(repeat));
    }
  }
  return repeats;
}

std::string newest_state(const RunRow& run) {
  if (run.status == RunStatus::kRunning) {
    return fmt::format("run {} did not end: process {} on {}", to_int(run.id), run.pid, run.host);
  }
  return fmt::format("run {}: {}: {}", to_int(run.id), to_text(run.status), run.reason);
}

std::string variant_of(const RunRow& run) {
  std::vector<std::string> parts;
  for (const auto& option : run.changed_options) {
    parts.push_back(fmt::format("{}={}", option.path, option.value.dump()));
  }
  return parts.empty() ? "default options" : join(parts, " ");
}

bool same_options(const RunRow& a, const RunRow& b) {
  return std::equal(a.changed_options.begin(),
                    a.changed_options.end(),
                    b.changed_options.begin(),
                    b.changed_options.end(),
                    [](const ChangedOption& x, const ChangedOption& y) {
                      return x.path == y.path && x.value == y.value;
                    });
}

// Fills in what is known once both runs of a pair are there.
void set_current(const Store& baseline_store,
                 const Store& current_store,
                 bool same_store,
                 const RunRow& row,
                 RunPair* pair) {
  pair->current = read_tracked_run(current_store, row);
  const auto& a = pair->baseline;
  const auto& b = *pair->current;
  pair->equal = equal_results(a, b);
  // Of two stores, a run is the same when its process, time, cell and results are.
  pair->same_run = same_store
                       ? a.row.id == b.row.id
                       : pair->equal && a.row.host == b.row.host && a.row.pid == b.row.pid &&
                             a.row.process_start == b.row.process_start &&
                             a.row.started_at == b.row.started_at && a.row.key == b.row.key &&
                             a.row.finished_at == b.row.finished_at;
  pair->same_code = a.row.key == b.row.key && same_build(a.environment, b.environment);
  pair->deterministic = a.row.method == b.row.method && deterministic(a, b);
  // A run that both sides would count (the same code runs again) is the baseline's when it is not
  // newer than the baseline's own.
  std::set<RunId> older;
  std::set<RunId> newer;
  if (same_store && !pair->same_run && a.row.key == b.row.key) {
    for (const auto& run : current_store.find_runs({.keys = {a.row.key}})) {
      (run.id <= a.row.id ? older : newer).insert(run.id);
    }
  }
  const bool split = pair->same_code || a.environment == b.environment;
  pair->baseline_repeats = repeats_of(baseline_store, a, split ? newer : std::set<RunId>());
  pair->current_repeats = repeats_of(current_store, b, split ? older : std::set<RunId>());
}

}  // namespace

TrackedRun read_tracked_run(const Store& store, const RunRow& row) {
  TrackedRun run;
  run.row = row;
  run.environment = store.environment(row.environment);
  if (row.reported_epoch) {
    run.metrics = store.metrics(row.id, *row.reported_epoch);
    run.scores = store.scores(row.id, *row.reported_epoch);
  }
  run.efficiency = store.efficiency(row.id);
  return run;
}

bool deterministic(const TrackedRun& a, const TrackedRun& b) {
  const auto processor = [](const TrackedRun& run) {
    return run.row.device == "cpu" || run.row.device.starts_with("cpu:");
  };
  return processor(a) && processor(b) && a.environment.cpu == b.environment.cpu &&
         a.row.threads == b.row.threads;
}

std::string protocol_difference(const RunRow& baseline, const RunRow& current) {
  std::vector<std::string> parts;
  const auto compare = [&](const char* what, const auto& a, const auto& b) {
    if (a != b) {
      parts.push_back(fmt::format("{} '{}' against '{}'", what, a, b));
    }
  };
  compare("protocol", baseline.protocol, current.protocol);
  compare("protocol version", baseline.protocol_version, current.protocol_version);
  compare("epoch rule", baseline.epoch_rule, current.epoch_rule);
  if (baseline.epoch_rule != "last") {
    const auto tests = [](const RunRow& run) {
      const auto found = run.protocol_config.find("tests");
      return found == run.protocol_config.end() ? std::string("none") : found->dump();
    };
    compare("tests", tests(baseline), tests(current));
  }
  compare("setting", baseline.setting, current.setting);
  if (baseline.classes != current.classes) {
    compare("classes", join(baseline.classes, ","), join(current.classes, ","));
  }
  compare("seed", baseline.seed, current.seed);
  compare(
      "data manifest", baseline.data_manifest.substr(0, 12), current.data_manifest.substr(0, 12));
  const auto weights = [](const RunRow& run) {
    return run.weights.resolved.empty() ? "none" : run.weights.random() ? "random" : "a file";
  };
  if (baseline.method == current.method) {
    compare("pretrained weights", std::string(weights(baseline)), std::string(weights(current)));
  }
  return join(parts, ", ");
}

std::string recipe_difference(const RunRow& baseline, const RunRow& current) {
  std::vector<std::string> parts;
  const auto compare = [&](const std::string& what, const auto& a, const auto& b) {
    if (a != b) {
      parts.push_back(fmt::format("{} {} -> {}", what, a, b));
    }
  };
  compare("method version", baseline.method_version, current.method_version);
  std::set<std::string> paths;
  for (const auto* run : {&baseline, &current}) {
    for (const auto& [path, value] : run->options.items()) {
      paths.insert(path);
    }
  }
  for (const auto& path : paths) {
    const auto value = [&](const RunRow& run) {
      const auto found = run.options.find(path);
      return found == run.options.end() ? std::string("absent") : found->dump();
    };
    compare(path, value(baseline), value(current));
  }
  compare(
      "weights", baseline.weights.resolved.substr(0, 12), current.weights.resolved.substr(0, 12));
  compare("textures", baseline.textures.substr(0, 12), current.textures.substr(0, 12));
  return join(parts, ", ");
}

CellMatch match_cells(const Store& baseline_store,
                      const Baseline& baseline,
                      const Store& current,
                      const RunFilter& filter) {
  CellMatch match;
  const bool same_store = same_file(baseline_store, current);
  const std::set<RunId> members(baseline.runs.begin(), baseline.runs.end());
  std::map<Slot, std::vector<RunRow>> slots;
  std::map<Slot, std::set<std::string>> keys;
  for (auto& run : baseline_store.find_runs(filter)) {
    if (!members.contains(run.id)) {
      continue;
    }
    auto& cells = slots[slot_of(run)];
    keys[slot_of(run)].insert(run.key);
    std::erase_if(cells, [&](const RunRow& older) {
      const bool superseded = same_options(older, run);
      if (superseded) {
        match.notes.push_back(fmt::format("run {} of the baseline is superseded by its run {}",
                                          to_int(older.id),
                                          to_int(run.id)));
      }
      return superseded;
    });
    cells.push_back(std::move(run));
  }
  std::map<Slot, std::vector<RunRow>> candidates;
  for (auto& run : current.find_runs()) {
    if (auto slot = slot_of(run); slots.contains(slot)) {
      candidates[std::move(slot)].push_back(std::move(run));
    }
  }
  std::map<CellName, std::vector<RunPair>> cells;
  for (auto& [slot, rows] : slots) {
    for (const auto& row : rows) {
      const RunRow* newest = nullptr;
      for (const auto& run : candidates[slot]) {  // by id
        const bool foreign = !keys[slot].contains(run.key);
        if (run.key == row.key || (foreign && (rows.size() == 1 || same_options(run, row)))) {
          newest = &run;
        }
      }
      RunPair pair;
      pair.baseline = read_tracked_run(baseline_store, row);
      if (newest == nullptr) {
        pair.missing = fmt::format("no run of this cell in '{}'", current.file().string());
      } else if (newest->status != RunStatus::kFinished) {
        pair.missing = newest_state(*newest);
      } else {
        set_current(baseline_store, current, same_store, *newest, &pair);
      }
      cells[{row.method,
             row.method_title,
             row.dataset,
             row.setting,
             row.protocol,
             rows.size() == 1 ? "" : variant_of(row)}]
          .push_back(std::move(pair));
    }
  }
  for (auto& [name, pairs] : cells) {
    std::stable_sort(pairs.begin(), pairs.end(), [](const RunPair& a, const RunPair& b) {
      return std::tie(a.baseline.row.seed, a.baseline.row.classes) <
             std::tie(b.baseline.row.seed, b.baseline.row.classes);
    });
    match.cells.push_back({name, std::move(pairs)});
  }
  return match;
}

CellMatch match_runs(const Store& first_store,
                     const std::vector<RunRow>& first,
                     const Store& second_store,
                     const std::vector<RunRow>& second) {
  const auto methods = [](const std::vector<RunRow>& rows) {
    std::set<std::string> names;
    for (const auto& row : rows) {
      names.insert(row.method);
    }
    return names;
  };
  const bool by_method = methods(first).size() > 1 || methods(second).size() > 1;
  const auto slot = [&](RunRow row) {
    row.method = by_method ? row.method : "";
    return slot_of(row);
  };
  // Newer runs of a slot replace older ones.
  std::map<Slot, const RunRow*> partners;
  for (const auto& row : second) {
    partners[slot(row)] = &row;
  }
  std::map<Slot, const RunRow*> own;
  for (const auto& row : first) {
    own[slot(row)] = &row;
  }
  CellMatch match;
  std::map<CellName, std::vector<RunPair>> cells;
  const bool same_store = same_file(first_store, second_store);
  for (const auto& [key, row] : own) {
    const auto partner = partners.find(key);
    if (partner == partners.end()) {
      match.notes.push_back(fmt::format("run {} of A ({} on {}, seed {}) has no partner in B",
                                        to_int(row->id),
                                        row->method,
                                        row->dataset,
                                        row->seed));
      continue;
    }
    RunPair pair;
    pair.baseline = read_tracked_run(first_store, *row);
    set_current(first_store, second_store, same_store, *partner->second, &pair);
    const bool one = row->method == partner->second->method;
    cells[{one ? row->method : row->method + " -> " + partner->second->method,
           one ? row->method_title : row->method_title + " -> " + partner->second->method_title,
           row->dataset,
           row->setting,
           row->protocol,
           ""}]
        .push_back(std::move(pair));
    partners.erase(partner);
  }
  for (const auto& [key, row] : partners) {
    match.notes.push_back(fmt::format("run {} of B ({} on {}, seed {}) has no partner in A",
                                      to_int(row->id),
                                      row->method,
                                      row->dataset,
                                      row->seed));
  }
  for (auto& [name, pairs] : cells) {
    match.cells.push_back({name, std::move(pairs)});
  }
  return match;
}

}  // namespace adb
