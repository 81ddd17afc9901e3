// adbench: the command line. Builds the table of commands and turns errors into exit codes.
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>

#include "cli/command.h"
#include "core/error.h"
#include "core/text.h"
#include "core/version.h"

namespace {

std::vector<adb::Command> commands() {
  return {adb::run_command(),
          adb::plan_command(),
          adb::eval_command(),
          adb::rescore_command(),
          adb::report_command(),
          adb::list_command(),
          adb::describe_command(),
          adb::verify_command(),
          adb::data_command(),
          adb::store_command(),
          adb::weights_command()};
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

int run(int argc, char** argv) {
  const auto table = commands();
  check_command_name(argc, argv, table);
  CLI::App app("Benchmarks visual anomaly detection: trains, scores, stores, compares.", "adbench");
  app.set_version_flag("--version", adb::version());
  app.require_subcommand(1);
  std::map<const CLI::App*, std::function<int()>> actions;
  for (const auto& command : table) {
    auto* sub = app.add_subcommand(command.name, command.summary);
    actions[sub] = command.set_up(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_code(adb::ErrorKind::kUsage);
  }
  return actions.at(app.get_subcommands().front())();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const adb::Error& e) {
    std::fprintf(stderr, "adbench: %s\n", e.what());
    return adb::exit_code(e.kind());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adbench: internal error: %s\n", e.what());
    return adb::exit_code(adb::ErrorKind::kInternal);
  }
}
