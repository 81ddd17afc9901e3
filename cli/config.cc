#include "cli/config.h"

#include <algorithm>
#include <cstdlib>

#include "core/text.h"
#include "core/yaml.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

void read_settings(const YamlNode& node, Config* config) {
  for (const auto& [path, value] : node.entries) {
    config->settings.push_back(
        {path, value.quoted ? Json(value.scalar) : value.value(), value.place});
  }
}

}  // namespace

fs::path user_config_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && *config != '\0') {
    return fs::path(config) / "adbench/config.yaml";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path()
                                          : fs::path(home) / ".config/adbench/config.yaml";
}

fs::path project_config_file() {
  return "adbench.yaml";
}

const std::vector<std::pair<std::string, std::string>>& config_keys() {
  static const std::vector<std::pair<std::string, std::string>> keys = {
      {"store", "result store"},
      {"data-root", "folder in which data sets are looked for by name"},
      {"weights-dir", "folder of pretrained weights"},
      {"textures", "folder of texture images"},
      {"protocol", "protocol of run, plan and submit"},
      {"setting", "multi or single"},
      {"seeds", "42, 0..4 or 1,5,9"},
      {"devices", "auto, cpu or cuda:0,1"},
      {"slots", "CPU workers at a time"},
      {"timeout", "limit of one job, 6h"},
      {"max-rss", "memory limit of one worker, 24G"},
      {"retries", "of a job that crashed, hung or ran out of memory"},
      {"feature-cache", "auto, off, memory or disk"},
      {"save-maps", "none, worst:N or all"},
      {"metric-mode", "exact or ader"},
      {"fpr-limit", "of AU-PRO"},
      {"checkpoint-every", "seconds between checkpoints"}};
  return keys;
}

Config read_config(const fs::path& file) {
  Config config;
  const auto root = read_yaml(file);
  ADB_CHECK(root.kind == YamlNode::Kind::kMap || root.kind == YamlNode::Kind::kNull,
            ErrorKind::kConfig,
            "{}: expected KEY: VALUE lines",
            root.place);
  for (const auto& [key, node] : root.entries) {
    if (key == "set") {
      read_settings(node, &config);
      continue;
    }
    std::vector<std::string> known = {"set"};
    for (const auto& [name, help] : config_keys()) {
      known.push_back(name);
    }
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: {}", node.place, unknown_name("key", key, known)));
    }
    ADB_CHECK(node.entries.empty() && !node.scalar.empty(),
              ErrorKind::kConfig,
              "{}: {}: expected one value",
              node.place,
              key);
    config.values.push_back({key, node.scalar, node.place});
  }
  return config;
}

const Config& config() {
  static const Config merged = [] {
    Config all;
    for (const auto& file : {user_config_file(), project_config_file()}) {
      std::error_code ignored;
      if (file.empty() || !fs::is_regular_file(file, ignored)) {
        continue;
      }
      const auto one = read_config(file);
      all.values.insert(all.values.end(), one.values.begin(), one.values.end());
      all.settings.insert(all.settings.end(), one.settings.begin(), one.settings.end());
    }
    return all;
  }();
  return merged;
}

void apply_config(CLI::App& command, const Config& config) {
  for (const auto& value : config.values) {
    auto* option = command.get_option_no_throw("--" + value.key);
    if (option == nullptr) {
      continue;
    }
    try {
      option->default_val(value.value);
    } catch (const CLI::Error& e) {
      fail(ErrorKind::kConfig, "{}: {}: {}", value.place, value.key, e.what());
    }
  }
  for (auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    apply_config(*sub, config);
  }
}

}  // namespace adb
