#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/run_lookup.h"
#include "results/store.h"

namespace adb {
namespace {

struct ShowFlags {
  std::filesystem::path store;
  std::string run;
  std::int64_t log_lines = 10;
  bool json = false;
};

// The last lines of a text file, of its last 64 KiB at most; none when it is not there.
std::vector<std::string> tail(const std::filesystem::path& file, std::int64_t lines) {
  constexpr std::streamoff kMost = 64 << 10;
  std::ifstream in(file, std::ios::binary);
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  std::vector<std::string> found;
  if (!in || size <= 0) {
    return found;
  }
  in.seekg(std::max<std::streamoff>(0, size - kMost));
  for (std::string line; std::getline(in, line);) {
    found.push_back(line);
  }
  const auto keep = static_cast<std::size_t>(std::max<std::int64_t>(lines, 0));
  if (found.size() > keep) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(keep));
  }
  return found;
}

Json run_json(const RunRow& run) {
  Json changed = Json::array();
  for (const auto& option : run.changed_options) {
    changed.push_back({{"path", option.path},
                       {"value", option.value},
                       {"default", option.default_value},
                       {"origin", option.origin}});
  }
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  return {{"run", to_int(run.id)},
          {"key", run.key},
          {"attempt", run.attempt},
          {"method", run.method},
          {"method_version", run.method_version},
          {"dataset", run.dataset},
          {"setting", run.setting},
          {"classes", run.classes},
          {"seed", run.seed},
          {"protocol", run.protocol},
          {"protocol_version", run.protocol_version},
          {"protocol_config", run.protocol_config},
          {"epoch_rule", run.epoch_rule},
          {"options", run.options},
          {"changed_options", changed},
          {"weights",
           {{"name", run.weights.name},
            {"source", run.weights.source},
            {"resolved", run.weights.resolved}}},
          {"data_manifest", run.data_manifest},
          {"textures", run.textures},
          {"status", to_text(run.status)},
          {"reason", run.reason},
          {"host", run.host},
          {"pid", run.pid},
          {"started_at", run.started_at},
          {"finished_at", run.finished_at},
          {"folder", run.folder},
          {"threads", run.threads},
          {"device", run.device},
          {"epochs", run.epochs},
          {"reported_epoch", number(run.reported_epoch)},
          {"last_epoch", number(run.last_epoch)},
          {"external", run.external},
          {"notes", run.notes}};
}

Json environment_json(const Environment& e) {
  return {{"host", e.host},
          {"cpu", e.cpu},
          {"gpu", e.gpu},
          {"compiler", e.compiler},
          {"libraries", e.libraries},
          {"code_commit", e.code_commit},
          {"build_type", e.build_type}};
}

// The newest value of every curve.
std::map<std::string, CurveRow> last_values(const Store& store, RunId run) {
  std::map<std::string, CurveRow> last;
  for (const auto& row : store.curves(run)) {
    if (const auto found = last.find(row.name);
        found == last.end() || found->second.epoch <= row.epoch) {
      last[row.name] = row;
    }
  }
  return last;
}

// Means over the categories at the reported epoch, or at the last test there is.
std::vector<MetricRow> mean_metrics(const Store& store, const RunRow& run) {
  const auto all = store.metrics(run.id);
  std::int64_t epoch = run.reported_epoch.value_or(0);
  for (const auto& row : all) {
    epoch = run.reported_epoch ? epoch : std::max(epoch, row.epoch);
  }
  std::vector<MetricRow> means;
  std::copy_if(all.begin(), all.end(), std::back_inserter(means), [&](const MetricRow& row) {
    return row.category.empty() && row.epoch == epoch;
  });
  return means;
}

Json details_json(const Store& store, const RunRow& run, const std::vector<std::string>& log) {
  Json curves = Json::object();
  for (const auto& [name, row] : last_values(store, run.id)) {
    curves[name] = {{"epoch", row.epoch}, {"value", row.value}};
  }
  Json metrics = Json::array();
  for (const auto& row : mean_metrics(store, run)) {
    metrics.push_back({{"key", row.key},
                       {"epoch", row.epoch},
                       {"value", row.value ? Json(*row.value) : Json(nullptr)},
                       {"reason", row.value ? Json(nullptr) : Json(row.reason)},
                       {"metric_mode", row.setting.mode},
                       {"metric_version", row.setting.version},
                       {"fpr_limit", row.setting.fpr_limit},
                       {"eval_size", row.setting.eval_size}});
  }
  Json efficiency = Json::array();
  for (const auto& row : store.efficiency(run.id)) {
    efficiency.push_back({{"key", row.key},
                          {"value", row.value ? Json(*row.value) : Json(nullptr)},
                          {"unit", row.unit},
                          {"note", row.note}});
  }
  Json artifacts = Json::array();
  for (const auto& row : store.artifacts(run.id)) {
    artifacts.push_back({{"kind", row.kind},
                         {"epoch", row.epoch},
                         {"path", row.path},
                         {"sha256", row.sha256},
                         {"bytes", row.bytes}});
  }
  return {{"run", run_json(run)},
          {"environment", environment_json(store.environment(run.environment))},
          {"curves", curves},
          {"metrics", metrics},
          {"efficiency", efficiency},
          {"artifacts", artifacts},
          {"log_tail", log}};
}

void print_field(const char* name, const std::string& value) {
  if (!value.empty()) {
    fmt::print("{:<14} {}\n", name, value);
  }
}

void print_details(const Store& store, const RunRow& run, const std::vector<std::string>& log) {
  const auto e = store.environment(run.environment);
  fmt::print("run {}: {} on {}, {}, seed {}\n\n",
             to_int(run.id),
             run.method_title,
             run.dataset,
             run.setting,
             run.seed);
  print_field("status", std::string(to_text(run.status)));
  print_field("reason", run.reason);
  print_field("notes", run.notes);
  print_field("key", fmt::format("{} (attempt {})", run.key, run.attempt));
  print_field("started", run.started_at);
  print_field("ended", run.finished_at);
  print_field("protocol",
              fmt::format("{} (version {}), {} epochs, reports {}",
                          run.protocol,
                          run.protocol_version,
                          run.epochs,
                          run.epoch_rule == "last" ? "the last" : "the best pixel AUROC"));
  print_field("method", fmt::format("{} (version {})", run.method, run.method_version));
  print_field("classes", fmt::format("{}", fmt::join(run.classes, ", ")));
  print_field("data", "manifest " + run.data_manifest);
  print_field("weights",
              run.weights.resolved.empty() ? ""
              : run.weights.random()
                  ? "random"
                  : fmt::format("{} (sha256 {})", run.weights.name, run.weights.resolved));
  print_field("textures", run.textures);
  print_field("place",
              fmt::format("{}, {} threads, {}{}{}",
                          run.device,
                          run.threads,
                          e.cpu,
                          e.gpu.empty() ? "" : ", " + e.gpu,
                          e.host.empty() ? "" : ", host " + e.host));
  print_field("code",
              fmt::format("{}, {}, {}, libraries {}",
                          e.code_commit,
                          e.build_type,
                          e.compiler,
                          canonical_json(e.libraries)));
  print_field("folder", run.folder);

  std::map<std::string, std::string> origins;
  for (const auto& option : run.changed_options) {
    origins[option.path] =
        fmt::format("{} (recipe: {})", option.origin, canonical_json(option.default_value));
  }
  const auto overlay = run.protocol_config.value("changed_from_default", Json::object());
  fmt::print("\noptions\n");
  for (const auto& [path, value] : run.options.items()) {
    fmt::print("  {:<28} {:<16} {}\n",
               path,
               canonical_json(value),
               origins.contains(path)   ? origins[path]
               : overlay.contains(path) ? "protocol " + run.protocol
                                        : "default");
  }
  fmt::print("\ncurves, last values\n");
  for (const auto& [name, row] : last_values(store, run.id)) {
    fmt::print("  {:<28} {:<16.6g} epoch {}\n", name, row.value, row.epoch);
  }
  fmt::print("\nmeans over the classes\n");
  for (const auto& row : mean_metrics(store, run)) {
    fmt::print("  {:<28} {:<16} epoch {}, {}\n",
               row.key,
               row.value ? fmt::format("{:.6f}", *row.value) : "n/a: " + row.reason,
               row.epoch,
               row.setting.mode);
  }
  fmt::print("\nefficiency\n");
  for (const auto& row : store.efficiency(run.id)) {
    fmt::print("  {:<28} {:<16} {}\n",
               row.key,
               row.value ? fmt::format("{:.6g} {}", *row.value, row.unit) : "n/a",
               row.note);
  }
  if (!log.empty()) {
    fmt::print("\nworker.log, last lines\n");
    for (const auto& line : log) {
      fmt::print("  {}\n", line);
    }
  }
}

void print_list(const std::vector<RunRow>& runs) {
  fmt::print("{:>5} {:<12} {:<10} {:<14} {:<7} {:>6} {:<9} {:<13} {}\n",
             "run",
             "key",
             "method",
             "data",
             "setting",
             "seed",
             "protocol",
             "status",
             "started");
  for (const auto& run : runs) {
    fmt::print("{:>5} {:<12.12} {:<10} {:<14} {:<7} {:>6} {:<9} {:<13} {}\n",
               to_int(run.id),
               run.key,
               run.method,
               run.dataset,
               run.setting,
               run.seed,
               run.protocol,
               to_text(run.status),
               run.started_at);
  }
}

int show(const ShowFlags& flags) {
  const auto store = Store::open_for_read(flags.store);
  if (flags.run.empty()) {
    const auto runs = store.find_runs();
    if (flags.json) {
      Json list = Json::array();
      for (const auto& run : runs) {
        list.push_back(run_json(run));
      }
      print_json("adbench.runs.1", list);
    } else {
      print_list(runs);
    }
    return 0;
  }
  const auto run = find_run(store, flags.run);
  const auto folder = std::filesystem::absolute(flags.store).parent_path() / run.folder;
  const auto log = run.folder.empty() ? std::vector<std::string>()
                                      : tail(folder / "worker.log", flags.log_lines);
  if (flags.json) {
    print_json("adbench.run.1", details_json(store, run, log));
  } else {
    print_details(store, run, log);
  }
  return 0;
}

}  // namespace

Command show_command() {
  return {"show", "everything about one run; without a run, a list of them", [](CLI::App& app) {
            auto flags = std::make_shared<ShowFlags>();
            app.add_option("run", flags->run, "number, or the beginning of a cell's key");
            add_store_flag(app, &flags->store);
            app.add_option("--log-lines", flags->log_lines, "lines of the worker's log")
                ->check(CLI::NonNegativeNumber)
                ->capture_default_str();
            add_json_flag(app, &flags->json);
            return [flags] { return show(*flags); };
          }};
}

}  // namespace adb
