// Writing comma-separated values (RFC 4180).
#pragma once

#include <string>

namespace adb {

// The text as a field: in quotes when it holds a separator, a quote or a line break.
std::string csv_field(const std::string& text);

}  // namespace adb
