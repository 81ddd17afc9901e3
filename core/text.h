// Small helpers for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adb {

std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);  // "" gives no part

// The known name nearest to `name` by edit distance, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& known);

// "unknown method 'rdd'; did you mean 'rd'? known: draem, rd, ..." - one wording for every unknown
// name.
std::string unknown_name(std::string_view what,
                         std::string_view name,
                         std::vector<std::string> known);

// Columns that a UTF-8 text takes on a terminal: its code points, no wide characters being used.
std::size_t num_columns(std::string_view text);

}  // namespace adb
