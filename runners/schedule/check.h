// What only the worker knows before a job runs: whether options fit together, and which devices
// there are. One call of `adbench-worker check` for any number of cells:
//   stdin   a line {"id", "method", "options"} for each question, `options` those that differ from
//           the method's defaults
//   stdout  a line {"wire", "libtorch", "devices": [{"device"}]}, then for
//           each question a line {"id", "error"}: null, or the message that the job would fail with
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runners/schedule/plan.h"

namespace adb {

// Relations between options, which a method checks itself. Only cells whose options differ from
// their protocol's recipe are asked for, equal ones once; without any no worker is started.
//   throws: Error(kUsage) naming every option that the user changed in the cell that is refused
void check_relations(const Plan& plan, const std::filesystem::path& worker);

// "cuda:0", "cuda:1", ... as LibTorch sees them.
std::vector<std::string> cuda_devices(const std::filesystem::path& worker);

}  // namespace adb
