#include "runners/worker/channel.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

namespace adb {
namespace {

// The parent is gone: nothing may be written any more, not even by destructors.
[[noreturn]] void leave() {
  std::_Exit(exit_code(ErrorKind::kInterrupted));
}

constexpr std::size_t kMaxJobBytes = std::size_t{1} << 30;

}  // namespace

Channel::Channel(bool connected) : connected_(connected) {
  out_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  ADB_CHECK(out_ >= 0 && ::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0,
            ErrorKind::kInternal,
            "cannot set up the worker's output");
}

wire::Job Channel::read_job() {
  char block[65536];
  std::size_t end = std::string::npos;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    const ssize_t n = ::read(STDIN_FILENO, block, sizeof block);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    ADB_CHECK(n > 0, ErrorKind::kConfig, "no job on the worker's standard input");
    buffer_.append(block, static_cast<std::size_t>(n));
    ADB_CHECK(buffer_.size() <= kMaxJobBytes,
              ErrorKind::kConfig,
              "job larger than {} bytes",
              kMaxJobBytes);
  }
  const auto job =
      wire::job_from_json(parse_json(buffer_.substr(0, end), "job", ErrorKind::kConfig));
  buffer_.erase(0, end + 1);
  std::thread([this] { listen(); }).detach();  // lives as long as the process
  return job;
}

void Channel::listen() {
  char block[4096];
  for (;;) {
    for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line == "stop") {
        stop_ = true;
      } else if (line.starts_with("ack ")) {
        const std::lock_guard lock(mutex_);
        std::from_chars(line.data() + 4, line.data() + line.size(), stored_);
        changed_.notify_all();
      }
    }
    const ssize_t n = ::read(STDIN_FILENO, block, sizeof block);
    if (n == 0 || (n < 0 && errno != EINTR)) {
      leave();
    }
    buffer_.append(block, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

void Channel::send(const char* event, Json fields) {
  if (!connected_) {
    return;
  }
  fields["event"] = event;
  {
    const std::lock_guard lock(mutex_);
    fields["seq"] = ++sent_;
  }
  const std::string line = canonical_json(fields) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(out_, rest.data(), rest.size());
    if (n < 0 && errno != EINTR) {
      leave();
    }
    rest.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

void Channel::wait_until_stored() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stored_ >= sent_; });
}

}  // namespace adb
