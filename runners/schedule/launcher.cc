#include "runners/schedule/launcher.h"

#include <cstdlib>
#include <optional>

#include <unistd.h>

#include "core/error.h"
#include "core/text.h"

namespace adb {
namespace {

std::optional<std::filesystem::path> find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    const auto file = std::filesystem::path(folder) / name;
    if (::access(file.c_str(), X_OK) == 0) {
      return file;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> worker_command(const std::filesystem::path& worker, std::int64_t ranks) {
  if (ranks == 1) {
    return {worker.string(), "run"};
  }
  const bool slurm = std::getenv("SLURM_JOB_ID") != nullptr;
  const std::string name = slurm ? "srun" : "mpirun";
  const auto program = find_program(name);
  ADB_CHECK(program.has_value(),
            ErrorKind::kUsage,
            "--ranks: '{}' is not on the PATH; it starts the {} ranks of a job",
            name,
            ranks);
  std::vector<std::string> command = {program->string()};
  if (slurm) {
    command.insert(command.end(), {"--mpi=pmix_v4", "--input=0", "--kill-on-bad-exit=1"});
  } else {
    // Threads share the slot's cores: Open MPI would bind each rank to one. Ranks that wait leave
    // their core to others: spinning, they starve the rank they wait for on a busy machine.
    command.insert(command.end(),
                   {"--bind-to", "none", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1"});
    if (::geteuid() == 0) {
      command.emplace_back("--allow-run-as-root");
    }
  }
  command.insert(command.end(), {"-n", std::to_string(ranks), worker.string(), "run"});
  return command;
}

}  // namespace adb
