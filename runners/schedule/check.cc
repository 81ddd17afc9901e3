#include "runners/schedule/check.h"

#include <map>
#include <utility>

#include "core/text.h"
#include "runners/schedule/worker_process.h"
#include "runners/wire/wire.h"

namespace adb {
namespace {

const std::string kWhere = "adbench-worker check";
constexpr auto kKind = ErrorKind::kInternal;

// The answers, the line of the worker itself first.
std::vector<Json> ask(const std::filesystem::path& worker, const std::vector<Json>& questions) {
  std::string input;
  for (const auto& question : questions) {
    input += canonical_json(question) + "\n";
  }
  const auto answer = ask_worker({worker.string(), "check"}, input);
  ADB_CHECK(answer.end.signal == 0 && answer.end.code == 0,
            kKind,
            "'{} check' ended with {} {}: {}",
            worker.string(),
            answer.end.signal != 0 ? "signal" : "exit code",
            answer.end.signal != 0 ? answer.end.signal : answer.end.code,
            answer.err);
  std::vector<Json> lines;
  for (const auto& line : split(answer.out, '\n')) {
    if (!line.empty()) {
      lines.push_back(parse_json(line, kWhere, kKind));
    }
  }
  ADB_CHECK(lines.size() == questions.size() + 1,
            kKind,
            "{}: {} answers to {} questions",
            kWhere,
            lines.empty() ? 0 : lines.size() - 1,
            questions.size());
  const auto wire = json_int(json_at(lines.front(), "wire", kWhere, kKind), kWhere, kKind);
  ADB_CHECK(wire == wire::kVersion,
            ErrorKind::kUsage,
            "'{}' speaks wire version {}, this adbench {}: build both together",
            worker.string(),
            wire,
            wire::kVersion);
  return lines;
}

}  // namespace

void check_relations(const Plan& plan, const std::filesystem::path& worker) {
  std::vector<Json> questions;
  std::vector<const Cell*> asked;
  std::map<std::pair<std::string, std::string>, bool> seen;
  for (const auto& cell : plan.cells) {
    Json options = cell.changed;
    options.erase("weights");
    if (cell.origins.empty() ||
        !seen.emplace(std::pair(cell.method->name, canonical_json(options)), true).second) {
      continue;
    }
    questions.push_back(
        {{"id", questions.size()}, {"method", cell.method->name}, {"options", options}});
    asked.push_back(&cell);
  }
  if (questions.empty()) {
    return;
  }
  const auto answers = ask(worker, questions);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& error = json_at(answers[i + 1], "error", kWhere, kKind);
    if (error.is_null()) {
      continue;
    }
    std::vector<std::string> changed;
    for (const auto& option : asked[i]->origins) {
      changed.push_back(
          fmt::format("{}: {} = {}", option.origin, option.path, canonical_json(option.value)));
    }
    fail(ErrorKind::kUsage, "{} ({})", json_string(error, kWhere, kKind), join(changed, ", "));
  }
}

std::vector<std::string> cuda_devices(const std::filesystem::path& worker) {
  std::vector<std::string> devices;
  const auto answers = ask(worker, {});
  for (const auto& one : json_at(answers.front(), "devices", kWhere, kKind)) {
    devices.push_back(json_string(json_at(one, "device", kWhere, kKind), kWhere, kKind));
  }
  return devices;
}

}  // namespace adb
