// Where jobs run: one slot per device, or several on the CPU with cores of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adb {

struct DeviceSlot {
  std::string device;        // cpu, cuda:0, or of several ranks "cuda:0,cuda:1"
  std::vector<int> cpus;     // cores to pin the worker to, empty: all that this process may use
  std::int64_t threads = 1;  // of one process
};

// "cpu", "cuda:0,cuda:1" or "cuda:0,1" -> {"cuda:0", "cuda:1"}. throws: Error(kUsage)
std::vector<std::string> parse_devices(const std::string& text);

// Cores that this process may use, by number: its affinity, of which Slurm's share
// (SLURM_CPUS_PER_TASK, else SLURM_CPUS_ON_NODE) when that is smaller: not every Slurm pins its
// jobs.
std::vector<int> usable_cores();

// `cpu_slots` workers for the device cpu, one for each other device, or for as many GPUs in a row
// as a job has ranks (all of them when there are fewer: each machine has its own). Threads are the
// slot's share of the cores, shared by its `ranks` processes, at most OMP_NUM_THREADS when that is
// set; `threads` > 0 fixes them instead.
//   throws: Error(kUsage) when there are more slots than cores, or GPUs that are left over
std::vector<DeviceSlot> make_slots(const std::vector<std::string>& devices,
                                   std::int64_t cpu_slots,
                                   std::int64_t threads,
                                   std::int64_t ranks = 1);

}  // namespace adb
