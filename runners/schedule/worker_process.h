// One adbench-worker as a child process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/json.h"

namespace adb {

// How a child ended.
struct ProcessEnd {
  int code = 0;    // exit code, when it left by itself
  int signal = 0;  // else the signal that killed it
};

// Starts the program in a process group of its own, with pipes for its stdin and stdout; stderr
// goes to a file. Not copyable; the destructor kills what is left of the group and waits.
class WorkerProcess {
 public:
  //   cpus: cores to pin the child to; empty: all
  // throws: Error(kInternal) when it cannot be started
  WorkerProcess(const std::vector<std::string>& command,
                const std::filesystem::path& log,
                const std::vector<int>& cpus);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  int output() const { return out_; }  // for poll()

  // Sends a line. A child that is gone loses it: its end is seen on its output.
  void send_line(const std::string& line);

  // Reads what is there and returns the complete lines. Sets *closed at the end of the output.
  std::vector<std::string> read_lines(bool* closed);

  void kill(int signal) const;  // the whole group
  ProcessEnd wait();            // blocks until it ended

  // Resident memory of the child in bytes, 0 when it is gone.
  std::int64_t memory_bytes() const;

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  bool waited_ = false;
  ProcessEnd end_;
  std::string buffer_;
};

}  // namespace adb
