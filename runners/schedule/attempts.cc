#include "runners/schedule/attempts.h"

#include <set>
#include <utility>

#include "runners/schedule/record.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// Whether a run got far enough to be bound to its threads (runners/worker/checkpoint.h).
bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with("checkpoint-") &&
        entry.path().extension() != ".tmp") {
      return true;
    }
  }
  return false;
}

bool fits(const RunRow& run, const DeviceSlot& place) {
  return run.threads == place.threads && (run.device == "cpu") == (place.device == "cpu");
}

// Cells that take alike.
std::string kind_of(const std::string& method,
                    const std::string& dataset,
                    const std::string& setting) {
  return fmt::format("{}\n{}\n{}", method, dataset, setting);
}

}  // namespace

fs::path Attempts::store_folder() const {
  return store_.file() == ":memory:" ? fs::current_path()
                                     : fs::absolute(store_.file()).parent_path();
}

std::optional<RunRow> Attempts::newest_unfinished(const Cell& cell) const {
  RunFilter filter;
  filter.keys = {cell.key};
  filter.newest_per_key = true;
  auto runs = store_.find_runs(filter);
  if (fresh_ || runs.empty() || runs.back().status == RunStatus::kFinished ||
      runs.back().status == RunStatus::kRunning || runs.back().folder.empty()) {
    return std::nullopt;
  }
  return std::move(runs.back());
}

std::optional<RunRow> Attempts::half_way(const Cell& cell, const DeviceSlot& place) const {
  auto run = newest_unfinished(cell);
  return run && fits(*run, place) ? run : std::nullopt;
}

void Attempts::refuse_other_threads(const Cell& cell, const DeviceSlot& place) const {
  const auto run = newest_unfinished(cell);
  if (!run || fits(*run, place) || !has_checkpoint(store_folder() / run->folder)) {
    return;
  }
  fail(
      ErrorKind::kUsage,
      "{} was started with {} threads a worker on {} and cannot go on with {} on {} (results would "
      "differ); use the same, or --fresh",
      label_of(cell),
      run->threads,
      run->device,
      place.threads,
      place.device);
}

std::string Attempts::free_folder(const Cell& cell, const fs::path& runs) const {
  RunFilter filter;
  filter.keys = {cell.key};
  std::set<std::string> taken;
  for (const auto& run : store_.find_runs(filter)) {
    taken.insert(fs::path(run.folder).filename().string());
  }
  for (auto n = taken.size() + 1;; ++n) {
    const auto name = fmt::format("{}-{}-{}", cell.method->name, cell.key.substr(0, 12), n);
    if (!taken.contains(name) && !fs::exists(runs / name)) {
      return fs::relative(runs / name, store_folder()).generic_string();
    }
  }
}

std::map<const Cell*, double> Attempts::expected_seconds(const std::vector<Cell>& cells) const {
  std::set<std::string> methods, datasets;
  for (const auto& cell : cells) {
    methods.insert(cell.method->name);
    datasets.insert(cell.dataset);
  }
  RunFilter filter;
  filter.methods.assign(methods.begin(), methods.end());
  filter.datasets.assign(datasets.begin(), datasets.end());
  filter.statuses = {RunStatus::kFinished};
  std::map<std::string, RunRow> newest;
  for (auto& run : store_.find_runs(filter)) {
    auto kind = kind_of(run.method, run.dataset, run.setting);
    newest.insert_or_assign(std::move(kind), std::move(run));
  }
  std::map<std::string, double> epoch_s;
  for (const auto& [kind, run] : newest) {
    for (const auto& figure : store_.efficiency(run.id)) {
      if (figure.key == "train_s" && figure.value && run.epochs > 0) {
        epoch_s[kind] = *figure.value / static_cast<double>(run.epochs);
      }
    }
  }
  std::map<const Cell*, double> expected;
  for (const auto& cell : cells) {
    const auto found = epoch_s.find(kind_of(cell.method->name, cell.dataset, cell.setting));
    expected[&cell] =
        found == epoch_s.end() ? -1 : found->second * static_cast<double>(cell.tests.back());
  }
  return expected;
}

}  // namespace adb
