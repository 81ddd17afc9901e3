// Downloading one file over HTTPS, so that a broken connection costs only what is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace adb {

struct Download {
  std::string url;                // https://...
  std::filesystem::path to;       // what has arrived is kept here from one call to the next
  std::int64_t max_bytes = 0;     // more is refused
  std::filesystem::path ca_file;  // certificates to trust instead of the system's; empty: those
  // Called now and then with the bytes that are there and the total, 0 while it is not known.
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

// Fetches the rest of download.to, from its start when the server cannot resume. Redirects are
// followed, at most 5, and only to HTTPS. A connection that breaks after some bytes is tried again,
// at most 3 times.
//   throws: Error(kWeights) naming the address and the reason; download.to then holds what arrived
void fetch_https(const Download& download);

}  // namespace adb
