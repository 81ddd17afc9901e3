// Preloaded into a program under test: one call of write, fsync or rename fails.
//   ADB_FAULT=PROGRAM:CALL:N:ERRNO   the N-th CALL (write, fsync, rename) of the program whose file
//                                    is called PROGRAM fails with that error
//   ADB_FAULT_MARK=FILE              created when it did
// Only regular files count, and not what a program prints: writes to pipes, terminals and the
// standard streams pass.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

struct Fault {
  char call[16] = "";
  long number = 0;
  int error = 0;
};

// Read once; a Fault without call never fires.
const Fault& fault() {
  static const Fault chosen = [] {
    Fault f;
    const char* text = std::getenv("ADB_FAULT");
    char self[4096];
    const auto n = ::readlink("/proc/self/exe", self, sizeof self - 1);
    if (text == nullptr || n <= 0) {
      return f;
    }
    self[n] = '\0';
    const char* slash = std::strrchr(self, '/');
    const char* program = slash != nullptr ? slash + 1 : self;
    const auto length = std::strlen(program);
    if (std::strncmp(text, program, length) != 0 || text[length] != ':') {
      return f;
    }
    const char* call = text + length + 1;
    const char* colon = std::strchr(call, ':');
    if (colon == nullptr || static_cast<std::size_t>(colon - call) >= sizeof f.call) {
      return f;
    }
    char* end = nullptr;
    f.number = std::strtol(colon + 1, &end, 10);
    f.error = *end == ':' ? std::atoi(end + 1) : EIO;
    std::memcpy(f.call, call, static_cast<std::size_t>(colon - call));
    return f;
  }();
  return chosen;
}

std::atomic<long> calls = 0;

bool fires(const char* call) {
  if (std::strcmp(fault().call, call) != 0 || ++calls != fault().number) {
    return false;
  }
  if (const char* mark = std::getenv("ADB_FAULT_MARK")) {
    const auto fd = ::syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    ::syscall(SYS_close, fd);
  }
  errno = fault().error;
  return true;
}

bool counts(int fd) {
  struct stat info {};
  return fd > 2 && ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t size) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  return counts(fd) && fires("write") ? -1 : real(fd, data, size);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return counts(fd) && fires("write") ? -1 : real(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return counts(fd) && fires("write") ? -1 : real(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  static const auto real = next<ssize_t (*)(int, const struct iovec*, int)>("writev");
  return counts(fd) && fires("write") ? -1 : real(fd, parts, count);
}

int fsync(int fd) {
  static const auto real = next<int (*)(int)>("fsync");
  return fires("fsync") ? -1 : real(fd);
}

int fdatasync(int fd) {
  static const auto real = next<int (*)(int)>("fdatasync");
  return fires("fsync") ? -1 : real(fd);
}

int rename(const char* from, const char* to) {
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return fires("rename") ? -1 : real(from, to);
}

}  // extern "C"
