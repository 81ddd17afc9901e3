// What the commands share: one table entry each, the common flags, and how answers are printed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/json.h"
#include "runners/schedule/catalogue.h"
#include "runners/schedule/plan.h"

namespace adb {

// Adds a subcommand with its flags and returns what runs it. The returned function gives the exit
// code and may throw Error.
struct Command {
  const char* name;
  const char* summary;
  std::function<std::function<int()>(CLI::App&)> set_up;
};

// Flags that several commands have.
void add_json_flag(CLI::App& app, bool* json);
void add_store_flag(CLI::App& app, std::filesystem::path* store);  // default ./adbench.sqlite

// --methods, --dataset, --setting and --protocol over stored runs.
struct FilterFlags {
  std::string methods, setting, protocol;
  std::vector<std::string> datasets;
};
void add_filter_flags(CLI::App& app, FilterFlags* flags);
RunFilter filter_from(const FilterFlags& flags);  // `--methods all`, like none, takes every method

void add_weights_flag(CLI::App& app, std::filesystem::path* folder);  // default ./adbench-weights

struct SelectionFlags {
  Selection selection;
  std::string methods, categories, seeds = "42";
  std::vector<std::string> suites, sets;
  std::int64_t epochs = 0;
};
void add_suite_flag(CLI::App& app, std::vector<std::string>* suites);
void add_set_flags(CLI::App& app, SelectionFlags* flags);  // --epochs and --set
void add_selection_flags(CLI::App& app, SelectionFlags* flags);
Selection selection_from(const SelectionFlags& flags);  // throws: Error(kUsage)

// "{schema, data, errors}", pretty-printed on stdout.
void print_json(const std::string& schema,
                const Json& data,
                const std::vector<std::string>& errors = {});

// The methods: the built-in ones and those of plugins (--plugin, ADBENCH_PLUGINS), for which a
// worker is asked. throws: Error(kUsage) of a plugin that cannot be loaded
MethodCatalogue method_catalogue();

// adbench-worker beside this program. throws: Error(kInternal) when it was not built
std::filesystem::path worker_program();

// The sample data set in `folder`, made there unless it is complete.
void make_sample(const std::filesystem::path& folder);
std::filesystem::path sample_folder(const std::filesystem::path& runs_folder);

Command run_command();
Command plan_command();
Command eval_command();
Command report_command();
Command figure_command();
Command rescore_command();
Command list_command();
Command describe_command();
Command verify_command();
Command data_command();
Command speed_command();
Command predict_command();
Command store_command();
Command weights_command();
Command show_command();
Command rerun_command();
Command submit_command();
Command doctor_command();
Command env_command();
Command completion_command();
Command config_command();
Command baseline_command();
Command gate_command();
Command compare_command();
Command track_command();
Command bisect_command();

}  // namespace adb
