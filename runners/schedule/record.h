// A cell as the store records it and as a worker is asked for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "results/records.h"
#include "runners/schedule/plan.h"
#include "runners/schedule/slots.h"
#include "runners/wire/wire.h"

namespace adb {

struct RunOptions;

// The row of an attempt, without its folder.
RunRow row_of(const Plan& plan,
              const Cell& cell,
              const DeviceSlot& slot,
              const RunOptions& options);

// This machine and this build. `libtorch` is the worker's version of it.
Environment environment_of(const std::string& libtorch);

// What a worker needs to know; all paths absolute.
//   folder: of the run   cache_bytes: memory for decoded images and features
wire::Job job_of(const Plan& plan,
                 const Cell& cell,
                 const DeviceSlot& slot,
                 const RunOptions& options,
                 const std::filesystem::path& folder,
                 std::int64_t cache_bytes);

// "vitad on sample/gear, seed 3"
std::string label_of(const Cell& cell);

}  // namespace adb
