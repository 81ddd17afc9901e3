// One adbench-worker as a child process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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

// The right to write a run's folder. It belongs to this process and to the worker that inherits
// it, and ends with the last of them: a worker whose parent was killed keeps the next one out
// until it is gone.
class FolderLock {
 public:
  // Waits up to `patience_s` for the holder to end. A file system without locks gives none.
  //   throws: Error(kData) when the folder cannot be opened or stays in use
  FolderLock(const std::filesystem::path& folder, double patience_s);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;
  ~FolderLock();
  int descriptor() const { return fd_; }

 private:
  int fd_ = -1;
};

// Starts the program in a process group of its own, with pipes for its stdin and stdout; stderr
// goes to a file. Nothing here blocks but the constructor of a full machine and wait(). Not
// copyable; the destructor kills what is left of the group and waits.
class WorkerProcess {
 public:
  //   cpus: cores to pin the child to; empty: all
  //   lock: descriptor that the child inherits, -1: none
  // throws: Error(kInternal) when it cannot be started, Error(kData) when the log cannot be written
  WorkerProcess(const std::vector<std::string>& command,
                const std::filesystem::path& log,
                const std::vector<int>& cpus,
                int lock = -1);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  int output() const { return out_; }  // for poll(): POLLIN
  // For poll(): POLLOUT while lines wait for the child to read, else -1.
  int unsent_input() const { return unsent_.empty() ? -1 : in_; }

  // Queues a line and sends what the child takes now; send_unsent() goes on later. A child that is
  // gone loses it: its end is seen on its output.
  void send_line(const std::string& line);
  void send_unsent();
  void close_input();  // after what can be sent now

  // Reads what is there, a few MiB at most, and returns the complete lines. Sets *closed at the
  // end of the output.
  //   throws: Error(kInternal) for a line that does not end
  std::vector<std::string> read_lines(bool* closed);

  void kill(int signal) const;       // the whole group
  std::optional<ProcessEnd> poll();  // how it ended, or nothing while it runs
  ProcessEnd wait();                 // blocks until it ended

  // Resident memory of the child and all that it started (ranks of a job) in bytes, 0 when it is
  // gone. What `srun` starts is not below it and is not counted.
  std::int64_t memory_bytes() const;

 private:
  ProcessEnd reaped(int status);
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::optional<ProcessEnd> end_;
  std::string buffer_;  // read, without a line's end
  std::string unsent_;
};

// What a short-lived worker answered.
struct WorkerAnswer {
  ProcessEnd end;
  std::string out, err;
};

// Runs the worker program to its end with `input` on its stdin; what it answers must be small.
WorkerAnswer ask_worker(const std::vector<std::string>& command, const std::string& input);

}  // namespace adb
