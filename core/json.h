// JSON in and out, with limits for files from outside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace adb {

using Json = nlohmann::json;  // object keys are sorted

// Parses text; `source` names it in messages. Refuses invalid UTF-8, nesting deeper than 64 and
// duplicate keys.
//   throws: Error(kind) "SOURCE:LINE:COLUMN: ..."
Json parse_json(std::string_view text, const std::string& source, ErrorKind kind);

// Reads and parses a file of at most max_bytes. throws: Error(kind)
Json read_json(const std::filesystem::path& file,
               ErrorKind kind,
               std::int64_t max_bytes = 64 << 20);

// One line, keys sorted, numbers in their shortest form: equal values give equal bytes, so it can
// be hashed.
std::string canonical_json(const Json& value);

// Field access with a message that names the place: `where` is, say, "case.json: config".
//   throws: Error(kind) when absent or of another type
const Json& json_at(const Json& object,
                    std::string_view key,
                    const std::string& where,
                    ErrorKind kind);
std::int64_t json_int(const Json& value, const std::string& where, ErrorKind kind);
double json_number(const Json& value, const std::string& where, ErrorKind kind);
std::string json_string(const Json& value, const std::string& where, ErrorKind kind);
bool json_bool(const Json& value, const std::string& where, ErrorKind kind);

}  // namespace adb
