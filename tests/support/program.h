// Child processes in tests: what they print and how they end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace adb::testing {

struct ProgramResult {
  int code = -1;   // exit code, -1 when a signal ended it
  int signal = 0;  // that signal
  std::string out, err;
};

// A running child in its own process group, started in `folder`. ADBENCH_* and SLURM_* variables of
// the caller are not passed on; `environment` holds more, as "NAME=VALUE".
class Program {
 public:
  Program(const std::string& program,
          const std::vector<std::string>& arguments,
          const std::filesystem::path& folder,
          const std::vector<std::string>& environment = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Waits until stdout holds `text`; false when the child ends, or two minutes pass, without it.
  bool wait_for_output(const std::string& text);
  pid_t pid() const { return pid_; }
  void signal(int number) const;  // to the child alone
  // Processes below the child that run a program of this name, oldest first.
  std::vector<pid_t> descendants(const std::string& name) const;
  ProgramResult finish();  // waits for the end

 private:
  bool pump(int timeout_ms);  // reads what there is; false at the end of both streams
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
  ProgramResult result_;
  bool finished_ = false;
};

ProgramResult run_program(const std::string& program,
                          const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder,
                          const std::vector<std::string>& environment = {});

}  // namespace adb::testing
