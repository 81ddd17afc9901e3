#include "results/process.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

#include <sys/vfs.h>
#include <unistd.h>

#include "core/error.h"

namespace adb {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) {
    return "";
  }
  return name.data();
}

// Field 22 of /proc/PID/stat, counted after the command name, which may hold spaces and brackets.
std::string start_ticks(std::int64_t pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(stat), std::istreambuf_iterator<char>()};
  const auto bracket = text.rfind(')');
  if (bracket == std::string::npos) {
    return "";
  }
  std::istringstream fields(text.substr(bracket + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) {
    fields >> field;
  }
  return fields ? field : "";
}

std::string start_of(std::int64_t pid) {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  const std::string ticks = start_ticks(pid);
  return ticks.empty() ? "" : fmt::format("{}:{}", boot, ticks);
}

}  // namespace

ProcessIdentity this_process() {
  const std::int64_t pid = ::getpid();
  return {.host = host_name(), .pid = pid, .start = start_of(pid)};
}

bool is_gone(const ProcessIdentity& process) {
  return process.host == host_name() && !process.start.empty() &&
         start_of(process.pid) != process.start;
}

bool on_network_file_system(const std::filesystem::path& folder) {
  static constexpr std::array<std::int64_t, 8> kNetworkTypes = {
      // of statfs(2)
      0x6969,      // NFS
      0x517B,      // SMB
      0xFE534D42,  // SMB 2
      0xFF534D42,  // CIFS
      0x0BD00BD3,  // Lustre
      0x47504653,  // GPFS
      0x00C36400,  // Ceph
      0x19830326,  // BeeGFS
  };
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) {
    return false;
  }
  const auto type = static_cast<std::int64_t>(static_cast<std::uint32_t>(info.f_type));
  return std::find(kNetworkTypes.begin(), kNetworkTypes.end(), type) != kNetworkTypes.end();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     parts.tm_year + 1900,
                     parts.tm_mon + 1,
                     parts.tm_mday,
                     parts.tm_hour,
                     parts.tm_min,
                     parts.tm_sec);
}

}  // namespace adb
