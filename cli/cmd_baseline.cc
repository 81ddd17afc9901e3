#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/text.h"
#include "results/store.h"

namespace adb {
namespace {

struct BaselineFlags {
  std::filesystem::path store;
  std::string name;
  FilterFlags filter;
  bool json = false;
};

// A baseline's name stands in reports, comments and file names.
void check_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/-").find(c) != std::string_view::npos;
  };
  ADB_CHECK(!name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), plain),
            ErrorKind::kUsage,
            "a baseline's name has 1 to 100 letters, digits and any of . _ / -, not '{}'",
            name);
}

Baseline find_baseline(const Store& store, const std::string& name) {
  if (auto baseline = store.baseline(name)) {
    return *baseline;
  }
  std::vector<std::string> known;
  for (const auto& other : store.baselines()) {
    known.push_back(other.name);
  }
  ADB_CHECK(!known.empty(),
            ErrorKind::kUsage,
            "store '{}' has no baseline '{}', nor any other",
            store.file().string(),
            name);
  fail(ErrorKind::kUsage, "{}", unknown_name("baseline", name, known));
}

Json to_json(const Store& store, const Baseline& baseline) {
  Json runs = Json::array();
  for (const RunId id : baseline.runs) {
    const auto run = store.run(id);
    runs.push_back({{"run", to_int(id)},
                    {"key", run.key},
                    {"method", run.method},
                    {"dataset", run.dataset},
                    {"setting", run.setting},
                    {"classes", run.classes},
                    {"seed", run.seed},
                    {"protocol", run.protocol},
                    {"commit", store.environment(run.environment).code_commit},
                    {"finished_at", run.finished_at}});
  }
  return {{"name", baseline.name}, {"created_at", baseline.created_at}, {"runs", runs}};
}

int set(const BaselineFlags& flags) {
  check_name(flags.name);
  {
    // Only to read: a missing store is no reason to make one.
    Store::open_for_read(flags.store);
  }
  auto store = Store::open_for_write(flags.store);
  auto filter = filter_from(flags.filter);
  filter.statuses = {RunStatus::kFinished};
  filter.newest_per_key = true;
  std::vector<RunId> runs;
  for (const auto& run : store.find_runs(filter)) {
    runs.push_back(run.id);
  }
  ADB_CHECK(!runs.empty(),
            ErrorKind::kUsage,
            "store '{}' has no finished run of this selection to make a baseline of",
            flags.store.string());
  store.set_baseline(flags.name, runs);
  const auto baseline = find_baseline(store, flags.name);
  if (flags.json) {
    print_json("adbench.baseline.1", to_json(store, baseline));
  } else {
    fmt::print("baseline '{}': the newest finished run of {} cell{}\n",
               flags.name,
               runs.size(),
               runs.size() == 1 ? "" : "s");
  }
  store.close();
  return 0;
}

int list(const BaselineFlags& flags) {
  const auto store = Store::open_for_read(flags.store);
  Json names = Json::array();
  for (const auto& baseline : store.baselines()) {
    names.push_back({{"name", baseline.name},
                     {"created_at", baseline.created_at},
                     {"runs", baseline.runs.size()}});
    if (!flags.json) {
      fmt::print("{}  {}  {} run{}\n",
                 baseline.name,
                 baseline.created_at,
                 baseline.runs.size(),
                 baseline.runs.size() == 1 ? "" : "s");
    }
  }
  if (flags.json) {
    print_json("adbench.baselines.1", names);
  } else if (names.empty()) {
    fmt::print(stderr, "no baseline in '{}'\n", flags.store.string());
  }
  return 0;
}

int show(const BaselineFlags& flags) {
  const auto store = Store::open_for_read(flags.store);
  const auto baseline = find_baseline(store, flags.name);
  if (flags.json) {
    print_json("adbench.baseline.1", to_json(store, baseline));
    return 0;
  }
  fmt::print("baseline '{}', set {}\n", baseline.name, baseline.created_at);
  for (const RunId id : baseline.runs) {
    const auto run = store.run(id);
    const auto commit = store.environment(run.environment).code_commit;
    fmt::print("run {}: {} on {}, {}{}, protocol {}, seed {}, code {}, finished {}\n",
               to_int(id),
               run.method,
               run.dataset,
               run.setting,
               run.setting == "single" ? fmt::format(" {}", join(run.classes, ",")) : "",
               run.protocol,
               run.seed,
               commit.empty() ? "unknown" : commit.substr(0, 12),
               run.finished_at);
  }
  return 0;
}

int remove(const BaselineFlags& flags) {
  find_baseline(Store::open_for_read(flags.store), flags.name);
  auto store = Store::open_for_write(flags.store);
  store.remove_baseline(flags.name);
  store.close();
  if (flags.json) {
    print_json("adbench.baseline-rm.1", {{"name", flags.name}});
  } else {
    fmt::print("baseline '{}' removed; its runs are kept\n", flags.name);
  }
  return 0;
}

}  // namespace

Command baseline_command() {
  return {"baseline", "named runs to compare with: set, list, show, rm", [](CLI::App& app) {
            auto flags = std::make_shared<BaselineFlags>();
            auto action = std::make_shared<std::function<int()>>();
            app.require_subcommand(1);
            const auto sub =
                [&](const char* name, const char* summary, int (*act)(const BaselineFlags&)) {
                  auto* command = app.add_subcommand(name, summary);
                  command->callback([=] { *action = [=] { return act(*flags); }; });
                  add_store_flag(*command, &flags->store);
                  add_json_flag(*command, &flags->json);
                  return command;
                };
            auto* sets = sub("set", "takes the newest finished run of every cell", set);
            sets->add_option("name", flags->name, "replaced when it exists")->required();
            add_filter_flags(*sets, &flags->filter);
            sub("list", "names, times and sizes", list);
            sub("show", "the runs of one", show)->add_option("name", flags->name)->required();
            sub("rm", "forgets the name, keeps the runs", remove)
                ->add_option("name", flags->name)
                ->required();
            return [action] { return (*action)(); };
          }};
}

}  // namespace adb
