#include "results/diff.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace adb {
namespace {

// 17 digits tell any two doubles apart, the sign of zero included.
std::string exact(double value) {
  return fmt::format("{:.17g}", value);
}

std::string exact(const std::optional<double>& value, const std::string& otherwise) {
  return value.has_value() ? exact(*value) : otherwise;
}

std::string text(const std::optional<std::int64_t>& number) {
  return number.has_value() ? std::to_string(*number) : "none";
}

std::string place(std::int64_t epoch, const std::string& category) {
  return fmt::format(
      "epoch {}, {}", epoch, category.empty() ? "all categories" : "category " + category);
}

bool is_cost(const std::string& curve) {
  return curve.ends_with("_s") || curve == "train_energy_j";
}

// The results of a run under names that are unique in it.
std::map<std::string, std::string> facts_of(const Store& store, const RunRow& run) {
  std::map<std::string, std::string> facts;
  for (const auto& row : store.curves(run.id)) {
    if (!is_cost(row.name)) {
      facts[fmt::format("curve '{}' of epoch {}", row.name, row.epoch)] = exact(row.value);
    }
  }
  for (const auto& row : store.metrics(run.id)) {
    facts[fmt::format("metric {} ({}, version {}, fpr limit {}, size {}) of {}",
                      row.key,
                      row.setting.mode,
                      row.setting.version,
                      row.setting.fpr_limit,
                      row.setting.eval_size,
                      place(row.epoch, row.category))] =
        exact(row.value, "undefined: " + row.reason);
  }
  for (const auto& row : store.counts(run.id)) {
    facts[fmt::format(
        "count '{}' (size {}) of category {}", row.name, row.eval_size, row.category)] =
        std::to_string(row.value);
  }
  for (const auto& row : store.scores(run.id)) {
    facts[fmt::format("score of image '{}' of {}", row.sample, place(row.epoch, row.category))] =
        fmt::format("{} (ader {}, {})",
                    exact(row.score),
                    exact(row.ader_score, "none"),
                    row.anomalous ? "anomalous" : "normal");
  }
  // Paths do not count, so equal files of one place are told apart by their hashes alone.
  std::map<std::string, std::vector<std::string>> files;
  for (const auto& row : store.artifacts(run.id)) {
    if (row.kind == "weights" || row.kind == "maps") {
      files[fmt::format("{} of {}", row.kind, place(row.epoch, row.category))].push_back(
          row.sha256);
    }
  }
  for (auto& [name, hashes] : files) {
    std::sort(hashes.begin(), hashes.end());
    facts["kept " + name] = fmt::format("{}", fmt::join(hashes, " "));
  }
  return facts;
}

// The attempt that stands for each cell.
std::map<std::string, RunRow> cells_of(const Store& store) {
  std::map<std::string, RunRow> cells;
  for (auto& run : store.find_runs({.statuses = {RunStatus::kFinished,
                                                 RunStatus::kFailed,
                                                 RunStatus::kTimeout,
                                                 RunStatus::kOutOfMemory,
                                                 RunStatus::kKilled}})) {
    const auto found = cells.find(run.key);
    const auto rank = [](const RunRow& row) {
      return std::pair(row.status == RunStatus::kFinished, row.attempt);
    };
    if (found == cells.end() || rank(found->second) < rank(run)) {
      std::string key = run.key;
      cells.insert_or_assign(std::move(key), std::move(run));
    }
  }
  return cells;
}

std::string name_of(const RunRow& run) {
  return fmt::format("cell {:.12} ({} on {}, {}, seed {})",
                     run.key,
                     run.method,
                     run.dataset,
                     run.setting,
                     run.seed);
}

std::optional<std::string> differs(const std::string& cell,
                                   const std::string& what,
                                   const std::string& a,
                                   const std::string& b) {
  if (a == b) {
    return std::nullopt;
  }
  return fmt::format("{}: {}: {} against {}", cell, what, a, b);
}

std::optional<std::string> diff_cells(const Store& a,
                                      const RunRow& run_a,
                                      const Store& b,
                                      const RunRow& run_b) {
  const std::string cell = name_of(run_a);
  const auto outcome = [](const RunRow& run) { return std::string(to_text(run.status)); };
  if (auto found = differs(cell, "outcome", outcome(run_a), outcome(run_b))) {
    return found;
  }
  if (auto found =
          differs(cell, "reported epoch", text(run_a.reported_epoch), text(run_b.reported_epoch))) {
    return found;
  }
  if (auto found = differs(cell, "last epoch", text(run_a.last_epoch), text(run_b.last_epoch))) {
    return found;
  }
  if (run_a.status != RunStatus::kFinished) {
    return std::nullopt;
  }
  const auto facts_a = facts_of(a, run_a);
  const auto facts_b = facts_of(b, run_b);
  for (const auto& [what, value] : facts_a) {
    const auto other = facts_b.find(what);
    if (auto found =
            differs(cell, what, value, other == facts_b.end() ? "absent" : other->second)) {
      return found;
    }
  }
  for (const auto& [what, value] : facts_b) {
    if (!facts_a.contains(what)) {
      return differs(cell, what, "absent", value);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> diff_runs(const Store& a, RunId run_a, const Store& b, RunId run_b) {
  return diff_cells(a, a.run(run_a), b, b.run(run_b));
}

std::optional<std::string> diff_stores(const Store& a, const Store& b) {
  const auto cells_a = cells_of(a);
  const auto cells_b = cells_of(b);
  for (const auto& [key, run] : cells_a) {
    const auto other = cells_b.find(key);
    if (other == cells_b.end()) {
      return fmt::format("{}: only in {}", name_of(run), a.file().string());
    }
    if (auto found = diff_cells(a, run, b, other->second)) {
      return found;
    }
  }
  for (const auto& [key, run] : cells_b) {
    if (!cells_a.contains(key)) {
      return fmt::format("{}: only in {}", name_of(run), b.file().string());
    }
  }
  return std::nullopt;
}

}  // namespace adb
