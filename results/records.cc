#include "results/records.h"

#include <array>
#include <utility>

namespace adb {
namespace {

constexpr std::array<std::pair<RunStatus, std::string_view>, 7> kStatuses = {{
    {RunStatus::kRunning, "running"},
    {RunStatus::kFinished, "finished"},
    {RunStatus::kFailed, "failed"},
    {RunStatus::kInterrupted, "interrupted"},
    {RunStatus::kTimeout, "timeout"},
    {RunStatus::kOutOfMemory, "out_of_memory"},
    {RunStatus::kKilled, "killed"},
}};

}  // namespace

std::string_view to_text(RunStatus status) {
  for (const auto& [known, text] : kStatuses) {
    if (known == status) {
      return text;
    }
  }
  fail(ErrorKind::kInternal, "run status {} has no name", static_cast<int>(status));
}

RunStatus run_status_from_text(std::string_view text) {
  for (const auto& [status, known] : kStatuses) {
    if (known == text) {
      return status;
    }
  }
  fail(ErrorKind::kStore, "unknown run status '{}'", text);
}

}  // namespace adb
