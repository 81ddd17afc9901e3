#include "runners/schedule/submit.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/files.h"
#include "core/text.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kNameLength = 16;  // of a key in file names

}  // namespace

std::string shell_quote(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

const std::string& slurm_template() {
  static const std::string script = R"(#!/bin/bash
{{options}}
set -u
cd {{start_folder}} || exit 1
folder={{folder}}
mapfile -t cells <"$folder/cells.txt"
cell=${cells[$SLURM_ARRAY_TASK_ID]}

# Slurm signals this shell alone, which passes it on: adbench saves and leaves with 75. Before the
# time limit that is {{signal}}, and the task wants to go on; TERM ends a job for good.
{{command}} --cell "$cell" --take-over --store "$folder/cell-${cell:0:16}.sqlite" &
pid=$!
requeue=
trap 'kill -TERM "$pid" 2>/dev/null' TERM
trap 'requeue=1; kill -USR1 "$pid" 2>/dev/null' {{signal}}
while :; do
  wait "$pid"
  code=$?
  # A trapped signal ends `wait` as well, with a code above 128, while adbench goes on.
  if [ "$code" -le 128 ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
done
echo "cell $cell: exit code $code, restart ${SLURM_RESTART_COUNT:-0}"
# 75: interrupted, everything saved. Above 128: the end fell together with the signal; the next start sees.
if [ -n "$requeue" ] && { [ "$code" -eq 75 ] || [ "$code" -gt 128 ]; }; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && exit 0
fi
exit "$code"
)";
  return script;
}

std::string fill_template(const std::string& script,
                          const std::string& place,
                          const SlurmJob& job) {
  std::vector<std::string> options = {
      "--job-name=adbench",
      fmt::format("--array=0-{}{}",
                  job.cells.size() - 1,
                  job.array_limit > 0 ? fmt::format("%{}", job.array_limit) : ""),
      "--requeue",
      "--open-mode=append",
      "--signal=B:" + job.signal,
      "--output=" + (job.folder / "log/%A_%a.log").string()};
  options.insert(options.end(), job.options.begin(), job.options.end());
  std::vector<std::string> words;
  for (const auto& word : job.run_command) {
    words.push_back(shell_quote(word));
  }
  const auto at = job.signal.find('@');
  const auto seconds = at == std::string::npos ? "" : job.signal.substr(at + 1);
  constexpr std::string_view kDigits = "0123456789", kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  ADB_CHECK(at > 0 && !seconds.empty() && seconds.find_first_not_of(kDigits) == std::string::npos &&
                job.signal.substr(0, at).find_first_not_of(
                    std::string(kLetters) + std::string(kDigits)) == std::string::npos,
            ErrorKind::kUsage,
            "--signal: expected SIGNAL@SECONDS such as USR1@180, got '{}'",
            job.signal);
  const std::map<std::string, std::string> values = {
      {"signal", job.signal.substr(0, at)},
      {"options", "#SBATCH " + join(options, "\n#SBATCH ")},
      {"folder", shell_quote(job.folder.string())},
      {"start_folder", shell_quote(job.start_folder.string())},
      {"command", join(words, " ")}};
  std::string filled;
  std::set<std::string> used;
  std::size_t done = 0;
  for (auto begin = script.find("{{"); begin != std::string::npos;
       begin = script.find("{{", done)) {
    const auto end = script.find("}}", begin);
    const auto name = end == std::string::npos ? "" : script.substr(begin + 2, end - begin - 2);
    const auto value = values.find(name);
    if (value == values.end()) {
      const auto before = script.begin() + static_cast<std::ptrdiff_t>(begin);
      fail(ErrorKind::kConfig,
           "{}:{}: {}",
           place,
           std::count(script.begin(), before, '\n') + 1,
           unknown_name(
               "placeholder", name, {"command", "folder", "options", "signal", "start_folder"}));
    }
    filled += script.substr(done, begin - done) + value->second;
    used.insert(name);
    done = end + 2;
  }
  for (const char* needed : {"options", "command"}) {
    ADB_CHECK(used.contains(needed),
              ErrorKind::kConfig,
              "{}: the placeholder {{{{{}}}}} is missing",
              place,
              needed);
  }
  return filled + script.substr(done);
}

fs::path cell_store(const fs::path& folder, const std::string& key) {
  return folder / ("cell-" + key.substr(0, kNameLength) + ".sqlite");
}

fs::path write_slurm_job(const SlurmJob& job, const std::string& script) {
  make_folder(job.folder / "log");
  write_file_atomic(job.folder / "cells.txt", join(job.cells, "\n") + "\n");
  const auto file = job.folder / "job.sh";
  write_file_atomic(file, script);
  fs::permissions(file, fs::perms::owner_exec, fs::perm_options::add);
  return file;
}

}  // namespace adb
