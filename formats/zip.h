// Reading zip archives from outside (libzip), with limits against those that unpack without end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "core/files.h"

struct zip;

namespace adb {

// An archive opened for reading; entries are read one at a time. Not thread-safe.
class ZipFile {
 public:
  struct Entry {
    std::string name;
    std::uint64_t size = 0;         // unpacked bytes, as the directory declares
    std::uint64_t packed_size = 0;  // bytes in the archive
    bool stored = false;            // not compressed
  };

  // throws: Error(kind) naming the file if it is no zip archive, or an entry's name stands twice
  static ZipFile open(const std::filesystem::path& file, ErrorKind kind);

  // The same for bytes in memory, which must outlive the result; `source` names them in messages.
  static ZipFile parse(std::span<const std::uint8_t> bytes,
                       const std::string& source,
                       ErrorKind kind);

  // Files in the order of the archive's directory; folders are left out.
  const std::vector<Entry>& entries() const { return entries_; }

  const Entry* find(std::string_view name) const;  // nullptr if absent
  std::uint64_t archive_size() const { return bytes_.size(); }
  const std::string& source() const { return source_; }

  // The unpacked bytes of an entry of this archive; the checksum is verified. Before allocating: at
  // most 64 MiB, or 100 times the packed size where that is more. (Constant maps pack 1000-fold,
  // but they are small.)
  //   throws: Error(kind) naming the file and the entry
  std::vector<std::uint8_t> read(const Entry& entry);

 private:
  struct Closer {
    void operator()(zip* archive) const;
  };

  ZipFile(std::shared_ptr<const MappedFile> mapping,
          std::span<const std::uint8_t> bytes,
          std::string source,
          ErrorKind kind);

  std::shared_ptr<const MappedFile> mapping_;  // empty for parse()
  std::span<const std::uint8_t> bytes_;
  std::string source_;
  ErrorKind kind_;
  std::unique_ptr<zip, Closer> archive_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> archive_index_;  // of each of entries_
  std::unordered_map<std::string, std::size_t> index_of_;
};

}  // namespace adb
