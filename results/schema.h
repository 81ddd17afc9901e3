// The numbered migrations of results/schema/, compiled in.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace adb {

// SQL that leads from schema number k to k + 1, at index k.
std::span<const std::string_view> migrations();

inline std::int64_t newest_schema() {
  return static_cast<std::int64_t>(migrations().size());
}

// In the header of every store: "ADBN". Tells a result store from other SQLite files.
inline constexpr std::int64_t kApplicationId = 0x4144424E;

}  // namespace adb
