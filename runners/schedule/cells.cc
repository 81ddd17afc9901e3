// Cells from a selection, before data and weights are looked at; and stored runs that belong to
// them.
#include <algorithm>
#include <filesystem>
#include <map>

#include "core/text.h"
#include "core/yaml.h"
#include "datasets/catalog.h"
#include "runners/schedule/plan.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

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

// What the option `weights` asks for, as far as it is known without files: resolved "random", the
// name of a checkpoint, or the name of a file.
void want_weights(const Registry<WeightsInfo>& catalogue, Cell* cell) {
  const auto& method = *cell->method;
  if (method.weights_option.empty()) {
    return;
  }
  const auto value = cell->options.at("weights").get<std::string>();
  if (value == "random") {
    cell->weights.resolved = "random";
  } else if (value == "auto") {
    const auto choice = cell->options.at(method.weights_option);
    const auto found =
        method.weights.find(choice.is_string() ? choice.get<std::string>() : choice.dump());
    if (found != method.weights.end()) {
      cell->weights.name = catalogue.at(found->second).name;
      return;
    }
    cell->weights.resolved = "random";
    if (cell->protocol.needs_weights) {
      cell->missing = fmt::format(
          "no checkpoint is known for {} {}; give a file with --set weights=FILE, or "
          "weights=random",
          method.weights_option,
          choice.dump());
      cell->lacks = "weights missing";
    }
  } else if (const auto* info = catalogue.find(value)) {
    cell->weights.name = info->name;
  } else {
    cell->weights.source = fs::path(value).filename().string();
  }
}

// The cell of one method with some options; its data set is not set.
Cell draft_cell(const MethodInfo& method,
                const Protocol& protocol,
                const std::vector<Setting>& settings,
                const Selection& selection,
                const PlanSources& sources) {
  Cell cell;
  cell.method = &method;
  cell.protocol = protocol;
  const auto resolved = resolve_options(method, protocol, settings, sources.share);
  cell.options = resolved.all;
  for (const auto& field : method.options) {
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
  cell.setting = selection.setting.empty() ? protocol.setting : selection.setting;
  want_weights(*sources.weights, &cell);
  return cell;
}

bool wants(const std::vector<const MethodInfo*>& methods, const std::string& name) {
  return methods.empty() || std::any_of(methods.begin(), methods.end(), [&](const auto* method) {
           return method->name == name;
         });
}

std::vector<CellDraft> suite_drafts(const Selection& selection, const PlanSources& sources) {
  const auto chosen = selection.methods.empty()
                          ? std::vector<const MethodInfo*>()
                          : select_methods(selection.methods, *sources.methods);
  std::vector<const MethodInfo*> methods;
  for (const auto& suite : selection.suites) {
    for (const auto& cell : suite.cells) {
      if (wants(chosen, cell.method)) {
        methods.push_back(&sources.methods->at(cell.method));
      }
    }
  }
  ADB_CHECK(!methods.empty(),
            ErrorKind::kUsage,
            "--methods {}: no row of the suite is of it",
            join(selection.methods, ","));
  check_settings(selection.settings, methods);
  std::vector<CellDraft> drafts;
  for (std::size_t s = 0; s < selection.suites.size(); ++s) {
    const auto& suite = selection.suites[s];
    const auto protocol = read_protocol(
        sources.share, selection.protocol.empty() ? suite.protocol : selection.protocol);
    std::map<std::string, Cell> cells;
    for (const auto& cell : suite.cells) {
      if (wants(chosen, cell.method)) {
        auto settings = cell.settings;
        settings.insert(settings.end(), selection.settings.begin(), selection.settings.end());
        auto draft =
            draft_cell(sources.methods->at(cell.method), protocol, settings, selection, sources);
        if (selection.setting.empty() && !suite.setting.empty()) {
          draft.setting = suite.setting;
        }
        cells.emplace(cell.name, std::move(draft));
      }
    }
    const auto names =
        selection.datasets.empty() ? std::vector<std::string>{suite.dataset} : selection.datasets;
    for (const auto& name : names) {
      for (std::size_t r = 0; r < suite.rows.size(); ++r) {
        const auto found = cells.find(suite.rows[r].cell);
        if (found == cells.end()) {
          continue;
        }
        drafts.push_back({found->second, s, r});
        drafts.back().cell.dataset = name;
        drafts.back().cell.row = fmt::format("{}, {}", suite.name, suite.rows[r].label);
      }
    }
  }
  return drafts;
}

std::string shown(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

// The value of one option, where a run of an earlier version may not have had it yet.
const Json& value_in(const Json& options, const OptionField& field) {
  const auto found = options.find(field.path);
  return found == options.end() ? field.default_value : *found;
}

bool weights_match(const Weights& stored, const Cell& draft) {
  if (draft.method->weights_option.empty()) {
    return true;
  }
  if (draft.weights.resolved == "random") {
    return stored.random();
  }
  // A protocol that does without pretrained weights takes random ones where they were not there.
  if (stored.random()) {
    return !draft.protocol.needs_weights && draft.weights.source.empty();
  }
  return draft.weights.source.empty() ? stored.name == draft.weights.name
                                      : stored.source == draft.weights.source;
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

std::vector<CellDraft> draft_cells(const Selection& selection, const PlanSources& sources) {
  if (!selection.suites.empty()) {
    return suite_drafts(selection, sources);
  }
  const auto methods = select_methods(selection.methods, *sources.methods);
  check_settings(selection.settings, methods);
  const auto names =
      selection.datasets.empty() ? std::vector<std::string>{kSampleName} : selection.datasets;
  const bool only_sample = names == std::vector<std::string>{kSampleName};
  const auto protocol = read_protocol(
      sources.share,
      selection.protocol.empty() ? (only_sample ? "sample" : "paper") : selection.protocol);
  std::vector<Cell> prototypes;
  for (const auto* method : methods) {
    prototypes.push_back(draft_cell(*method, protocol, selection.settings, selection, sources));
  }
  std::vector<CellDraft> drafts;
  for (const auto& name : names) {
    for (const auto& prototype : prototypes) {
      drafts.push_back({prototype});
      drafts.back().cell.dataset = name;
    }
  }
  return drafts;
}

bool run_matches(const RunRow& run, const Cell& draft, const std::vector<std::string>& categories) {
  if (run.external || run.method != draft.method->name ||
      run.dataset != dataset_name(draft.dataset) || run.protocol != draft.protocol.name ||
      run.setting != draft.setting || !weights_match(run.weights, draft)) {
    return false;
  }
  if (!categories.empty() && run.setting == "multi" && run.classes != categories) {
    return false;
  }
  return std::all_of(
      draft.method->options.begin(), draft.method->options.end(), [&](const OptionField& field) {
        return field.path == "weights" ||
               value_in(run.options, field) == draft.options.at(field.path);
      });
}

std::vector<std::string> departures(const Cell& asked, const Cell& own) {
  std::vector<std::string> list;
  if (asked.dataset != own.dataset) {
    list.push_back("data set " + dataset_name(asked.dataset));
  }
  if (asked.protocol.name != own.protocol.name) {
    list.push_back("protocol " + asked.protocol.name);
  }
  if (asked.setting != own.setting) {
    list.push_back(asked.setting == "single" ? "one model for each class"
                                             : "one model for all classes");
  }
  // What another protocol's recipe sets is said by its name.
  const auto chosen = [](const Cell& cell, const std::string& path) {
    return std::any_of(cell.origins.begin(), cell.origins.end(), [&](const ChangedOption& option) {
      return option.path == path;
    });
  };
  for (const auto& field : own.method->options) {
    const auto& value = asked.options.at(field.path);
    if (value != own.options.at(field.path) &&
        (chosen(asked, field.path) || chosen(own, field.path))) {
      list.push_back(fmt::format(
          "{} {} instead of {}", field.path, shown(value), shown(own.options.at(field.path))));
    }
  }
  return list;
}

}  // namespace adb
