#include <cstdlib>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/run_flags.h"
#include "core/files.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

struct ConfigFlags {
  fs::path file;
  bool origin = false, user = false, json = false;
};

struct Effective {
  std::string value, origin;
};

// What `run` would use without flags, and where it comes from.
std::map<std::string, Effective> effective() {
  RunFlags flags;
  CLI::App app;
  add_selection_flags(app, &flags.selection);
  add_store_flag(app, &flags.store);
  add_run_flags(app, &flags);
  std::map<std::string, Effective> values;
  for (const auto& [key, help] : config_keys()) {
    const auto* option = app.get_option("--" + key);
    values[key] = {option->get_default_str(), "built in"};
    for (const auto& value : config().values) {
      if (value.key == key) {
        values[key] = {value.value, value.place};
      }
    }
    const auto variable = option->get_envname();
    const char* set = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (set != nullptr && *set != '\0') {
      values[key] = {set, variable};
    }
  }
  return values;
}

int show(const ConfigFlags& flags) {
  const auto values = effective();
  if (flags.json) {
    Json list = Json::array();
    for (const auto& [key, value] : values) {
      list.push_back({{"key", key}, {"value", value.value}, {"origin", value.origin}});
    }
    for (const auto& setting : config().settings) {
      list.push_back(
          {{"key", "set." + setting.path}, {"value", setting.value}, {"origin", setting.place}});
    }
    print_json("adbench.config.1", list);
    return 0;
  }
  const auto line = [&](const std::string& key, const std::string& value, const std::string& from) {
    fmt::print("{:<18} {:<24}{}\n", key, value, flags.origin ? " " + from : "");
  };
  for (const auto& [key, value] : values) {
    line(key, value.value.empty() ? "-" : value.value, value.origin);
  }
  for (const auto& setting : config().settings) {
    line("set " + setting.path, canonical_json(setting.value), setting.place);
  }
  return 0;
}

// The files in use were read before any command; another one is checked the same way.
int check(const ConfigFlags& flags) {
  std::vector<fs::path> files = {flags.file};
  if (flags.file.empty()) {
    files = {user_config_file(), project_config_file()};
  }
  for (const auto& file : files) {
    std::error_code ignored;
    if (flags.file.empty() && (file.empty() || !fs::exists(file, ignored))) {
      continue;
    }
    const auto config = read_config(file);
    RunFlags run;
    CLI::App app;
    add_selection_flags(app, &run.selection);
    add_store_flag(app, &run.store);
    add_run_flags(app, &run);
    apply_config(app, config);
    check_run_flags(&run);
    fmt::print(
        "{}: all well, {} keys\n", file.string(), config.values.size() + config.settings.size());
  }
  return 0;
}

int init(const ConfigFlags& flags) {
  const auto file = flags.user ? user_config_file() : project_config_file();
  ADB_CHECK(!file.empty(), ErrorKind::kUsage, "--user: neither HOME nor XDG_CONFIG_HOME is set");
  ADB_CHECK(!fs::exists(file), ErrorKind::kUsage, "'{}' exists already", file.string());
  std::string text =
      "# Defaults of adbench's flags. Environment variables and flags win; `adbench config show\n"
      "# --origin` says what holds.\n";
  for (const auto& [key, value] : effective()) {
    for (const auto& [name, help] : config_keys()) {
      if (name == key) {
        text += fmt::format("\n# {}\n# {}: {}\n", help, key, value.value);
      }
    }
  }
  text += "\n# options of methods, as --set\n# set:\n#   rd.lr: 0.005\n";
  if (file.has_parent_path()) {
    make_folder(file.parent_path());
  }
  write_file_atomic(file, text);
  fmt::print("wrote {}\n", file.string());
  return 0;
}

}  // namespace

Command config_command() {
  return {
      "config", "defaults of flags from files: show, check, init", [](CLI::App& app) {
        auto flags = std::make_shared<ConfigFlags>();
        auto action = std::make_shared<std::function<int()>>();
        app.require_subcommand(1);
        const auto sub = [&](const char* name, const char* text, int (*act)(const ConfigFlags&)) {
          auto* command = app.add_subcommand(name, text);
          command->callback([=] { *action = [=] { return act(*flags); }; });
          return command;
        };
        auto* shows = sub("show", "what holds without flags", show);
        shows->add_flag("--origin", flags->origin, "and where it comes from");
        add_json_flag(*shows, &flags->json);
        sub("check", "whether a file is right", check)
            ->add_option("file", flags->file, "default: the files in use");
        sub("init", "writes adbench.yaml here, all of it commented out", init)
            ->add_flag("--user", flags->user, "the user's file instead");
        return [action] { return (*action)(); };
      }};
}

}  // namespace adb
