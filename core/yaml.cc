#include "core/yaml.h"

#include <charconv>
#include <cmath>

#include <yaml-cpp/yaml.h>

#include "core/files.h"
#include "core/text.h"

namespace adb {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr int kMaxNodes = 100'000;
constexpr int kMaxDepth = 32;

std::string place(const std::string& source, const YAML::Mark& mark) {
  return mark.is_null() ? source : fmt::format("{}:{}:{}", source, mark.line + 1, mark.column + 1);
}

YamlNode convert(const YAML::Node& from, const std::string& source, int depth, int* nodes) {
  YamlNode to;
  to.place = place(source, from.Mark());
  ADB_CHECK(
      depth <= kMaxDepth, ErrorKind::kConfig, "{}: nested deeper than {}", to.place, kMaxDepth);
  ADB_CHECK(
      ++*nodes <= kMaxNodes, ErrorKind::kConfig, "{}: more than {} values", to.place, kMaxNodes);
  switch (from.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      break;
    case YAML::NodeType::Scalar:
      to.kind = YamlNode::Kind::kScalar;
      to.scalar = from.Scalar();
      to.quoted = from.Tag() == "!";
      break;
    case YAML::NodeType::Sequence:
      to.kind = YamlNode::Kind::kList;
      for (const auto& item : from) {
        to.items.push_back(convert(item, source, depth + 1, nodes));
      }
      break;
    case YAML::NodeType::Map:
      to.kind = YamlNode::Kind::kMap;
      for (const auto& entry : from) {
        ADB_CHECK(
            entry.first.IsScalar(), ErrorKind::kConfig, "{}: a key must be plain text", to.place);
        const auto& key = entry.first.Scalar();
        ADB_CHECK(to.find(key) == nullptr,
                  ErrorKind::kConfig,
                  "{}: key '{}' stands twice",
                  place(source, entry.first.Mark()),
                  key);
        YamlNode child = convert(entry.second, source, depth + 1, nodes);
        if (child.kind == YamlNode::Kind::kNull) {
          child.place = place(source, entry.first.Mark());
        }
        to.entries.emplace_back(key, std::move(child));
      }
      break;
  }
  return to;
}

// Brackets may nest only so deep: the library's parser recurses before a tree exists to look at.
void check_nesting(std::string_view text, const std::string& source) {
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' || c == '{' ? 1 : 0;
    depth -= (c == ']' || c == '}') && depth > 0 ? 1 : 0;
    ADB_CHECK(
        depth <= 4 * kMaxDepth, ErrorKind::kConfig, "{}: nested deeper than {}", source, kMaxDepth);
  }
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, node] : entries) {
    if (name == key) {
      return &node;
    }
  }
  return nullptr;
}

const std::string& YamlNode::text(std::string_view what) const {
  ADB_CHECK(kind == Kind::kScalar, ErrorKind::kConfig, "{}: {}: expected plain text", place, what);
  return scalar;
}

Json YamlNode::value() const {
  Json json;
  switch (kind) {
    case Kind::kNull:
      break;
    case Kind::kScalar:
      return quoted ? Json(scalar) : scalar_value(scalar);
    case Kind::kList:
      json = Json::array();
      for (const auto& item : items) {
        json.push_back(item.value());
      }
      break;
    case Kind::kMap:
      json = Json::object();
      for (const auto& [key, node] : entries) {
        json[key] = node.value();
      }
      break;
  }
  return json;
}

void YamlNode::require_keys(const std::vector<std::string>& known, std::string_view what) const {
  ADB_CHECK(kind == Kind::kMap || kind == Kind::kNull,
            ErrorKind::kConfig,
            "{}: {}: expected keys and values",
            place,
            what);
  for (const auto& [key, node] : entries) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(
          ErrorKind::kConfig,
          fmt::format(
              "{}: {}", node.place, unknown_name(fmt::format("key in {}", what), key, known)));
    }
  }
}

YamlNode parse_yaml(std::string_view text, const std::string& source) {
  ADB_CHECK(text.size() <= kMaxBytes,
            ErrorKind::kConfig,
            "{}: more than {} bytes of YAML",
            source,
            kMaxBytes);
  check_nesting(text, source);
  try {
    int nodes = 0;
    return convert(YAML::Load(std::string(text)), source, 0, &nodes);
  } catch (const YAML::Exception& e) {
    fail(ErrorKind::kConfig, "{}: not valid YAML: {}", place(source, e.mark), e.msg);
  }
}

YamlNode read_yaml(const std::filesystem::path& file) {
  return parse_yaml(read_text(file, ErrorKind::kConfig, kMaxBytes), file.string());
}

Json scalar_value(std::string_view text) {
  if (text.empty() || text == "~" || text == "null") {
    return nullptr;
  }
  if (text == "true" || text == "false") {
    return text == "true";
  }
  std::int64_t integer = 0;
  const char* end = text.data() + text.size();
  const char* begin = text.front() == '+' ? text.data() + 1 : text.data();
  if (const auto r = std::from_chars(begin, end, integer); r.ec == std::errc() && r.ptr == end) {
    return integer;
  }
  double number = 0;
  if (const auto r = std::from_chars(begin, end, number);
      r.ec == std::errc() && r.ptr == end && std::isfinite(number)) {
    return number;
  }
  return std::string(text);
}

}  // namespace adb
