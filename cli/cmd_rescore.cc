#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/rescore.h"
#include "core/error.h"
#include "core/text.h"
#include "datasets/catalog.h"

namespace adb {
namespace {

constexpr int kSomeFailed = 4;
constexpr int kDeviation = 5;

struct RescoreFlags {
  std::filesystem::path store, data_root;
  std::string methods = "all", protocol, setting, dataset, metric_mode = "exact";
  std::vector<std::int64_t> run_ids;
  double fpr_limit = 0.3;
  bool json = false;
};

// What rescoring one epoch of a run came to.
struct Comparison {
  RescoredEpoch rescored;
  std::size_t added = 0, as_stored = 0;
  std::vector<std::pair<MetricRow, MetricRow>> deviations;  // stored and new, of one setting
  std::optional<MetricSetting> reference;                   // the nearest other setting
  std::vector<std::pair<MetricRow, MetricRow>> changes;     // of its rows and the new ones
};

bool same_figure(const MetricRow& a, const MetricRow& b) {
  return a.category == b.category && a.key == b.key;
}

// Same mode first, then the same limit, then the newest version.
std::optional<MetricSetting> nearest_setting(const std::vector<MetricRow>& stored,
                                             const MetricSetting& wanted) {
  const auto rank = [&](const MetricSetting& s) {
    return std::tuple(s.eval_size != wanted.eval_size,
                      s.mode != wanted.mode,
                      s.fpr_limit != wanted.fpr_limit,
                      -s.version);
  };
  std::optional<MetricSetting> nearest;
  for (const MetricRow& row : stored) {
    if (row.setting != wanted && (!nearest || rank(row.setting) < rank(*nearest))) {
      nearest = row.setting;
    }
  }
  return nearest;
}

Comparison compare(RescoredEpoch rescored, const std::vector<MetricRow>& stored) {
  Comparison out;
  out.reference = nearest_setting(stored, rescored.setting);
  for (const MetricRow& row : rescored.rows) {
    bool known = false;
    for (const MetricRow& old : stored) {
      if (!same_figure(old, row)) {
        continue;
      }
      const bool differs = old.value != row.value;
      if (old.setting == row.setting) {
        known = true;
        if (differs) {
          out.deviations.emplace_back(old, row);
        } else {
          ++out.as_stored;
        }
      } else if (old.setting == out.reference && differs) {
        out.changes.emplace_back(old, row);
      }
    }
    out.added += known ? 0 : 1;
  }
  out.rescored = std::move(rescored);
  return out;
}

std::string setting_text(const MetricSetting& setting) {
  return fmt::format("{} (version {}), FPR limit {}, at {} px",
                     setting.mode,
                     setting.version,
                     setting.fpr_limit,
                     setting.eval_size);
}

std::string run_text(const RunRow& run) {
  return fmt::format(
      "run {} ({} on {}, {}, seed {})",
      to_int(run.id),
      run.method,
      run.dataset,
      run.setting == "single" && !run.classes.empty() ? run.classes.front() : run.setting,
      run.seed);
}

std::string percent(const MetricRow& row) {
  return row.value ? fmt::format("{:.4f}", 100 * *row.value) : "n/a";
}

std::string change_text(const std::pair<MetricRow, MetricRow>& change) {
  const auto& [old, now] = change;
  const auto difference = old.value && now.value
                              ? fmt::format(" ({:+.4f})", 100 * (*now.value - *old.value))
                              : std::string();
  return fmt::format("{:<13} {}: {} -> {}{}",
                     old.key,
                     old.category.empty() ? "mean" : old.category,
                     percent(old),
                     percent(now),
                     difference);
}

void print_comparison(const RunRow& run, const Comparison& comparison) {
  fmt::print("{}, epoch {}: {}\n",
             run_text(run),
             comparison.rescored.epoch,
             setting_text(comparison.rescored.setting));
  fmt::print("  {} figures added, {} as stored, {} deviate\n",
             comparison.added,
             comparison.as_stored,
             comparison.deviations.size());
  for (const auto& deviation : comparison.deviations) {
    fmt::print("  deviates: {}\n", change_text(deviation));
  }
  if (comparison.reference && comparison.added > 0) {
    std::size_t of_categories = 0;
    for (const auto& change : comparison.changes) {
      of_categories += change.first.category.empty() ? 0 : 1;
    }
    fmt::print("  against {}: {} means and {} figures of classes differ\n",
               setting_text(*comparison.reference),
               comparison.changes.size() - of_categories,
               of_categories);
    for (const auto& change : comparison.changes) {
      if (change.first.category.empty()) {
        fmt::print("    {}\n", change_text(change));
      }
    }
  }
}

Json setting_json(const MetricSetting& setting) {
  return {{"metric_mode", setting.mode},
          {"metric_version", setting.version},
          {"fpr_limit", setting.fpr_limit},
          {"eval_size", setting.eval_size}};
}

Json changes_json(const std::vector<std::pair<MetricRow, MetricRow>>& changes) {
  const auto value = [](const MetricRow& row) { return row.value ? Json(*row.value) : Json(); };
  Json list = Json::array();
  for (const auto& [old, now] : changes) {
    list.push_back(
        {{"category", old.category}, {"key", old.key}, {"old", value(old)}, {"new", value(now)}});
  }
  return list;
}

Json comparison_json(const RunRow& run, const Comparison& comparison) {
  return {{"run", to_int(run.id)},
          {"method", run.method},
          {"dataset", run.dataset},
          {"epoch", comparison.rescored.epoch},
          {"setting", setting_json(comparison.rescored.setting)},
          {"added", comparison.added},
          {"as_stored", comparison.as_stored},
          {"deviations", changes_json(comparison.deviations)},
          {"reference", comparison.reference ? setting_json(*comparison.reference) : Json()},
          {"changes", changes_json(comparison.changes)}};
}

// Adds what the store does not have yet. A figure of the same setting that deviates stays as it is.
void add_rows(Store& store, RunId run, const Comparison& comparison) {
  EventBatch batch;
  for (const MetricRow& row : comparison.rescored.rows) {
    const auto deviates = [&](const auto& d) { return same_figure(d.second, row); };
    if (std::none_of(comparison.deviations.begin(), comparison.deviations.end(), deviates)) {
      batch.metrics.push_back(row);
    }
  }
  store.append(run, batch);
}

// Data sets of the selected runs by name, opened when the first run needs them.
class DataSets {
 public:
  explicit DataSets(const RescoreFlags& flags) : flags_(flags) {}

  RescoreData& of(const std::string& name) {
    auto& data = opened_[name];
    if (data == nullptr) {
      data = std::make_unique<RescoreData>(open(name));
    }
    return *data;
  }

 private:
  Dataset open(const std::string& name) const {
    if (!flags_.dataset.empty()) {
      return open_dataset(flags_.dataset, flags_.data_root);
    }
    if (name == "sample" && flags_.data_root.empty()) {
      const auto runs = std::filesystem::absolute(flags_.store).parent_path() / "adbench-runs";
      return open_path(sample_folder(runs), name);
    }
    ADB_CHECK(!flags_.data_root.empty(),
              ErrorKind::kData,
              "the masks of data set '{}' are needed: --data-root DIR (with '{}' in it) or "
              "--dataset FOLDER",
              name,
              name);
    return open_path(flags_.data_root / name, name);
  }

  const RescoreFlags& flags_;
  std::map<std::string, std::unique_ptr<RescoreData>> opened_;
};

std::vector<RunRow> select_runs(const Store& store, const RescoreFlags& flags) {
  RunFilter filter;
  filter.statuses = {RunStatus::kFinished};
  if (flags.methods != "all") {
    filter.methods = split(flags.methods, ',');
  }
  if (!flags.protocol.empty()) {
    filter.protocols = {flags.protocol};
  }
  if (!flags.setting.empty()) {
    filter.settings = {flags.setting};
  }
  auto runs = store.find_runs(filter);
  if (!flags.run_ids.empty()) {
    std::erase_if(runs, [&](const RunRow& run) {
      return std::find(flags.run_ids.begin(), flags.run_ids.end(), to_int(run.id)) ==
             flags.run_ids.end();
    });
    for (const auto id : flags.run_ids) {
      const auto has_id = [&](const RunRow& run) { return to_int(run.id) == id; };
      ADB_CHECK(std::any_of(runs.begin(), runs.end(), has_id),
                ErrorKind::kUsage,
                "--runs: no finished run {} among those selected",
                id);
    }
  }
  if (!flags.dataset.empty()) {
    auto path = flags.dataset;
    path.erase(path.find_last_not_of('/') + 1);
    const auto name = std::filesystem::path(path).filename().string();
    std::erase_if(runs, [&](const RunRow& run) { return run.dataset != name; });
    ADB_CHECK(!runs.empty(), ErrorKind::kUsage, "no selected run is on data set '{}'", name);
  }
  ADB_CHECK(!runs.empty(), ErrorKind::kUsage, "no finished run is selected");
  return runs;
}

int rescore(const RescoreFlags& flags) {
  EvaluationOptions options;
  options.mode = parse_metric_mode(flags.metric_mode);
  options.fpr_limit = flags.fpr_limit;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  check_options(options);
  // Looked at first: a store that is absent is not created.
  const auto runs = select_runs(Store::open_for_read(flags.store), flags);
  auto store = Store::open_for_write(flags.store);
  const auto root = std::filesystem::absolute(flags.store).parent_path();
  DataSets data_sets(flags);
  Json list = Json::array();
  std::size_t rescored = 0, without_maps = 0, failed = 0, deviations = 0;
  for (const RunRow& run : runs) {
    if (run.external) {
      ++without_maps;  // its maps were never here
      continue;
    }
    try {
      const auto artifacts = store.artifacts(run.id);
      if (std::none_of(artifacts.begin(), artifacts.end(), [](const auto& artifact) {
            return artifact.kind == "maps";
          })) {
        ++without_maps;
        continue;
      }
      auto epochs = rescore_run(store, run, root / run.folder, data_sets.of(run.dataset), options);
      for (auto& epoch : epochs) {
        const auto stored = store.metrics(run.id, epoch.epoch);
        const Comparison comparison = compare(std::move(epoch), stored);
        add_rows(store, run.id, comparison);
        deviations += comparison.deviations.size();
        if (flags.json) {
          list.push_back(comparison_json(run, comparison));
        } else {
          print_comparison(run, comparison);
        }
      }
      ++rescored;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) {
        throw;
      }
      ++failed;
      fmt::print(stderr, "{}: {}\n", run_text(run), e.what());
    }
  }
  store.close();
  if (without_maps > 0) {
    fmt::print(stderr,
               "{} of {} runs keep no maps here (run with --save-maps all; maps of other programs: "
               "`adbench eval`)\n",
               without_maps,
               runs.size());
  }
  if (flags.json) {
    print_json("adbench.rescore.1", list);
  }
  if (deviations > 0) {
    return kDeviation;
  }
  return rescored == 0 ? exit_code(ErrorKind::kData) : failed > 0 ? kSomeFailed : 0;
}

}  // namespace

Command rescore_command() {
  return {
      "rescore", "figures of stored runs again, from the maps they kept", [](CLI::App& app) {
        auto flags = std::make_shared<RescoreFlags>();
        add_store_flag(app, &flags->store);
        app.add_option("--methods", flags->methods, "all, or names separated by commas")
            ->capture_default_str();
        app.add_option("--runs", flags->run_ids, "only these ids, separated by commas")
            ->delimiter(',');
        app.add_option("--protocol", flags->protocol, "only this protocol");
        app.add_option("--setting", flags->setting, "multi or single")
            ->check(CLI::IsMember({"multi", "single"}));
        app.add_option("--dataset",
                       flags->dataset,
                       "only runs on it, and where its masks lie: name or folder");
        app.add_option("--data-root",
                       flags->data_root,
                       "folder in which the data sets of the runs are looked for by name")
            ->envname("ADBENCH_DATA");
        app.add_option("--metric-mode", flags->metric_mode, "exact or ader")->capture_default_str();
        app.add_option("--fpr-limit", flags->fpr_limit, "of AU-PRO, in (0, 1]")
            ->capture_default_str();
        add_json_flag(app, &flags->json);
        return [flags] { return rescore(*flags); };
      }};
}

}  // namespace adb
