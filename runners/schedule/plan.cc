#include "runners/schedule/plan.h"

#include <algorithm>
#include <map>

#include "core/files.h"
#include "core/hash.h"
#include "core/yaml.h"
#include "datasets/catalog.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

const char* const kSample = "sample";

std::vector<const MethodInfo*> select_methods(const std::vector<std::string>& names,
                                              const Registry<MethodInfo>& methods) {
  std::vector<const MethodInfo*> chosen;
  const auto add = [&](const MethodInfo& method) {
    if (std::find(chosen.begin(), chosen.end(), &method) == chosen.end()) {
      chosen.push_back(&method);
    }
  };
  for (const auto& name : names) {
    if (name != "all") {
      add(methods.at(name));
      continue;
    }
    for (const auto& method : methods) {
      if (method.name != "null") {
        add(method);
      }
    }
  }
  ADB_CHECK(!chosen.empty(),
            ErrorKind::kUsage,
            "no method chosen; --methods all, or names from `adbench list methods`");
  return chosen;
}

// The settings of a file configs/methods/METHOD/OVERLAY.yaml. A method without it runs with its
// defaults.
std::vector<Setting> overlay_settings(const fs::path& share,
                                      const MethodInfo& method,
                                      const std::string& overlay) {
  std::vector<Setting> settings;
  const auto file = share / "methods" / method.name / (overlay + ".yaml");
  if (overlay.empty() || !fs::exists(file)) {
    return settings;
  }
  for (const auto& [key, node] : read_yaml(file).entries) {
    settings.push_back({key, node.value(), node.place});
  }
  return settings;
}

// The options of one method: defaults, then the protocol's overlay, then the user's settings.
struct ResolvedOptions {
  Json recipe = Json::object();  // defaults and overlay
  Json all = Json::object();
  std::map<std::string, std::string> places;  // of the user's settings
};

ResolvedOptions resolve_options(const MethodInfo& method,
                                const Protocol& protocol,
                                const std::vector<Setting>& settings,
                                const fs::path& share) {
  ResolvedOptions resolved;
  for (const auto& field : method.options) {
    resolved.recipe[field.path] = field.default_value;
  }
  for (const auto& setting : overlay_settings(share, method, protocol.overlay)) {
    const auto& field = find_option(method.options, setting.path, setting.place);
    resolved.recipe[field.path] = check_option(field, setting.value, setting.place);
  }
  resolved.all = resolved.recipe;
  for (const auto& setting : settings) {
    std::string name = setting.path;
    if (const auto dot = name.find('.'); dot != std::string::npos) {
      if (name.substr(0, dot) != method.name) {
        continue;  // another method's
      }
      name = name.substr(dot + 1);
    } else if (std::none_of(method.options.begin(), method.options.end(), [&](const auto& f) {
                 return f.path == name;
               })) {
      continue;  // some chosen method has it: check_settings saw to that
    }
    const auto& field = find_option(method.options, name, setting.place);
    resolved.all[field.path] = check_option(field, setting.value, setting.place);
    resolved.places[field.path] = setting.place;
  }
  return resolved;
}

// Every setting must reach at least one chosen method.
void check_settings(const std::vector<Setting>& settings,
                    const std::vector<const MethodInfo*>& methods) {
  for (const auto& setting : settings) {
    const auto dot = setting.path.find('.');
    std::vector<std::string> known;
    bool reached = false;
    for (const auto* method : methods) {
      if (dot != std::string::npos && setting.path.substr(0, dot) == method->name) {
        find_option(method->options, setting.path.substr(dot + 1), setting.place);
        reached = true;
      }
      for (const auto& field : method->options) {
        known.push_back(dot == std::string::npos ? field.path : method->name + "." + field.path);
        reached = reached || field.path == setting.path;
      }
    }
    if (!reached) {
      std::sort(known.begin(), known.end());
      known.erase(std::unique(known.begin(), known.end()), known.end());
      throw Error(
          ErrorKind::kUsage,
          fmt::format("{}: {}", setting.place, unknown_name("option", setting.path, known)));
    }
  }
}

// Textures count as the files' paths and contents, so that another folder of the same files is the
// same.
std::string textures_hash(const fs::path& folder) {
  Sha256 hash;
  for (const auto& file : files_below(folder)) {
    hash.add(file).add(sha256_file(folder / file, ErrorKind::kData));
  }
  return hash.hex();
}

// Which file the frozen part is read from.
void resolve_weights(const Registry<WeightsInfo>& catalogue, const fs::path& folder, Cell* cell) {
  const auto& method = *cell->method;
  if (method.weights_option.empty()) {
    return;
  }
  const auto value = cell->options.at("weights").get<std::string>();
  if (value == "random") {
    cell->weights.resolved = "random";
    return;
  }
  fs::path file = value;
  if (value == "auto") {
    const auto choice = cell->options.at(method.weights_option);
    const auto found =
        method.weights.find(choice.is_string() ? choice.get<std::string>() : choice.dump());
    if (found == method.weights.end()) {
      if (cell->protocol.needs_weights) {
        cell->missing = fmt::format(
            "no checkpoint is known for {} {}; give a file with --set weights=FILE, or "
            "weights=random",
            method.weights_option,
            choice.dump());
      }
      cell->weights.resolved = "random";
      return;
    }
    const auto& info = catalogue.at(found->second);
    cell->weights.name = info.name;
    file = folder / info.file;
    if (folder.empty() || !fs::exists(file)) {
      if (cell->protocol.needs_weights) {
        cell->missing = fmt::format(
            "{}: weights '{}' are not there: put '{}' into {}, run `adbench weights fetch {}`, or "
            "accept random "
            "features with --set weights=random",
            method.name,
            info.name,
            info.file,
            folder.empty() ? "a folder and name it with --weights-dir or ADBENCH_WEIGHTS"
                           : "'" + folder.string() + "'",
            info.name);
      } else {
        cell->weights.resolved = "random";
      }
      return;
    }
  } else if (!fs::exists(file)) {
    cell->missing = fmt::format("weights file '{}' does not exist", file.string());
    return;
  }
  cell->weights_file = fs::absolute(file);
  cell->weights.source = file.filename().string();
  cell->weights.resolved = sha256_file(file, ErrorKind::kWeights);
}

std::string cell_key(const Cell& cell) {
  // Weights count as what they resolved to, not as the option that named them.
  Json changed = cell.changed;
  changed.erase("weights");
  Json identity = {{"method", cell.method->name},
                   {"method_version", cell.method->version},
                   {"options", changed},
                   {"protocol",
                    {{"name", cell.protocol.name},
                     {"version", cell.protocol.version},
                     {"tests", cell.tests},
                     {"epoch_rule", cell.protocol.epoch_rule}}},
                   {"data", cell.data_manifest},
                   {"setting", cell.setting},
                   {"classes", cell.classes},
                   {"seed", cell.seed},
                   {"weights", cell.weights.resolved},
                   {"textures", cell.textures}};
  if (!cell.method->plugin.empty()) {
    identity["plugin"] = cell.method->plugin;  // its version is not raised under our eyes
  }
  return sha256(canonical_json(identity));
}

struct OpenedData {
  Dataset dataset;
  std::string missing;
  std::map<std::vector<std::string>, std::string>
      manifests;  // by class set: every cell is known by its own data

  const std::string& manifest(const std::vector<std::string>& classes) {
    auto& hash = manifests[classes];
    if (hash.empty()) {
      hash = manifest_hash(dataset.restrict(classes));
    }
    return hash;
  }
};

OpenedData open_data(const std::string& name,
                     const Selection& selection,
                     const PlanSources& sources,
                     bool strict) {
  OpenedData opened;
  try {
    if (name == kSample) {
      if (sources.make_sample) {
        sources.make_sample(sources.sample_folder);
      }
      opened.dataset = open_path(sources.sample_folder, kSample, {selection.categories});
    } else {
      opened.dataset = open_dataset(name, selection.data_root, {selection.categories});
    }
    opened.dataset = opened.dataset.restrict(selection.categories);
  } catch (const Error& e) {
    if (strict || e.kind() != ErrorKind::kData) {
      throw;
    }
    opened.dataset.name = name;
    opened.missing = "data missing";
  }
  return opened;
}

}  // namespace

Setting parse_setting(const std::string& text) {
  const auto equals = text.find('=');
  ADB_CHECK(equals != std::string::npos && equals > 0,
            ErrorKind::kUsage,
            "--set: expected OPTION=VALUE, got '{}'",
            text);
  return {text.substr(0, equals), scalar_value(text.substr(equals + 1)), "--set"};
}

std::vector<std::int64_t> test_epochs(std::int64_t epochs, std::int64_t max_tests) {
  const auto n = std::min(epochs, max_tests);
  std::vector<std::int64_t> tests;
  for (std::int64_t e = 1; e <= epochs; ++e) {
    if (n * e / epochs > n * (e - 1) / epochs) {
      tests.push_back(e);
    }
  }
  return tests;
}

Plan make_plan(const Selection& selection, const PlanSources& sources, bool strict) {
  const auto methods = select_methods(selection.methods, *sources.methods);
  check_settings(selection.settings, methods);
  auto names = selection.datasets;
  if (names.empty()) {
    names = {kSample};
  }
  const bool only_sample = names == std::vector<std::string>{kSample};
  const auto protocol = read_protocol(
      sources.share,
      selection.protocol.empty() ? (only_sample ? "sample" : "paper") : selection.protocol);

  // Options and weights first: they are cheap to check, and data may take long to read.
  std::vector<Cell> prototypes;
  for (const auto* method : methods) {
    Cell cell;
    cell.method = method;
    cell.protocol = protocol;
    const auto resolved = resolve_options(*method, protocol, selection.settings, sources.share);
    cell.options = resolved.all;
    for (const auto& field : method->options) {
      const auto& value = resolved.all.at(field.path);
      if (value != field.default_value) {
        cell.changed[field.path] = value;
      }
      if (value != resolved.recipe.at(field.path)) {
        cell.origins.push_back(
            {field.path, value, resolved.recipe.at(field.path), resolved.places.at(field.path)});
      }
    }
    cell.tests = test_epochs(cell.options.at("epochs").get<std::int64_t>(), protocol.max_tests);
    resolve_weights(*sources.weights, selection.weights_folder, &cell);
    if (strict && !cell.missing.empty()) {
      throw Error(ErrorKind::kWeights, cell.missing);
    }
    if (method->needs_textures) {
      cell.textures = selection.textures.empty() ? "procedural" : textures_hash(selection.textures);
      cell.textures_folder =
          selection.textures.empty() ? fs::path() : fs::absolute(selection.textures);
    }
    cell.setting = selection.setting.empty() ? protocol.setting : selection.setting;
    prototypes.push_back(std::move(cell));
  }

  Plan plan;
  for (const auto& name : names) {
    auto opened = open_data(name, selection, sources, strict);
    const auto& categories = opened.dataset.categories;
    for (const auto& prototype : prototypes) {
      std::vector<std::vector<std::string>> class_sets;
      if (prototype.setting == "single") {
        for (const auto& category : categories) {
          class_sets.push_back({category});
        }
      } else {
        class_sets.push_back(categories);
      }
      for (const auto& classes : class_sets) {
        for (const auto seed : selection.seeds) {
          Cell cell = prototype;
          cell.dataset = opened.dataset.name;
          cell.classes = classes;
          cell.seed = seed;
          cell.data = plan.data.size();
          if (cell.missing.empty()) {
            cell.missing = opened.missing;
          }
          if (cell.missing.empty()) {
            cell.data_manifest = opened.manifest(classes);
            cell.key = cell_key(cell);
          }
          plan.cells.push_back(std::move(cell));
        }
      }
    }
    plan.data.push_back(std::move(opened.dataset));
  }
  return plan;
}

}  // namespace adb
