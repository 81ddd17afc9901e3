#include "core/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace adb {
namespace fs = std::filesystem;
namespace {

// A descriptor that closes itself; errors of close() after a successful fsync() carry no news.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string reason() {
  return std::strerror(errno);
}

}  // namespace

std::string read_text(const fs::path& file, ErrorKind kind, std::int64_t max_bytes) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ADB_CHECK(fd.get() >= 0, kind, "cannot read '{}': {}", file.string(), reason());
  struct stat info {};
  ADB_CHECK(::fstat(fd.get(), &info) == 0, kind, "cannot read '{}': {}", file.string(), reason());
  ADB_CHECK(S_ISREG(info.st_mode), kind, "cannot read '{}': not a regular file", file.string());
  ADB_CHECK(info.st_size <= max_bytes,
            kind,
            "'{}' has {} bytes, more than the limit of {}",
            file.string(),
            info.st_size,
            max_bytes);
  std::string data(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = ::read(fd.get(), data.data() + done, data.size() - done);
    ADB_CHECK(n >= 0 || errno == EINTR, kind, "cannot read '{}': {}", file.string(), reason());
    if (n == 0) {
      break;
    }
    done += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  data.resize(done);
  return data;
}

void flush_to_disk(const fs::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ADB_CHECK(fd.get() >= 0 && ::fsync(fd.get()) == 0,
            ErrorKind::kData,
            "cannot flush '{}' to the disk: {}",
            path.string(),
            reason());
}

void write_file_atomic(const fs::path& file, std::string_view data) {
  write_file_atomic(file, std::span(&data, 1));
}

void write_file_atomic(const fs::path& file, std::span<const std::string_view> parts) {
  const fs::path temporary = file.string() + fmt::format(".tmp-{}", ::getpid());
  try {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    ADB_CHECK(fd.get() >= 0, ErrorKind::kData, "cannot write '{}': {}", file.string(), reason());
    for (std::string_view data : parts) {
      while (!data.empty()) {
        const ssize_t n = ::write(fd.get(), data.data(), data.size());
        ADB_CHECK(n >= 0 || errno == EINTR,
                  ErrorKind::kData,
                  "cannot write '{}': {}",
                  file.string(),
                  reason());
        data.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
      }
    }
    ADB_CHECK(
        ::fsync(fd.get()) == 0, ErrorKind::kData, "cannot write '{}': {}", file.string(), reason());
    ADB_CHECK(::rename(temporary.c_str(), file.c_str()) == 0,
              ErrorKind::kData,
              "cannot write '{}': {}",
              file.string(),
              reason());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  flush_to_disk(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  ADB_CHECK(
      !error, ErrorKind::kData, "cannot create folder '{}': {}", folder.string(), error.message());
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::none, error), end;
  for (; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) {
      found.push_back(fs::relative(it->path(), folder).generic_string());
    }
    error.clear();
  }
  ADB_CHECK(!error, ErrorKind::kData, "cannot list '{}': {}", folder.string(), error.message());
  std::sort(found.begin(), found.end());
  return found;
}

MappedFile::MappedFile(const fs::path& file, ErrorKind kind) {
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  ADB_CHECK(fd.get() >= 0, kind, "cannot read '{}': {}", file.string(), reason());
  struct stat info {};
  ADB_CHECK(::fstat(fd.get(), &info) == 0, kind, "cannot read '{}': {}", file.string(), reason());
  ADB_CHECK(S_ISREG(info.st_mode), kind, "cannot read '{}': not a regular file", file.string());
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) {
    return;
  }
  void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  ADB_CHECK(map != MAP_FAILED, kind, "cannot map '{}': {}", file.string(), reason());
  data_ = static_cast<const std::uint8_t*>(map);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::uint8_t*>(data_), size_);
  }
}

fs::path program_folder() {
  return fs::read_symlink("/proc/self/exe").parent_path();
}

fs::path share_folder() {
  if (const char* chosen = std::getenv("ADBENCH_SHARE"); chosen != nullptr && *chosen != '\0') {
    return chosen;
  }
  return program_folder().parent_path() / "share" / "adbench";
}

}  // namespace adb
