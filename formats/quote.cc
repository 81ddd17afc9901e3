#include "formats/quote.h"

#include <fmt/format.h>

namespace adb {

std::string quote(std::string_view text) {
  constexpr std::size_t kMaxBytes = 120;
  const std::string_view shown = text.substr(0, kMaxBytes);
  std::string out = "'";
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += shown.size() < text.size() ? "...'" : "'";
  return out;
}

}  // namespace adb
