#include "core/json.h"

#include <set>
#include <vector>

#include "core/files.h"

namespace adb {
namespace {

constexpr int kMaxDepth = 64;

std::string position(std::string_view text, std::size_t byte) {
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("{}:{}", line, column);
}

// At most 200 bytes of a text that may quote the whole file.
std::string shortened(std::string text) {
  constexpr std::size_t kMaxBytes = 200;
  if (text.size() > kMaxBytes) {
    text.resize(kMaxBytes);
    text += "...";
  }
  return text;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source, ErrorKind kind) {
  std::vector<std::set<std::string>> keys;
  const auto callback = [&](int depth, Json::parse_event_t event, Json& parsed) {
    ADB_CHECK(depth <= kMaxDepth, kind, "{}: nested deeper than {}", source, kMaxDepth);
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      ADB_CHECK(keys.back().insert(key).second,
                kind,
                "{}: key '{}' stands twice",
                source,
                shortened(key));
    }
    return true;
  };
  try {
    return Json::parse(text, callback);
  } catch (const nlohmann::json::parse_error& e) {
    std::string what = e.what();
    const auto colon = what.rfind(": ");
    fail(kind,
         "{}:{}: not valid JSON: {}",
         source,
         position(text, e.byte),
         shortened(colon == std::string::npos ? what : what.substr(colon + 2)));
  } catch (const nlohmann::json::exception& e) {
    fail(kind, "{}: not valid JSON: {}", source, shortened(e.what()));
  }
}

Json read_json(const std::filesystem::path& file, ErrorKind kind, std::int64_t max_bytes) {
  return parse_json(read_text(file, kind, max_bytes), file.string(), kind);
}

std::string canonical_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& json_at(const Json& object,
                    std::string_view key,
                    const std::string& where,
                    ErrorKind kind) {
  ADB_CHECK(object.is_object(), kind, "{}: expected an object, got {}", where, object.type_name());
  const auto found = object.find(std::string(key));
  ADB_CHECK(found != object.end(), kind, "{}: '{}' is missing", where, key);
  return *found;
}

std::int64_t json_int(const Json& value, const std::string& where, ErrorKind kind) {
  ADB_CHECK(value.is_number_integer(),
            kind,
            "{}: expected an integer, got {}",
            where,
            shortened(value.dump()));
  ADB_CHECK(!value.is_number_unsigned() || value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX},
            kind,
            "{}: {} does not fit 64 bits",
            where,
            value.dump());
  return value.get<std::int64_t>();
}

double json_number(const Json& value, const std::string& where, ErrorKind kind) {
  ADB_CHECK(value.is_number(), kind, "{}: expected a number, got {}", where, value.type_name());
  return value.get<double>();
}

std::string json_string(const Json& value, const std::string& where, ErrorKind kind) {
  ADB_CHECK(value.is_string(), kind, "{}: expected a string, got {}", where, value.type_name());
  return value.get<std::string>();
}

bool json_bool(const Json& value, const std::string& where, ErrorKind kind) {
  ADB_CHECK(
      value.is_boolean(), kind, "{}: expected true or false, got {}", where, value.type_name());
  return value.get<bool>();
}

}  // namespace adb
