// What the store needs to know of its surroundings. A process is named so that the name is never
// used again: host, pid and start time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace adb {

struct ProcessIdentity {
  std::string host;
  std::int64_t pid = 0;
  std::string
      start;  // BOOT:TICKS: this boot of the machine and clock ticks since it; "" when unknown
};

ProcessIdentity this_process();

// Whether `process` certainly ended: it is of this host, and its pid is free or was given to
// another process. Of other hosts, or without a start time, nothing is certain.
bool is_gone(const ProcessIdentity& process);

// Whether `folder` lies on a network file system, where a write-ahead log cannot be shared between
// hosts and locks may not hold.
bool on_network_file_system(const std::filesystem::path& folder);

// Now, in UTC: "2026-01-31T23:59:59Z".
std::string utc_now();

}  // namespace adb
