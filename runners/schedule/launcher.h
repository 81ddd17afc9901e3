// The command that starts one job's worker processes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace adb {

// One rank: the worker itself. Several: `srun` inside a Slurm allocation, else `mpirun`, either of
// which hands stdin to rank 0 and ends all ranks when one dies.
//   throws: Error(kUsage) when several ranks are asked for and the launcher is not installed
std::vector<std::string> worker_command(const std::filesystem::path& worker, std::int64_t ranks);

}  // namespace adb
