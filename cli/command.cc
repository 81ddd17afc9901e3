#include "cli/command.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "cli/config.h"
#include "cli/suites.h"
#include "core/files.h"
#include "core/text.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

std::int64_t whole_number(std::string_view text, const std::string& flag) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  ADB_CHECK(parsed.ec == std::errc() && parsed.ptr == end && value >= 0,
            ErrorKind::kUsage,
            "{}: expected a number, got '{}'",
            flag,
            text);
  return value;
}

// "0..4", "1,5,9" or "42".
std::vector<std::int64_t> seeds_from(const std::string& text) {
  std::vector<std::int64_t> seeds;
  for (const auto& part : split(text, ',')) {
    const auto dots = part.find("..");
    const auto first = whole_number(part.substr(0, dots), "--seeds");
    const auto last =
        dots == std::string::npos ? first : whole_number(part.substr(dots + 2), "--seeds");
    ADB_CHECK(first <= last && last - first < 1000,
              ErrorKind::kUsage,
              "--seeds: '{}' is not a range of up to 1000 seeds",
              part);
    for (auto seed = first; seed <= last; ++seed) {
      if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) {
        seeds.push_back(seed);
      }
    }
  }
  ADB_CHECK(!seeds.empty(), ErrorKind::kUsage, "--seeds: none given");
  return seeds;
}

}  // namespace

void add_json_flag(CLI::App& app, bool* json) {
  app.add_flag("--json", *json, "answer as JSON on stdout");
}

void add_store_flag(CLI::App& app, std::filesystem::path* store) {
  *store = "adbench.sqlite";
  app.add_option("--store", *store, "result store")
      ->envname("ADBENCH_STORE")
      ->capture_default_str();
}

void add_filter_flags(CLI::App& app, FilterFlags* flags) {
  app.add_option("--methods", flags->methods, "names separated by commas (default: all)");
  app.add_option("--dataset", flags->datasets, "data set names; may be repeated");
  app.add_option("--setting", flags->setting, "multi or single")
      ->check(CLI::IsMember({"multi", "single"}));
  app.add_option("--protocol", flags->protocol, "only this protocol");
}

RunFilter filter_from(const FilterFlags& flags) {
  RunFilter filter;
  filter.datasets = flags.datasets;
  if (const auto methods = split(flags.methods, ','); methods != std::vector<std::string>{"all"}) {
    filter.methods = methods;
  }
  if (!flags.protocol.empty()) {
    filter.protocols = {flags.protocol};
  }
  if (!flags.setting.empty()) {
    filter.settings = {flags.setting};
  }
  return filter;
}

void add_weights_flag(CLI::App& app, std::filesystem::path* folder) {
  *folder = "adbench-weights";
  app.add_option("--weights-dir", *folder, "folder of pretrained weights")
      ->envname("ADBENCH_WEIGHTS")
      ->capture_default_str();
}

void add_suite_flag(CLI::App& app, std::vector<std::string>* suites) {
  app.add_option(
         "--suite",
         *suites,
         "a table's cells, see `adbench list suites`; may be repeated. Other flags override "
         "what it says")
      ->take_all();
}

void add_set_flags(CLI::App& app, SelectionFlags* flags) {
  app.add_option("--epochs", flags->epochs, "short for --set epochs=N")->check(CLI::PositiveNumber);
  app.add_option("-S,--set", flags->sets, "OPTION=VALUE or METHOD.OPTION=VALUE; may be repeated")
      ->take_all();
}

void add_selection_flags(CLI::App& app, SelectionFlags* flags) {
  auto& s = flags->selection;
  add_suite_flag(app, &flags->suites);
  app.add_option("--methods",
                 flags->methods,
                 "all, or names separated by commas; with --suite only its rows of these");
  app.add_option(
      "--dataset", s.datasets, "name or folder; may be repeated (default: the sample data set)");
  app.add_option("--data-root", s.data_root, "folder in which NAME of --dataset is looked for")
      ->envname("ADBENCH_DATA");
  app.add_option("--categories", flags->categories, "only these, separated by commas");
  app.add_option("--setting", s.setting, "multi: one model for all classes; single: one per class")
      ->check(CLI::IsMember({"multi", "single"}));
  app.add_option("--seeds", flags->seeds, "42, 0..4 or 1,5,9")->capture_default_str();
  app.add_option("--protocol",
                 s.protocol,
                 "see `adbench list protocols` (default: sample without --dataset, else paper)");
  add_set_flags(app, flags);
  add_weights_flag(app, &s.weights_folder);
  app.add_option(
      "--textures", s.textures, "folder of texture images (default: procedural textures)");
}

Selection selection_from(const SelectionFlags& flags) {
  Selection selection = flags.selection;
  ADB_CHECK(!flags.methods.empty() || !flags.suites.empty(),
            ErrorKind::kUsage,
            "--methods is required: all, or names from `adbench list methods`; or give a --suite");
  selection.suites = open_suites(flags.suites);
  selection.methods = split(flags.methods, ',');
  selection.categories = split(flags.categories, ',');
  selection.seeds = seeds_from(flags.seeds);
  const auto& methods = selection.methods;
  const bool all = std::find(methods.begin(), methods.end(), "all") != methods.end();
  for (const auto& setting : config().settings) {  // those of methods that are not chosen wait
    const auto method = setting.path.substr(0, setting.path.find('.'));
    if (method == setting.path || all ||
        std::find(methods.begin(), methods.end(), method) != methods.end()) {
      selection.settings.push_back(setting);
    }
  }
  for (const auto& text : flags.sets) {
    selection.settings.push_back(parse_setting(text));
  }
  if (flags.epochs > 0) {
    selection.settings.push_back({"epochs", flags.epochs, "--epochs"});
  }
  // A protocol of reduced size without data means the sample data, and so does naming nothing.
  ADB_CHECK(!selection.suites.empty() || !selection.datasets.empty() ||
                selection.protocol.empty() || selection.protocol == "sample" ||
                selection.protocol == "smoke",
            ErrorKind::kUsage,
            "--protocol {} needs --dataset NAME or FOLDER",
            selection.protocol);
  return selection;
}

void print_json(const std::string& schema,
                const Json& data,
                const std::vector<std::string>& errors) {
  const Json answer = {{"schema", schema}, {"data", data}, {"errors", errors}};
  std::puts(answer.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

std::filesystem::path worker_program() {
  auto worker = program_folder() / "adbench-worker";
  ADB_CHECK(
      std::filesystem::exists(worker), ErrorKind::kInternal, "'{}' is missing", worker.string());
  return worker;
}

MethodCatalogue method_catalogue() {
  auto catalogue = read_method_catalogue(share_folder());
  const char* plugins = std::getenv("ADBENCH_PLUGINS");
  if (plugins == nullptr || *plugins == '\0') {
    return catalogue;
  }
  // The built-in ones are known, and describing them anew takes seconds.
  const auto answer = ask_worker({worker_program().string(), "describe", "--only-plugins"}, "");
  ADB_CHECK(answer.end.signal == 0 && answer.end.code == 0,
            answer.end.code == 2 ? ErrorKind::kUsage : ErrorKind::kInternal,
            "{}",
            answer.err);
  const std::string where = "adbench-worker describe";
  const auto brought =
      method_catalogue_from_json(parse_json(answer.out, where, ErrorKind::kInternal), where);
  for (const auto& method : brought.methods) {
    catalogue.methods.add(method);
  }
  return catalogue;
}

}  // namespace adb
