// Numpy's .npz format: a zip archive of .npy files.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "formats/array.h"

namespace adb {

// An archive of named arrays, each read on demand. Not thread-safe.
class NpzFile {
 public:
  //   throws: Error(kind) if this is no zip archive, or names stand twice in it
  static NpzFile open(const std::filesystem::path& file, ErrorKind kind);

  // The same for bytes in memory, which must outlive the result.
  static NpzFile parse(std::span<const std::uint8_t> bytes,
                       const std::string& source,
                       ErrorKind kind);

  NpzFile(NpzFile&&) noexcept;
  NpzFile& operator=(NpzFile&&) noexcept;
  ~NpzFile();

  // Without ".npy", in the order of the archive.
  const std::vector<std::string>& names() const;

  // An entry that would unpack to more than 64 MiB and to more than 100 times its packed size is
  // refused before anything is allocated.
  //   throws: Error(kind) naming the file and the array
  Array read(std::string_view name);

 private:
  struct Impl;
  explicit NpzFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace adb
