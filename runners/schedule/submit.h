// An array job for Slurm: one cell per task, a store per cell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace adb {

// A word that a POSIX shell reads as it stands.
std::string shell_quote(const std::string& word);

struct SlurmJob {
  std::filesystem::path folder;          // absolute: script, list of cells, stores, logs
  std::filesystem::path start_folder;    // absolute: where relative paths of the command start
  std::vector<std::string> run_command;  // adbench run with everything but --cell and --store
  std::vector<std::string> cells;        // keys
  std::int64_t array_limit = 0;          // tasks at a time, 0: no limit
  std::string signal = "USR1@180";       // sent so many seconds before the time limit
  std::vector<std::string> options;      // "--time=1:00:00", ... for #SBATCH lines
};

// The built-in script with these placeholders, which a template of the user's may have in any
// order: {{options}} the #SBATCH lines, {{folder}}, {{start_folder}}, {{command}}, {{signal}}. The
// script is run once per task: it starts the command for the task's cell, passes signals on, and
// asks Slurm to requeue when that left with 75 after the signal.
const std::string& slurm_template();

// `script` with its placeholders filled. throws: Error(kConfig) "PLACE:LINE: ..." for an unknown
// placeholder, or when {{options}} or {{command}} is missing; Error(kUsage) for a signal that is
// none
std::string fill_template(const std::string& script, const std::string& place, const SlurmJob& job);

// The store of a cell in `folder`.
std::filesystem::path cell_store(const std::filesystem::path& folder, const std::string& key);

// Writes job.sh, cells.txt and the folder log. returns: the script. throws: Error(kData)
std::filesystem::path write_slurm_job(const SlurmJob& job, const std::string& script);

}  // namespace adb
