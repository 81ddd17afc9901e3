#include "runners/schedule/slots.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include <sched.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

namespace adb {
namespace {

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && value >= 0 ? std::optional(value)
                                                                     : std::nullopt;
}

// A positive number in the environment; of a list ("4,2") the first.
std::optional<std::int64_t> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) {
    return std::nullopt;
  }
  const std::string_view all = text;
  const auto value = whole(all.substr(0, all.find(',')));
  return value && *value > 0 ? value : std::nullopt;
}

}  // namespace

std::vector<std::string> parse_devices(const std::string& text) {
  std::vector<std::string> devices;
  bool after_cuda = false;
  for (const auto& part : split(text, ',')) {
    std::string device = part;
    if (after_cuda && whole(part)) {
      device = "cuda:" + part;
    }
    after_cuda = device.starts_with("cuda:") && whole(device.substr(5));
    ADB_CHECK(device == "cpu" || after_cuda,
              ErrorKind::kUsage,
              "--devices: expected auto, cpu or cuda:0,cuda:1,..., got '{}'",
              text);
    ADB_CHECK(std::find(devices.begin(), devices.end(), device) == devices.end(),
              ErrorKind::kUsage,
              "--devices: '{}' is named twice",
              device);
    devices.push_back(device);
  }
  ADB_CHECK(!devices.empty(), ErrorKind::kUsage, "--devices: none given");
  return devices;
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) {
        cores.push_back(cpu);
      }
    }
  }
  if (cores.empty()) {
    cores.push_back(0);
  }
  auto share = number_in_environment("SLURM_CPUS_PER_TASK");
  if (!share) {
    share = number_in_environment("SLURM_CPUS_ON_NODE");
  }
  if (share) {
    cores.resize(std::min(cores.size(), static_cast<std::size_t>(*share)));
  }
  return cores;
}

std::vector<DeviceSlot> make_slots(const std::vector<std::string>& devices,
                                   std::int64_t cpu_slots,
                                   std::int64_t threads,
                                   std::int64_t ranks) {
  const auto cores = usable_cores();
  const auto available = static_cast<std::int64_t>(cores.size());
  std::vector<DeviceSlot> slots;
  std::vector<std::string> gpus;
  for (const auto& device : devices) {
    if (device == "cpu") {
      slots.insert(slots.end(), static_cast<std::size_t>(cpu_slots), {device, {}, 1});
    } else {
      gpus.push_back(device);
    }
  }
  const auto each_job = std::min(static_cast<std::size_t>(ranks), gpus.size());
  ADB_CHECK(gpus.empty() || gpus.size() % each_job == 0,
            ErrorKind::kUsage,
            "--devices: {} GPUs do not divide into groups for {} ranks",
            gpus.size(),
            ranks);
  for (std::size_t first = 0; first < gpus.size(); first += each_job) {
    const auto begin = gpus.begin() + static_cast<std::ptrdiff_t>(first);
    slots.push_back(
        {fmt::format("{}", fmt::join(begin, begin + static_cast<std::ptrdiff_t>(each_job), ",")),
         {},
         1});
  }
  const auto wanted = static_cast<std::int64_t>(slots.size());
  ADB_CHECK(cpu_slots == 1 || wanted <= available,
            ErrorKind::kUsage,
            "--slots: {} workers do not fit {} cores",
            wanted,
            available);
  const auto each = std::max<std::int64_t>(1, available / wanted);
  for (std::int64_t i = 0; i < wanted; ++i) {
    auto& slot = slots[static_cast<std::size_t>(i)];
    const auto share = std::max<std::int64_t>(1, each / ranks);
    slot.threads = threads > 0
                       ? threads
                       : std::min(share, number_in_environment("OMP_NUM_THREADS").value_or(share));
    // Pinned, so that the threads of one worker stay out of the caches of another. Workers of
    // GPUs are left to the system, which knows what lies near which device.
    if (cpu_slots > 1 && slot.device == "cpu") {
      slot.cpus.assign(cores.begin() + i * each, cores.begin() + (i + 1) * each);
    }
  }
  return slots;
}

}  // namespace adb
