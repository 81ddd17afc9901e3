#include "cli/streams.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace adb {
namespace {

struct Target {
  int descriptor;
  bool reader_gone = false;
};

// returns: `size`, or less when the write failed
ssize_t write_all(void* cookie, const char* data, std::size_t size) {
  auto& target = *static_cast<Target*>(cookie);
  std::size_t done = 0;
  while (done < size && !target.reader_gone) {
    const auto written = ::write(target.descriptor, data + done, size - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno == EPIPE) {
      target.reader_gone = true;
    } else if (errno != EINTR) {
      return static_cast<ssize_t>(done);
    }
  }
  return static_cast<ssize_t>(size);
}

FILE* open_target(Target* target, int buffering) {
  FILE* file = ::fopencookie(
      target, "w", {.read = nullptr, .write = write_all, .seek = nullptr, .close = nullptr});
  if (file == nullptr) {
    std::abort();  // out of memory at the start, with nowhere to say so
  }
  std::setvbuf(file, nullptr, buffering, BUFSIZ);
  return file;
}

}  // namespace

void outlive_readers() {
  std::signal(SIGPIPE, SIG_IGN);
  static Target output{STDOUT_FILENO};
  static Target error{STDERR_FILENO};
  stdout = open_target(&output, ::isatty(STDOUT_FILENO) == 1 ? _IOLBF : _IOFBF);
  stderr = open_target(&error, _IONBF);
}

}  // namespace adb
