// page.css and page.js, compiled in; internal to reports/html.
#pragma once

#include <string_view>

namespace adb {

std::string_view page_style();
std::string_view page_script();

}  // namespace adb
