#include "runners/schedule/worker_process.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/scratch.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxLine = std::size_t{256} << 20;
// Read at a time: a worker that prints without end must not keep the others waiting.
constexpr std::size_t kMaxRead = std::size_t{4} << 20;

// Of a process and its descendants.
std::int64_t resident_pages(pid_t pid) {
  const auto proc = fs::path("/proc") / std::to_string(pid);
  std::ifstream statm(proc / "statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  std::error_code gone;  // a process may end while it is looked at
  for (fs::directory_iterator thread(proc / "task", gone), end; !gone && thread != end;
       thread.increment(gone)) {
    std::ifstream children(thread->path() / "children");
    for (pid_t child = 0; children >> child;) {
      resident += resident_pages(child);
    }
  }
  return resident;
}

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(
    char* const* argv, int in, int out, int log, int lock, const cpu_set_t* cpus, pid_t parent) {
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
  // Launchers signal every process of a job (Slurm before its time limit, a terminal on Ctrl-C);
  // the parent passes a stop on as a line.
  for (const int stop : {SIGINT, SIGTERM, SIGUSR1}) {
    ::signal(stop, SIG_IGN);
  }
  if (lock >= 0) {
    ::fcntl(lock, F_SETFD, 0);
  }
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

FolderLock::FolderLock(const fs::path& folder, double patience_s)
    : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  ADB_CHECK(
      fd_ >= 0, ErrorKind::kData, "cannot open '{}': {}", folder.string(), std::strerror(errno));
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double>(patience_s);
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR)) {
    if (Clock::now() > until) {
      ::close(fd_);
      fail(ErrorKind::kData,
           "run folder '{}' is in use by another process; wait for it to end",
           folder.string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& command,
                             const fs::path& log,
                             const std::vector<int>& cpus,
                             int lock) {
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
    become(argv.data(), in[0], out[1], log_fd, lock, cpus.empty() ? nullptr : &set, parent);
  }
  const int why = errno;
  ::close(in[0]);
  ::close(out[1]);
  ::close(log_fd);
  in_ = in[1];
  out_ = out[0];
  if (pid_ < 0) {
    ::close(in_);
    ::close(out_);
    fail(ErrorKind::kInternal, "cannot start a worker: {}", std::strerror(why));
  }
  ::setpgid(pid_, pid_);  // also here: whoever comes first
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  ::fcntl(out_, F_SETFL, O_NONBLOCK);
}

WorkerProcess::~WorkerProcess() {
  if (!end_) {
    kill(SIGKILL);
    wait();
  }
  close_input();
  ::close(out_);
}

void WorkerProcess::send_line(const std::string& line) {
  unsent_ += line;
  unsent_ += '\n';
  send_unsent();
}

void WorkerProcess::send_unsent() {
  std::size_t sent = 0;
  while (sent < unsent_.size()) {
    const ssize_t n = ::write(in_, unsent_.data() + sent, unsent_.size() - sent);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      sent = unsent_.size();  // nobody reads any more
    }
  }
  unsent_.erase(0, sent);
}

void WorkerProcess::close_input() {
  unsent_.clear();
  if (in_ >= 0) {
    ::close(in_);
    in_ = -1;
  }
}

std::vector<std::string> WorkerProcess::read_lines(bool* closed) {
  char block[65536];
  const std::size_t before = buffer_.size();  // without a line's end
  for (std::size_t taken = 0; taken < kMaxRead;) {
    const ssize_t n = ::read(out_, block, sizeof block);
    if (n > 0) {
      buffer_.append(block, static_cast<std::size_t>(n));
      taken += static_cast<std::size_t>(n);
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
  for (auto end = buffer_.find('\n', before); end != std::string::npos;
       end = buffer_.find('\n', begin)) {
    lines.push_back(buffer_.substr(begin, end - begin));
    begin = end + 1;
  }
  buffer_.erase(0, begin);
  ADB_CHECK(buffer_.size() <= kMaxLine,
            ErrorKind::kInternal,
            "the worker sent a line of more than {} bytes",
            kMaxLine);
  return lines;
}

void WorkerProcess::kill(int signal) const {
  if (!end_) {
    ::kill(-pid_, signal);
  }
}

ProcessEnd WorkerProcess::reaped(int status) {
  end_ = ProcessEnd{};
  if (WIFSIGNALED(status)) {
    end_->signal = WTERMSIG(status);
  } else {
    end_->code = WEXITSTATUS(status);
  }
  ::kill(-pid_, SIGKILL);  // children of the worker, if any
  return *end_;
}

std::optional<ProcessEnd> WorkerProcess::poll() {
  int status = 0;
  if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    reaped(status);
  }
  return end_;
}

ProcessEnd WorkerProcess::wait() {
  int status = 0;
  while (!end_) {
    if (::waitpid(pid_, &status, 0) == pid_ || errno != EINTR) {
      reaped(status);
    }
  }
  return *end_;
}

std::int64_t WorkerProcess::memory_bytes() const {
  return resident_pages(pid_) * ::sysconf(_SC_PAGESIZE);
}

WorkerAnswer ask_worker(const std::vector<std::string>& command, const std::string& input) {
  const ScratchFolder folder("adbench");
  const auto log = folder.path() / "log";
  WorkerAnswer answer;
  WorkerProcess worker(command, log, {});
  worker.send_line(input);
  for (bool closed = false; !closed;) {
    if (worker.unsent_input() < 0) {
      worker.close_input();
    }
    pollfd fds[] = {{worker.output(), POLLIN, 0}, {worker.unsent_input(), POLLOUT, 0}};
    ::poll(fds, std::size(fds), -1);
    if (fds[1].revents != 0) {
      worker.send_unsent();
    }
    for (const auto& line : worker.read_lines(&closed)) {
      answer.out += line + "\n";
    }
  }
  answer.end = worker.wait();
  answer.err = read_text(log, ErrorKind::kInternal);
  answer.err.resize(answer.err.find_last_not_of('\n') + 1);
  return answer;
}

}  // namespace adb
