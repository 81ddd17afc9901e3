// Folders that live as long as their owner.
#pragma once

#include <filesystem>
#include <string>

#include "core/error.h"

namespace adb {

// A new folder PARENT/PREFIX-XXXXXX, removed with all it holds by the destructor.
class ScratchFolder {
 public:
  // throws: Error(kind) naming the parent, with the system's reason
  explicit ScratchFolder(
      const std::string& prefix,
      const std::filesystem::path& parent = std::filesystem::temp_directory_path(),
      ErrorKind kind = ErrorKind::kData);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace adb
