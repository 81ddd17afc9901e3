#include "tracking/rules.h"

#include <algorithm>

#include "core/text.h"
#include "metrics/keys.h"

namespace adb {
namespace {

double number_at(const YamlNode& node, const std::string& key, double low, double high) {
  const auto value = node.value();
  ADB_CHECK(value.is_number(),
            ErrorKind::kConfig,
            "{}: {}: expected a number, got '{}'",
            node.place,
            key,
            value.is_string() ? value.get<std::string>() : value.dump());
  const auto number = value.get<double>();
  ADB_CHECK(number >= low && number <= high,
            ErrorKind::kConfig,
            "{}: {}: must be in [{}, {}], got {}",
            node.place,
            key,
            low,
            high,
            number);
  return number;
}

// A number, or `none` to switch the limit off.
std::optional<double> limit_at(const YamlNode& node,
                               const std::string& key,
                               double low,
                               double high) {
  if (node.kind == YamlNode::Kind::kScalar && node.scalar == "none") {
    return std::nullopt;
  }
  return number_at(node, key, low, high);
}

template <class Value>
Value choice_at(const YamlNode& node,
                const std::string& key,
                const std::vector<std::pair<std::string, Value>>& choices) {
  const auto& text = node.text(key);
  std::vector<std::string> known;
  for (const auto& [name, value] : choices) {
    if (name == text) {
      return value;
    }
    known.push_back(name);
  }
  fail(ErrorKind::kConfig, "{}: {}", node.place, unknown_name(key, text, known));
}

const std::vector<std::pair<std::string, Level>> kLevels = {
    {"fail", Level::kFail}, {"warn", Level::kWarn}, {"ignore", Level::kIgnore}};
const std::vector<std::pair<std::string, SameMachine>> kMachines = {
    {"host", SameMachine::kHost}, {"cpu", SameMachine::kCpu}, {"any", SameMachine::kAny}};

// A name or a list of names.
std::vector<const YamlNode*> list_at(const YamlNode& node, const std::string& key) {
  std::vector<const YamlNode*> list;
  if (node.kind == YamlNode::Kind::kList) {
    for (const auto& item : node.items) {
      list.push_back(&item);
    }
  } else {
    list.push_back(&node);
  }
  ADB_CHECK(!list.empty(), ErrorKind::kConfig, "{}: {}: an empty list", node.place, key);
  for (const auto* item : list) {
    ADB_CHECK(!item->text(key).empty(), ErrorKind::kConfig, "{}: {}: no name", item->place, key);
  }
  return list;
}

std::vector<std::string> names_at(const YamlNode& node, const std::string& key) {
  std::vector<std::string> names;
  for (const auto* item : list_at(node, key)) {
    names.push_back(item->scalar);
  }
  return names;
}

std::vector<std::string> metrics_at(const YamlNode& node) {
  std::vector<std::string> known;
  for (const auto& info : kMetrics) {
    known.emplace_back(info.key);
  }
  for (const char* cost : {"train_s", "time_per_image_ms", "peak_memory_bytes"}) {
    known.emplace_back(cost);
  }
  std::vector<std::string> metrics;
  for (const auto* item : list_at(node, "metric")) {
    ADB_CHECK(figure_kind(item->scalar).has_value(),
              ErrorKind::kConfig,
              "{}: {}",
              item->place,
              unknown_name("metric", item->scalar, known));
    metrics.push_back(item->scalar);
  }
  return metrics;
}

Rule parse_rule(const YamlNode& node) {
  ADB_CHECK(node.kind == YamlNode::Kind::kMap,
            ErrorKind::kConfig,
            "{}: a rule: expected keys and values",
            node.place);
  node.require_keys({"metric",
                     "dataset",
                     "method",
                     "class",
                     "level",
                     "min_effect",
                     "limit",
                     "ratio",
                     "ratio_apart",
                     "floor_ms",
                     "floor_mib",
                     "ratio_limit"},
                    "a rule");
  Rule rule;
  rule.place = node.place;
  for (const auto& [key, value] : node.entries) {
    if (key == "metric") {
      rule.metrics = metrics_at(value);
    } else if (key == "dataset") {
      rule.datasets = names_at(value, key);
    } else if (key == "method") {
      rule.methods = names_at(value, key);
    } else if (key == "class") {
      rule.classes = names_at(value, key);
      rule.every_class = rule.classes == std::vector<std::string>{"all"};
    } else if (key == "level") {
      rule.level = choice_at(value, key, kLevels);
    } else if (key == "min_effect") {  // percent points, as tables print them
      rule.min_effect = number_at(value, key, 0, 100) / 100;
    } else if (key == "limit") {
      const auto limit = limit_at(value, key, 0, 100);
      rule.limit = limit ? std::optional(*limit / 100) : std::nullopt;
    } else if (key == "ratio") {
      rule.ratio = number_at(value, key, 1, 1000);
    } else if (key == "ratio_apart") {
      rule.ratio_apart = limit_at(value, key, 1, 1000);
    } else if (key == "floor_ms") {
      rule.floor_ms = number_at(value, key, 0, 1e9);
    } else if (key == "floor_mib") {
      rule.floor_mib = number_at(value, key, 0, 1e9);
    } else {
      rule.ratio_limit = limit_at(value, key, 1, 1000);
    }
  }
  return rule;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

bool applies(const Rule& rule,
             const CellName& cell,
             const std::string& category,
             const std::string& metric) {
  const bool classes = rule.classes.empty() ||
                       (!category.empty() && (rule.every_class || has(rule.classes, category)));
  // A run that is missing has all metrics, but a rule for some metric does not speak of it.
  const bool metrics = metric.empty() ? rule.metrics.empty() : has(rule.metrics, metric);
  return classes && metrics && has(rule.datasets, cell.dataset) && has(rule.methods, cell.method);
}

}  // namespace

std::optional<FigureKind> figure_kind(const std::string& key) {
  if (find_metric(key)) {
    return FigureKind::kQuality;
  }
  if (key.ends_with("per_s")) {
    return std::nullopt;
  }
  if (key.ends_with("_s") || key.ends_with("_ms")) {
    return FigureKind::kTime;
  }
  return key.ends_with("_bytes") ? std::optional(FigureKind::kMemory) : std::nullopt;
}

Tolerance GateRules::tolerance(const CellName& cell,
                               const std::string& category,
                               const std::string& metric,
                               FigureKind kind,
                               Tolerance tolerance) const {
  for (const auto& rule : rules) {
    if (!applies(rule, cell, category, metric)) {
      continue;
    }
    tolerance.level = rule.level.value_or(tolerance.level);
    tolerance.min_effect = rule.min_effect.value_or(tolerance.min_effect);
    tolerance.limit = rule.limit.value_or(tolerance.limit);
    tolerance.ratio = rule.ratio.value_or(tolerance.ratio);
    tolerance.ratio_apart = rule.ratio_apart.value_or(tolerance.ratio_apart);
    tolerance.floor_ms = rule.floor_ms.value_or(tolerance.floor_ms);
    tolerance.floor_mib = rule.floor_mib.value_or(tolerance.floor_mib);
    auto& ratio_limit = kind == FigureKind::kTime ? tolerance.time_limit : tolerance.memory_limit;
    ratio_limit = rule.ratio_limit.value_or(ratio_limit);
  }
  return tolerance;
}

bool GateRules::asks_for_class(const CellName& cell,
                               const std::string& category,
                               const std::string& metric) const {
  return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
    return !rule.classes.empty() && applies(rule, cell, category, metric);
  });
}

GateRules parse_rules(const YamlNode& file) {
  file.require_keys({"alpha", "draws", "machine", "fail_on", "rules"}, "the rules");
  GateRules rules;
  for (const auto& [key, node] : file.entries) {
    if (key == "alpha") {
      rules.alpha = number_at(node, key, 1e-6, 0.5);
    } else if (key == "draws") {
      ADB_CHECK(node.value().is_number_integer(),
                ErrorKind::kConfig,
                "{}: draws: expected a whole number",
                node.place);
      rules.draws = static_cast<std::int64_t>(number_at(node, key, 1000, 1e7));
    } else if (key == "machine") {
      rules.machine = choice_at(node, key, kMachines);
    } else if (key == "fail_on") {
      rules.fail_on.clear();
      if (node.kind == YamlNode::Kind::kList && node.items.empty()) {
        continue;  // nothing fails: the gate only informs
      }
      for (const auto* item : list_at(node, key)) {
        rules.fail_on.insert(choice_at<Verdict>(*item,
                                                "verdict",
                                                {{"regressed", Verdict::kRegressed},
                                                 {"did_not_run", Verdict::kDidNotRun},
                                                 {"cannot_tell", Verdict::kCannotTell}}));
      }
    } else {
      ADB_CHECK(node.kind == YamlNode::Kind::kList || node.kind == YamlNode::Kind::kNull,
                ErrorKind::kConfig,
                "{}: rules: expected a list",
                node.place);
      for (const auto& item : node.items) {
        rules.rules.push_back(parse_rule(item));
      }
    }
  }
  return rules;
}

GateRules read_rules(const std::filesystem::path& file) {
  return parse_rules(read_yaml(file));
}

std::vector<std::string> unused_rules(const GateRules& rules,
                                      const std::vector<Judgement>& judgements) {
  std::vector<std::string> unused;
  for (const auto& rule : rules.rules) {
    const bool used =
        rule.level == Level::kIgnore ||
        std::any_of(judgements.begin(), judgements.end(), [&](const Judgement& judgement) {
          return applies(rule, judgement.cell, judgement.category, judgement.metric);
        });
    if (!used) {
      unused.push_back(fmt::format("{}: this rule matches nothing that was compared", rule.place));
    }
  }
  return unused;
}

}  // namespace adb
