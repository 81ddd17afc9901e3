// Text from a foreign file, made fit to stand in a message.
#pragma once

#include <string>
#include <string_view>

namespace adb {

// `text` in '...': control characters as \xNN, and cut after 120 bytes, so that a hostile name can
// neither flood the terminal nor steer it. UTF-8 passes unchanged.
std::string quote(std::string_view text);

}  // namespace adb
