#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "results/diff.h"
#include "results/maintenance.h"

namespace adb {
namespace {

struct StoreFlags {
  std::filesystem::path store;
  std::filesystem::path a, b;
  std::vector<std::filesystem::path> sources;
  bool json = false;
};

int check(const StoreFlags& flags) {
  const auto problems = check_store(flags.store);
  if (flags.json) {
    print_json("adbench.store-check.1", problems);
  } else if (problems.empty()) {
    fmt::print("{}: all well\n", flags.store.string());
  }
  for (const auto& problem : problems) {
    fmt::print(stderr, "{}\n", problem);
  }
  return problems.empty() ? 0 : exit_code(ErrorKind::kStore);
}

int diff(const StoreFlags& flags) {
  const auto a = Store::open_for_read(flags.a);
  const auto b = Store::open_for_read(flags.b);
  const auto difference = diff_stores(a, b);
  if (flags.json) {
    print_json("adbench.store-diff.1",
               {{"equal", !difference}, {"difference", difference.value_or("")}});
  } else {
    fmt::print("{}\n", difference ? "different: " + *difference : "equal");
  }
  return difference ? 5 : 0;
}

int merge(const StoreFlags& flags) {
  // All are opened before anything is written.
  std::vector<Store> sources;
  for (const auto& file : flags.sources) {
    std::error_code error;
    ADB_CHECK(!std::filesystem::equivalent(file, flags.store, error),
              ErrorKind::kUsage,
              "'{}' is the store that is merged into",
              file.string());
    sources.push_back(Store::open_for_read(file));
  }
  auto into = Store::open_for_write(flags.store);
  MergeReport total;
  for (const auto& source : sources) {
    const auto report = merge_stores(into, source);
    total.added += report.added;
    total.already_there += report.already_there;
    total.unfinished += report.unfinished;
    total.contradictions.insert(
        total.contradictions.end(), report.contradictions.begin(), report.contradictions.end());
  }
  into.close();
  if (flags.json) {
    print_json("adbench.store-merge.1",
               {{"added", total.added},
                {"already_there", total.already_there},
                {"unfinished", total.unfinished},
                {"contradictions", total.contradictions}});
  } else {
    fmt::print("{} runs added, {} already there, {} unfinished left out\n",
               total.added,
               total.already_there,
               total.unfinished);
  }
  for (const auto& line : total.contradictions) {
    fmt::print(stderr, "contradiction: {}\n", line);
  }
  return total.contradictions.empty() ? 0 : 5;
}

int gc(const StoreFlags& flags) {
  auto store = Store::open_for_write(flags.store);
  const auto removed = remove_superseded(store);
  store.close();
  const auto folder = std::filesystem::absolute(flags.store).parent_path();
  for (const auto& run : removed) {
    if (!run.folder.empty()) {
      std::filesystem::remove_all(folder / run.folder);
    }
  }
  fmt::print("{} superseded attempts removed\n", removed.size());
  return 0;
}

}  // namespace

Command store_command() {
  return {
      "store",
      "check, diff, backup, export, import, merge, migrate, gc of result stores",
      [](CLI::App& app) {
        auto flags = std::make_shared<StoreFlags>();
        auto action = std::make_shared<std::function<int()>>();
        app.require_subcommand(1);
        const auto sub = [&](const char* name, const char* summary, int (*act)(const StoreFlags&)) {
          auto* command = app.add_subcommand(name, summary);
          command->callback([=] { *action = [=] { return act(*flags); }; });
          return command;
        };
        auto* checks = sub("check", "structure, references, schema and hashes of artifacts", check);
        add_store_flag(*checks, &flags->store);
        add_json_flag(*checks, &flags->json);

        auto* diffs = sub(
            "diff", "exit 0 when the results are bitwise equal, 5 with the first difference", diff);
        diffs->add_option("a", flags->a, "a store")->required();
        diffs->add_option("b", flags->b, "another")->required();
        add_json_flag(*diffs, &flags->json);

        auto* backup = sub("backup", "a consistent copy", [](const StoreFlags& f) {
          backup_store(f.store, f.a);
          fmt::print("{}: a copy of {}\n", f.a.string(), f.store.string());
          return 0;
        });
        add_store_flag(*backup, &flags->store);
        backup->add_option("to", flags->a, "file to write")->required();

        auto* exports = sub("export", "every table as CSV and JSON", [](const StoreFlags& f) {
          export_store(f.store, f.a);
          fmt::print("{}: every table as .csv and .json\n", f.a.string());
          return 0;
        });
        add_store_flag(*exports, &flags->store);
        exports->add_option("to", flags->a, "folder to write")->required();

        auto* imports =
            sub("import", "a new store from an exported folder", [](const StoreFlags& f) {
              fmt::print("{}: {} runs\n", f.store.string(), import_store(f.a, f.store));
              return 0;
            });
        add_store_flag(*imports, &flags->store);
        imports->add_option("from", flags->a, "folder that `store export` wrote")->required();

        auto* merges = sub("merge", "adds the runs of other stores; again changes nothing", merge);
        add_store_flag(*merges, &flags->store);
        add_json_flag(*merges, &flags->json);
        merges->add_option("from", flags->sources, "the other stores")->required();

        auto* migrates = sub(
            "migrate",
            "brings a store to the newest schema, after a backup",
            [](const StoreFlags& f) {
              const auto before = migrate_store(f.store);
              const auto now = Store::open_for_read(f.store).schema_version();
              fmt::print("{}: schema {}{}\n",
                         f.store.string(),
                         now,
                         before == now ? ", the newest already" : fmt::format(", was {}", before));
              return 0;
            });
        add_store_flag(*migrates, &flags->store);

        add_store_flag(*sub("gc", "removes failed attempts of cells that finished later", gc),
                       &flags->store);
        return [action] { return (*action)(); };
      }};
}

}  // namespace adb
