#include "runners/schedule/worker_process.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"

namespace adb {
namespace {

constexpr std::size_t kMaxLine = std::size_t{256} << 20;

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(
    char* const* argv, int in, int out, int log, const cpu_set_t* cpus, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {  // the parent died before the line above
    ::_exit(127);
  }
  if (cpus != nullptr) {
    ::sched_setaffinity(0, sizeof *cpus, cpus);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 ||
      ::dup2(log, STDERR_FILENO) < 0) {
    ::_exit(127);
  }
  ::execv(argv[0], argv);
  constexpr char kMessage[] = "cannot start adbench-worker\n";
  (void)!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  ::_exit(127);
}

}  // namespace

WorkerProcess::WorkerProcess(const std::vector<std::string>& command,
                             const std::filesystem::path& log,
                             const std::vector<int>& cpus) {
  std::vector<char*> argv;
  for (const auto& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  ADB_CHECK(
      log_fd >= 0, ErrorKind::kData, "cannot write '{}': {}", log.string(), std::strerror(errno));
  ADB_CHECK(::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0,
            ErrorKind::kInternal,
            "cannot make pipes: {}",
            std::strerror(errno));
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become(argv.data(), in[0], out[1], log_fd, cpus.empty() ? nullptr : &set, parent);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(log_fd);
  in_ = in[1];
  out_ = out[0];
  ADB_CHECK(pid_ > 0, ErrorKind::kInternal, "cannot start a worker: {}", std::strerror(errno));
  ::setpgid(pid_, pid_);  // also here: whoever comes first
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
  if (!waited_ && pid_ > 0) {
    kill(SIGKILL);
    wait();
  }
  ::close(in_);
  ::close(out_);
}

void WorkerProcess::send_line(const std::string& line) {
  const std::string data = line + "\n";
  std::string_view rest = data;
  while (!rest.empty()) {
    const ssize_t n = ::write(in_, rest.data(), rest.size());
    if (n < 0 && errno != EINTR) {
      return;
    }
    rest.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

std::vector<std::string> WorkerProcess::read_lines(bool* closed) {
  char block[65536];
  for (;;) {
    const ssize_t n = ::read(out_, block, sizeof block);
    if (n > 0) {
      buffer_.append(block, static_cast<std::size_t>(n));
      ADB_CHECK(buffer_.size() <= kMaxLine,
                ErrorKind::kInternal,
                "a worker sent a line of more than {} bytes",
                kMaxLine);
      continue;
    }
    if (n < 0 && errno == EINTR) {
      continue;
    }
    *closed = n == 0 || errno != EAGAIN;
    break;
  }
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', begin)) {
    lines.push_back(buffer_.substr(begin, end - begin));
    begin = end + 1;
  }
  buffer_.erase(0, begin);
  return lines;
}

void WorkerProcess::kill(int signal) const {
  ::kill(-pid_, signal);
}

ProcessEnd WorkerProcess::wait() {
  if (!waited_) {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
    if (WIFSIGNALED(status)) {
      end_.signal = WTERMSIG(status);
    } else {
      end_.code = WEXITSTATUS(status);
    }
    ::kill(-pid_, SIGKILL);  // children of the worker, if any
  }
  return end_;
}

std::int64_t WorkerProcess::memory_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace adb
