#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/resolve.h"
#include "cli/run_flags.h"
#include "core/files.h"
#include "core/text.h"
#include "runners/schedule/submit.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

struct SubmitFlags {
  RunFlags run;
  SlurmJob job;
  fs::path out, script;
  std::string time, partition, gres;
  std::vector<std::string> passed_on;  // words of the run command
  bool go = false, json = false;
};

// The program on PATH, "" when there is none.
fs::path on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const auto& folder : split(path == nullptr ? "" : path, ':')) {
    if (::access((fs::path(folder) / program).c_str(), X_OK) == 0) {
      return fs::path(folder) / program;
    }
  }
  return {};
}

// Hands the script to Slurm. returns: the job's number
std::string send(const fs::path& script) {
  const auto sbatch = on_path("sbatch");
  ADB_CHECK(!sbatch.empty(),
            ErrorKind::kUsage,
            "--go: there is no sbatch on this machine; the script is '{}'",
            script.string());
  const auto answer = ask_worker({sbatch.string(), "--parsable", script.string()}, "");
  ADB_CHECK(answer.end.signal == 0 && answer.end.code == 0,
            ErrorKind::kUsage,
            "sbatch refused '{}': {}",
            script.string(),
            answer.err);
  const auto number = answer.out.substr(0, answer.out.find_first_of(";\n"));
  return number;
}

int submit(SubmitFlags& flags) {
  check_run_flags(&flags.run);
  const auto store_folder = fs::absolute(flags.run.store).parent_path();
  const auto folder =
      runs_folder(flags.run.store, flags.out.empty() ? store_folder / "adbench-slurm" : flags.out);
  auto& job = flags.job;
  job.folder = fs::absolute(folder).lexically_normal();
  job.start_folder = fs::current_path();
  // The stores of the cells lie in the folder, their runs beside them: there the sample is made.
  const auto resolved = resolve(selection_from(flags.run.selection), job.folder / "adbench-runs");

  std::int64_t finished = 0;
  for (const auto& cell : resolved->plan.cells) {
    bool done = false;
    for (const auto& file : {flags.run.store, cell_store(job.folder, cell.key)}) {
      done = done ||
             (fs::exists(file) && Store::open_for_read(file).newest_finished(cell.key).has_value());
    }
    finished += done ? 1 : 0;
    if (!done) {
      job.cells.push_back(cell.key);
    }
  }
  const auto merge = fmt::format("adbench store merge --store {} {}/cell-*.sqlite",
                                 shell_quote(flags.run.store.string()),
                                 shell_quote(job.folder.string()));
  std::string number;
  fs::path script;
  if (!job.cells.empty()) {
    job.run_command = {(program_folder() / "adbench").string(), "run"};
    job.run_command.insert(job.run_command.end(), flags.passed_on.begin(), flags.passed_on.end());
    for (const auto& [name, value] : {std::pair("--time", flags.time),
                                      std::pair("--partition", flags.partition),
                                      std::pair("--gres", flags.gres)}) {
      if (!value.empty()) {
        job.options.push_back(fmt::format("{}={}", name, value));
      }
    }
    const auto place = flags.script.empty() ? "slurm" : flags.script.string();
    const auto text =
        flags.script.empty() ? slurm_template() : read_text(flags.script, ErrorKind::kConfig);
    script = write_slurm_job(job, fill_template(text, place, job));
    number = flags.go ? send(script) : "";
  }
  if (flags.json) {
    print_json("adbench.submit.1",
               {{"script", script.string()},
                {"folder", job.folder.string()},
                {"cells", job.cells},
                {"finished", finished},
                {"job", number.empty() ? Json(nullptr) : Json(number)},
                {"merge", merge}});
    return 0;
  }
  fmt::print("{} cells to run, {} finished before\n", job.cells.size(), finished);
  if (!job.cells.empty()) {
    fmt::print("script: {}\n", script.string());
    fmt::print("{}",
               number.empty() ? "send it: sbatch " + shell_quote(script.string()) + "\n"
                              : "sent as job " + number + "\n");
  }
  fmt::print("when it is done: {}\n", merge);
  return 0;
}

// What the user gave of the flags of `run`, as words, for the script.
std::vector<std::string> words_of(const std::vector<CLI::Option*>& options) {
  std::vector<std::string> words;
  for (const auto* option : options) {
    if (option->get_expected_max() == 0 && option->count() > 0) {
      words.push_back(option->get_name());
      continue;
    }
    for (const auto& value : option->results()) {
      words.push_back(option->get_name());
      words.push_back(value);
    }
  }
  return words;
}

}  // namespace

Command submit_command() {
  return {"submit", "write, and with --go send, an array job of cells", [](CLI::App& app) {
            auto flags = std::make_shared<SubmitFlags>();
            app.require_subcommand(1);
            auto* slurm = app.add_subcommand("slurm", "one task per cell, requeued at its limit");
            add_selection_flags(*slurm, &flags->run.selection);
            add_run_flags(*slurm, &flags->run);
            const auto passed_on = slurm->get_options(
                [](const CLI::Option* option) { return option->get_name() != "--help"; });
            add_store_flag(*slurm, &flags->run.store);
            slurm->add_option(
                "--out", flags->out, "folder of the job (default: adbench-slurm beside the store)");
            auto& job = flags->job;
            slurm->add_option("--array-limit", job.array_limit, "tasks at a time")
                ->check(CLI::PositiveNumber);
            slurm->add_option("--time", flags->time, "time limit of a task, as Slurm writes it");
            slurm->add_option("--partition", flags->partition, "Slurm's partition");
            slurm->add_option("--gres", flags->gres, "gpu:1, say");
            slurm->add_option("--signal", job.signal, "SIGNAL@SECONDS before the time limit")
                ->capture_default_str();
            slurm->add_option("--sbatch", job.options, "another option of sbatch; may be repeated")
                ->take_all();
            slurm->add_option("--template", flags->script, "a script with placeholders of your own")
                ->check(CLI::ExistingFile);
            slurm->add_flag("--go", flags->go, "send it");
            add_json_flag(*slurm, &flags->json);
            return [flags, passed_on] {
              flags->passed_on = words_of(passed_on);
              return submit(*flags);
            };
          }};
}

}  // namespace adb
