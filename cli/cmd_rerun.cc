#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/resolve.h"
#include "cli/run_lookup.h"
#include "core/files.h"
#include "core/hash.h"
#include "metrics/keys.h"
#include "results/diff.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

struct RerunFlags {
  std::filesystem::path store, data_root, dataset, weights_folder, textures;
  std::string run;
  bool json = false;
};

// Where the record says that something lay; "" in records of an older adbench.
std::string recorded(const RunRow& run, const char* what) {
  const auto repeat = run.protocol_config.find("repeat");
  return repeat == run.protocol_config.end() ? "" : repeat->value(what, "");
}

// The value of the option `weights`: the file with the recorded hash.
std::string weights_value(const RunRow& run,
                          const RerunFlags& flags,
                          const Registry<WeightsInfo>& catalogue) {
  if (run.weights.random()) {
    return "random";
  }
  std::vector<fs::path> places = {recorded(run, "weights")};
  if (!run.weights.source.empty()) {
    places.push_back(flags.weights_folder / run.weights.source);
  }
  for (const auto& info : catalogue) {
    if (info.name == run.weights.name) {
      places.push_back(flags.weights_folder / info.file);
    }
  }
  std::string looked;
  for (const auto& place : places) {
    std::error_code ignored;
    if (place.empty() || !fs::is_regular_file(place, ignored)) {
      continue;
    }
    if (sha256_file(place, ErrorKind::kWeights) == run.weights.resolved) {
      return fs::absolute(place).string();
    }
    looked += fmt::format("; '{}' has another content", place.string());
  }
  fail(ErrorKind::kWeights,
       "the weights of run {}, '{}' with sha256 {}, are no longer there{}; put the file into "
       "--weights-dir",
       to_int(run.id),
       run.weights.name.empty() ? run.weights.source : run.weights.name,
       run.weights.resolved,
       looked);
}

std::string data_place(const RunRow& run, const RerunFlags& flags) {
  if (!flags.dataset.empty()) {
    return flags.dataset.string();
  }
  if (run.dataset == "sample") {
    return "sample";  // made anew where it is missing
  }
  const auto place = recorded(run, "data");
  std::error_code ignored;
  if (!place.empty() && fs::exists(place, ignored)) {
    return place;
  }
  ADB_CHECK(!flags.data_root.empty(),
            ErrorKind::kData,
            "the data of run {} are no longer at '{}'; say where with --dataset FOLDER",
            to_int(run.id),
            place);
  return run.dataset;
}

// The selection that gave the run, by its resolved options.
Selection selection_of(const RunRow& run, const RerunFlags& flags, const MethodCatalogue& methods) {
  const auto place = fmt::format("run {}", to_int(run.id));
  Selection selection;
  selection.methods = {run.method};
  selection.datasets = {data_place(run, flags)};
  selection.data_root = flags.data_root;
  selection.categories = run.classes;
  selection.setting = run.setting;
  selection.seeds = {run.seed};
  selection.protocol = run.protocol;
  selection.weights_folder = flags.weights_folder;
  const bool has_weights = !methods.methods.at(run.method).weights_option.empty();
  for (const auto& [path, value] : run.options.items()) {
    if (path != "weights" || !has_weights) {
      selection.settings.push_back({run.method + "." + path, value, place});
    }
  }
  if (has_weights) {
    const auto weights = read_weights_catalogue(share_folder());
    selection.settings.push_back(
        {run.method + ".weights", weights_value(run, flags, weights), place});
  }
  if (!run.textures.empty() && run.textures != "procedural") {
    selection.textures =
        flags.textures.empty() ? fs::path(recorded(run, "textures")) : flags.textures;
    std::error_code ignored;
    ADB_CHECK(fs::is_directory(selection.textures, ignored),
              ErrorKind::kData,
              "the textures of run {} are no longer at '{}'; say where with --textures FOLDER",
              to_int(run.id),
              selection.textures.string());
  }
  return selection;
}

// The one cell must be the recorded one; says what changed.
void check_same_cell(const RunRow& run, const Plan& plan) {
  ADB_CHECK(plan.cells.size() == 1,
            ErrorKind::kInternal,
            "run {} gives {} cells",
            to_int(run.id),
            plan.cells.size());
  const auto& cell = plan.cells.front();
  ADB_CHECK(cell.data_manifest == run.data_manifest,
            ErrorKind::kData,
            "the data set '{}' is not what it was: its manifest is {:.12}, that of run {} {:.12}",
            plan.data.front().root.string(),
            cell.data_manifest,
            to_int(run.id),
            run.data_manifest);
  ADB_CHECK(cell.textures == run.textures,
            ErrorKind::kData,
            "the textures are not what they were: {:.12} instead of {:.12}",
            cell.textures,
            run.textures);
  ADB_CHECK(cell.method->version == run.method_version,
            ErrorKind::kUsage,
            "run {} is of {} version {}; this adbench has version {}, whose results differ",
            to_int(run.id),
            run.method,
            run.method_version,
            cell.method->version);
  ADB_CHECK(cell.protocol.version == run.protocol_version,
            ErrorKind::kUsage,
            "run {} is of protocol {} version {}; this adbench has version {}",
            to_int(run.id),
            run.protocol,
            run.protocol_version,
            cell.protocol.version);
  ADB_CHECK(cell.key == run.key,
            ErrorKind::kUsage,
            "run {} cannot be repeated: options or tests of protocol {} have changed since",
            to_int(run.id),
            run.protocol);
}

// How the figures were computed, and what was kept.
void set_recorded_options(const RunRow& run, const Store& store, RunOptions* options) {
  options->threads = run.threads;
  options->ranks = run.protocol_config.value("ranks", std::int64_t{1});
  options->devices = {run.device};
  options->fresh = true;
  if (const auto kept = recorded(run, "save_maps"); !kept.empty()) {
    options->save_maps = kept;
  }
  if (const auto cache = recorded(run, "feature_cache"); !cache.empty()) {
    options->feature_cache = cache;
  }
  for (const auto& row : store.metrics(run.id)) {
    ADB_CHECK(row.setting.version == kMetricVersion,
              ErrorKind::kUsage,
              "run {} was scored with metric version {}, this adbench has {}",
              to_int(run.id),
              row.setting.version,
              kMetricVersion);
    options->metric_mode = row.setting.mode;
    options->fpr_limit = row.setting.fpr_limit;
    break;
  }
}

// What else was different, for a reader who wonders why bits differ.
std::vector<std::string> changed_environment(const Environment& then, const Environment& now) {
  std::vector<std::string> changes;
  const auto compare = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b) {
      changes.push_back(fmt::format("{}: '{}' then, '{}' now", what, a, b));
    }
  };
  compare("cpu", then.cpu, now.cpu);
  compare("gpu", then.gpu, now.gpu);
  compare("compiler", then.compiler, now.compiler);
  compare("libraries", canonical_json(then.libraries), canonical_json(now.libraries));
  compare("code", then.code_commit, now.code_commit);
  compare("build", then.build_type, now.build_type);
  return changes;
}

int rerun(const RerunFlags& flags) {
  const auto catalogue = method_catalogue();
  RunRow run;
  RunOptions options;
  {
    const auto store = Store::open_for_read(flags.store);  // an absent store is not created
    run = find_run(store, flags.run);
    ADB_CHECK(run.status == RunStatus::kFinished,
              ErrorKind::kUsage,
              "run {} did not finish ({}): there is nothing to compare with",
              to_int(run.id),
              to_text(run.status));
    ADB_CHECK(!run.external,
              ErrorKind::kUsage,
              "run {} holds maps of another program; only that can repeat it",
              to_int(run.id));
    set_recorded_options(run, store, &options);
  }
  options.folder = runs_folder(flags.store, "");
  const auto resolved = resolve(selection_of(run, flags, catalogue), options.folder);
  check_same_cell(run, resolved->plan);
  options.worker = worker_program();
  options.libtorch = catalogue.libtorch;

  auto store = Store::open_for_write(flags.store);
  store.mark_stale_runs_interrupted();
  const StopRequests stop;
  const auto summary = run_cells(resolved->plan, options, store, stop);
  if (summary.finished == 0) {
    store.close();
    for (const auto& failure : summary.failures) {
      fmt::print(stderr, "adbench: {}\n", failure);
    }
    if (stop.count() > 0) {
      fmt::print(stderr, "adbench: interrupted; nothing was compared\n");
      return exit_code(ErrorKind::kInterrupted);
    }
    return 4;
  }
  const auto again = store.newest_finished(run.key).value();
  const auto difference = diff_runs(store, run.id, store, again.id);
  const auto changes =
      changed_environment(store.environment(run.environment), store.environment(again.environment));
  store.close();
  if (flags.json) {
    print_json("adbench.rerun.1",
               {{"run", to_int(run.id)},
                {"again", to_int(again.id)},
                {"equal", !difference},
                {"difference", difference ? Json(*difference) : Json(nullptr)},
                {"environment_changes", changes}});
  } else {
    fmt::print("run {} repeated as run {}: {}\n",
               to_int(run.id),
               to_int(again.id),
               difference ? "different: " + *difference : "equal");
    for (const auto& change : changes) {
      fmt::print("  {}\n", change);
    }
  }
  return difference ? 5 : 0;
}

}  // namespace

Command rerun_command() {
  return {
      "rerun",
      "repeat a stored run from its record; exit 0 when it is bitwise equal, 5 when not",
      [](CLI::App& app) {
        auto flags = std::make_shared<RerunFlags>();
        app.add_option("run", flags->run, "number, or the beginning of a cell's key")->required();
        add_store_flag(app, &flags->store);
        app.add_option(
            "--dataset", flags->dataset, "folder of the data, when it is not where it was");
        app.add_option("--data-root", flags->data_root, "folder in which the data set lies")
            ->envname("ADBENCH_DATA");
        app.add_option(
            "--textures", flags->textures, "folder of textures, when it is not where it was");
        add_weights_flag(app, &flags->weights_folder);
        add_json_flag(app, &flags->json);
        return [flags] { return rerun(*flags); };
      }};
}

}  // namespace adb
