// Reading with limits, and writing so that a crash leaves the old file or the new one, never half
// of one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace adb {

// The whole file. throws: Error(kind) naming the file when it is absent, unreadable or larger than
// max_bytes
std::string read_text(const std::filesystem::path& file,
                      ErrorKind kind,
                      std::int64_t max_bytes = 64 << 20);

// Writes `data` beside `file` under a temporary name, flushes it to the disk, renames it over
// `file` and flushes the folder. throws: Error(kData) with the system's reason (no space,
// read-only, ...); `file` is then unchanged
void write_file_atomic(const std::filesystem::path& file, std::string_view data);

// The same for a file made of several parts, written one after the other.
void write_file_atomic(const std::filesystem::path& file, std::span<const std::string_view> parts);

// Flushes a written file or a folder's entries to the disk. throws: Error(kData)
void flush_to_disk(const std::filesystem::path& path);

// Creates the folder and its parents. throws: Error(kData)
void make_folder(const std::filesystem::path& folder);

// Regular files below `folder` (recursively), as sorted relative generic paths. throws:
// Error(kData)
std::vector<std::string> files_below(const std::filesystem::path& folder);

// A file mapped read-only into memory; the bytes stay valid while this lives.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file, ErrorKind kind);  // throws: Error(kind)
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Folder of the running program, and its data folder: ../share/adbench of it, or $ADBENCH_SHARE.
std::filesystem::path program_folder();
std::filesystem::path share_folder();

}  // namespace adb
