// Defaults of flags from configuration files: the user's, then the project's adbench.yaml in the
// current folder. Environment variables and flags win over both.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "runners/schedule/plan.h"

namespace adb {

struct ConfigValue {
  std::string key;    // a flag without dashes, "weights-dir"
  std::string value;  // as on the command line
  std::string place;  // "adbench.yaml:3:14"
};

struct Config {
  std::vector<ConfigValue> values;  // later ones win
  std::vector<Setting> settings;    // of `set`, like --set but weaker
};

// $XDG_CONFIG_HOME/adbench/config.yaml, or ~/.config/adbench/config.yaml; "" without a home.
std::filesystem::path user_config_file();
std::filesystem::path project_config_file();  // ./adbench.yaml

// The keys that a file may have beside `set`, with a line of help each.
const std::vector<std::pair<std::string, std::string>>& config_keys();

// throws: Error(kConfig) "FILE:LINE:COLUMN: ..." for an unknown key or a value of a wrong kind
Config read_config(const std::filesystem::path& file);

// Both files, where they exist.
const Config& config();

// Sets the values as defaults of the flags that a command has.
//   throws: Error(kConfig) naming the place of a value that the flag does not take
void apply_config(CLI::App& command, const Config& config);

}  // namespace adb
