// YAML files as trees that remember file, line and column; the only part that sees the YAML
// library.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/json.h"

namespace adb {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string place;   // "FILE:LINE:COLUMN"
  std::string scalar;  // kScalar: the text
  bool quoted = false;
  std::vector<YamlNode> items;                            // kList
  std::vector<std::pair<std::string, YamlNode>> entries;  // kMap, in file order

  // The entry of a map, or nullptr. Never throws.
  const YamlNode* find(std::string_view key) const;
  // The text of a scalar. throws: Error(kConfig) with the place
  const std::string& text(std::string_view what) const;
  // Typed value: unquoted null, true, false, integers and numbers by YAML's core rules, everything
  // else a string.
  Json value() const;
  // throws: Error(kConfig) at the first key that is not in `known`, with the nearest known one
  void require_keys(const std::vector<std::string>& known, std::string_view what) const;
};

// Limits: 1 MiB of text, 100,000 nodes, depth 32; aliases count as what they expand to.
//   throws: Error(kConfig) "SOURCE:LINE:COLUMN: ..."
YamlNode parse_yaml(std::string_view text, const std::string& source);
YamlNode read_yaml(const std::filesystem::path& file);

// The value that an unquoted scalar has: "3" 3, "1e-4" 0.0001, "true" true, "" null, else a string.
Json scalar_value(std::string_view text);

}  // namespace adb
