#include "cli/run_lookup.h"

#include <algorithm>
#include <charconv>

namespace adb {

RunRow find_run(const Store& store, const std::string& name) {
  const auto runs = store.find_runs();
  std::int64_t number = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == end && name.size() < 16;
  const auto found = std::find_if(runs.rbegin(), runs.rend(), [&](const RunRow& run) {
    return is_number && to_int(run.id) == number;
  });
  if (found != runs.rend()) {
    return *found;
  }
  const auto by_key = std::find_if(runs.rbegin(), runs.rend(), [&](const RunRow& run) {
    return name.size() >= 4 && run.key.starts_with(name);
  });
  ADB_CHECK(by_key != runs.rend(),
            ErrorKind::kUsage,
            "store '{}' has no run '{}'; `adbench show` lists numbers and keys",
            store.file().string(),
            name);
  return *by_key;
}

}  // namespace adb
