#include "runners/schedule/suite.h"

#include <algorithm>

#include "core/files.h"
#include "core/text.h"
#include "core/yaml.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

const YamlNode& needed(const YamlNode& node, const char* key, const std::string& what) {
  const auto* found = node.find(key);
  ADB_CHECK(found != nullptr, ErrorKind::kConfig, "{}: {}: '{}' is missing", node.place, what, key);
  return *found;
}

std::string text_or(const YamlNode& node, const char* key, const std::string& otherwise) {
  const auto* found = node.find(key);
  return found == nullptr ? otherwise : found->text(key);
}

const std::string& one_of(const YamlNode& node,
                          const char* key,
                          const std::vector<std::string>& known) {
  const auto& text = node.text(key);
  if (std::find(known.begin(), known.end(), text) == known.end()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: {}", node.place, unknown_name(key, text, known)));
  }
  return text;
}

// A list of words, or one word.
std::vector<PlacedText> words(const YamlNode& node, const char* key) {
  std::vector<PlacedText> list;
  if (node.kind == YamlNode::Kind::kScalar) {
    list.push_back({node.scalar, node.place});
    return list;
  }
  ADB_CHECK(node.kind == YamlNode::Kind::kList && !node.items.empty(),
            ErrorKind::kConfig,
            "{}: {}: expected a list",
            node.place,
            key);
  for (const auto& item : node.items) {
    list.push_back({item.text(key), item.place});
  }
  return list;
}

void add_setting(const MethodInfo& method,
                 const std::string& name,
                 const YamlNode& node,
                 std::vector<Setting>& settings) {
  const auto& field = find_option(method.options, name, node.place);
  ADB_CHECK(std::none_of(settings.begin(),
                         settings.end(),
                         [&](const Setting& setting) { return setting.path == name; }),
            ErrorKind::kConfig,
            "{}: option '{}' is given twice",
            node.place,
            name);
  settings.push_back({name, check_option(field, node.value(), node.place), node.place});
}

SuiteCell cell_of(const std::string& name,
                  const YamlNode& node,
                  const std::string& default_method,
                  const Registry<MethodInfo>& methods) {
  node.require_keys({"method", "epochs", "options"}, "cell '" + name + "'");
  SuiteCell cell;
  cell.name = name;
  const auto* method_node = node.find("method");
  cell.method = method_node == nullptr ? default_method : method_node->text("method");
  ADB_CHECK(!cell.method.empty(),
            ErrorKind::kConfig,
            "{}: cell '{}' names no method, and the suite has no common one",
            node.place,
            name);
  if (method_node != nullptr) {
    one_of(*method_node, "method", methods.names());
  }
  const auto& method = methods.at(cell.method);
  if (const auto* epochs = node.find("epochs")) {
    add_setting(method, "epochs", *epochs, cell.settings);
  }
  if (const auto* options = node.find("options")) {
    ADB_CHECK(options->kind == YamlNode::Kind::kMap,
              ErrorKind::kConfig,
              "{}: options: expected OPTION: VALUE",
              options->place);
    for (const auto& [option, value] : options->entries) {
      add_setting(method, option, value, cell.settings);
    }
  }
  return cell;
}

SuiteRow row_of(const YamlNode& node, const Suite& suite) {
  node.require_keys({"cell", "label", "published", "note", "differs"}, "a table row");
  const auto& cell = needed(node, "cell", "a table row");
  std::vector<std::string> known;
  for (const auto& candidate : suite.cells) {
    known.push_back(candidate.name);
  }
  SuiteRow row;
  row.cell = one_of(cell, "cell", known);
  row.label = text_or(node, "label", row.cell);
  row.published = text_or(node, "published", "");
  row.note = text_or(node, "note", "");
  row.differs = text_or(node, "differs", "");
  const auto* published = node.find("published");
  row.place = published == nullptr ? node.place : published->place;
  return row;
}

void read_table(const YamlNode& node, Suite& suite) {
  node.require_keys({"published", "layout", "columns", "rows"}, "table");
  if (const auto* published = node.find("published")) {
    suite.published = words(*published, "published");
  }
  if (const auto* layout = node.find("layout")) {
    suite.by_class = one_of(*layout, "layout", {"rows", "classes"}) == "classes";
  }
  suite.columns = words(needed(node, "columns", "table"), "columns");
  for (std::size_t i = 0; i < suite.columns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ADB_CHECK(suite.columns[i].text != suite.columns[j].text,
                ErrorKind::kConfig,
                "{}: column '{}' stands twice",
                suite.columns[i].place,
                suite.columns[i].text);
    }
  }
  if (const auto* rows = node.find("rows")) {
    ADB_CHECK(rows->kind == YamlNode::Kind::kList,
              ErrorKind::kConfig,
              "{}: rows: expected a list",
              rows->place);
    for (const auto& item : rows->items) {
      suite.rows.push_back(row_of(item, suite));
      ADB_CHECK(
          std::none_of(suite.rows.begin(),
                       suite.rows.end() - 1,
                       [&](const SuiteRow& row) { return row.label == suite.rows.back().label; }),
          ErrorKind::kConfig,
          "{}: label '{}' stands twice",
          item.place,
          suite.rows.back().label);
    }
  }
  if (suite.rows.empty()) {
    for (const auto& cell : suite.cells) {
      suite.rows.push_back({cell.name, cell.name, "", "", "", node.place});
    }
  }
}

}  // namespace

std::vector<std::string> suite_names(const fs::path& share) {
  std::vector<std::string> names;
  const auto folder = share / "suites";
  std::error_code absent;
  if (!fs::is_directory(folder, absent)) {
    return names;
  }
  for (const auto& file : files_below(folder)) {
    if (file.ends_with(".yaml")) {
      names.push_back(file.substr(0, file.size() - 5));
    }
  }
  return names;
}

Suite read_suite(const fs::path& share,
                 const std::string& name,
                 const Registry<MethodInfo>& methods) {
  const auto known = suite_names(share);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw Error(ErrorKind::kUsage, unknown_name("suite", name, known));
  }
  const auto file = "suites/" + name + ".yaml";
  return parse_suite(read_text(share / file, ErrorKind::kConfig, 1 << 20), name, file, methods);
}

Suite parse_suite(std::string_view text,
                  const std::string& name,
                  const std::string& source,
                  const Registry<MethodInfo>& methods) {
  const auto root = parse_yaml(text, source);
  root.require_keys({"title", "dataset", "protocol", "setting", "method", "cells", "table"},
                    "a suite");
  Suite suite;
  suite.name = name;
  suite.title = needed(root, "title", "suite").text("title");
  suite.dataset = needed(root, "dataset", "suite").text("dataset");
  suite.protocol = needed(root, "protocol", "suite").text("protocol");
  if (const auto* setting = root.find("setting")) {
    suite.setting = one_of(*setting, "setting", {"multi", "single"});
  }
  std::string method;
  if (const auto* common = root.find("method")) {
    method = one_of(*common, "method", methods.names());
  }
  const auto& cells = needed(root, "cells", "suite");
  ADB_CHECK(cells.kind == YamlNode::Kind::kMap && !cells.entries.empty(),
            ErrorKind::kConfig,
            "{}: cells: expected NAME: {{...}}",
            cells.place);
  for (const auto& [cell, node] : cells.entries) {
    suite.cells.push_back(cell_of(cell, node, method, methods));
  }
  read_table(needed(root, "table", "suite"), suite);
  for (const auto& cell : suite.cells) {
    ADB_CHECK(std::any_of(suite.rows.begin(),
                          suite.rows.end(),
                          [&](const SuiteRow& row) { return row.cell == cell.name; }),
              ErrorKind::kConfig,
              "{}: cell '{}' stands in no row of the table",
              source,
              cell.name);
  }
  return suite;
}

}  // namespace adb
