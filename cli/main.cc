// adbench: the command line. Builds the table of commands and turns errors into exit codes.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <system_error>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/streams.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace {

std::vector<adb::Command> commands() {
  return {
      adb::run_command(),      adb::plan_command(),       adb::submit_command(),
      adb::eval_command(),     adb::predict_command(),    adb::rescore_command(),
      adb::verify_command(),   adb::speed_command(),      adb::report_command(),
      adb::figure_command(),   adb::compare_command(),    adb::gate_command(),
      adb::baseline_command(), adb::track_command(),      adb::bisect_command(),
      adb::list_command(),     adb::describe_command(),   adb::show_command(),
      adb::rerun_command(),    adb::data_command(),       adb::weights_command(),
      adb::store_command(),    adb::doctor_command(),     adb::env_command(),
      adb::config_command(),   adb::completion_command(),
  };
}

// CLI11 says only that a word was not expected; an unknown command gets the nearest name.
void check_command_name(int argc, char** argv, const std::vector<adb::Command>& known) {
  if (argc < 2 || argv[1][0] == '-') {
    return;
  }
  std::vector<std::string> names;
  for (const auto& command : known) {
    names.emplace_back(command.name);
    if (names.back() == argv[1]) {
      return;
    }
  }
  throw adb::Error(adb::ErrorKind::kUsage, adb::unknown_name("command", argv[1], names));
}

// Workers, and commands that ask for methods, find plugins in the environment.
void add_plugins(const std::vector<std::filesystem::path>& files) {
  const char* before = std::getenv("ADBENCH_PLUGINS");
  std::string all = before == nullptr ? "" : before;
  for (const auto& file : files) {
    all += (all.empty() ? "" : ":") + std::filesystem::absolute(file).string();
  }
  if (!files.empty()) {
    ::setenv("ADBENCH_PLUGINS", all.c_str(), 1);
  }
}

int run(int argc, char** argv) {
  const auto table = commands();
  check_command_name(argc, argv, table);
  CLI::App app("Benchmarks visual anomaly detection: trains, scores, stores, compares.", "adbench");
  app.set_version_flag("--version", adb::version());
  app.require_subcommand(1);
  app.fallthrough();  // what follows may stand behind the command as well
  std::vector<std::filesystem::path> plugins;
  app.add_option("--plugin", plugins, "shared object with more methods; may be repeated")
      ->take_all()
      ->check(CLI::ExistingFile);
  std::map<const CLI::App*, std::function<int()>> actions;
  for (const auto& command : table) {
    auto* sub = app.add_subcommand(command.name, command.summary);
    actions[sub] = command.set_up(*sub);
  }
  adb::apply_config(app, adb::config());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_code(adb::ErrorKind::kUsage);
  }
  add_plugins(plugins);
  return actions.at(app.get_subcommands().front())();
}

// An answer that did not reach its file is no answer.
int flush_answer(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
    return code;
  }
  std::fprintf(stderr,
               "adbench: cannot write to standard output: %s\n",
               errno != 0 ? std::strerror(errno) : "a write failed");
  return code != 0 ? code : exit_code(adb::ErrorKind::kData);
}

}  // namespace

int main(int argc, char** argv) {
  adb::outlive_readers();
  try {
    return flush_answer(run(argc, argv));
  } catch (const adb::Error& e) {
    std::fprintf(stderr, "adbench: %s\n", e.what());
    return adb::exit_code(e.kind());
  } catch (const std::system_error& e) {  // what fmt::print() throws
    std::fprintf(stderr, "adbench: %s\n", e.what());
    return adb::exit_code(adb::ErrorKind::kData);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adbench: internal error: %s\n", e.what());
    return adb::exit_code(adb::ErrorKind::kInternal);
  }
}
