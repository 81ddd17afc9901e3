// The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors'
// bytes without gaps. Format: https://github.com/huggingface/safetensors, section "Format".
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "formats/array.h"

namespace adb {

// A file opened for reading: the header is checked once, the tensors are views into the mapped
// file. Copies share the mapping; views stay valid while any copy lives. Safe for reading from
// several threads.
class SafetensorsFile {
 public:
  // Maps `file` and checks its header: length at most 100 MB and inside the file, valid JSON
  // without duplicate names, known element types, shapes that fit their byte ranges, and ranges
  // that cover the data exactly, without overlap or gap.
  //   throws: Error(kind) naming the file and the tensor
  static SafetensorsFile open(const std::filesystem::path& file, ErrorKind kind);

  // The same for bytes in memory, which must outlive the result; `source` names them in messages.
  static SafetensorsFile parse(std::span<const std::uint8_t> bytes,
                               const std::string& source,
                               ErrorKind kind);

  // In the order of their bytes in the file (empty tensors at the same place: by name).
  const std::vector<std::string>& names() const { return names_; }

  // The free texts under "__metadata__"; empty if the file has none.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // nullptr if there is no such tensor. The pointer stays valid while this object lives.
  const ArrayView* find(std::string_view name) const;

  // throws: Error(kind) naming the file, the missing tensor and the nearest name that exists
  const ArrayView& at(std::string_view name) const;

 private:
  SafetensorsFile(std::string source, ErrorKind kind) : source_(std::move(source)), kind_(kind) {}
  void read(std::span<const std::uint8_t> bytes);

  std::string source_;
  ErrorKind kind_;
  std::shared_ptr<const MappedFile> mapping_;  // empty for parse()
  std::vector<std::string> names_;
  std::map<std::string, ArrayView, std::less<>> tensors_;
  std::map<std::string, std::string> metadata_;
};

using NamedArrays = std::vector<std::pair<std::string, ArrayView>>;

// Writes the tensors so that a crash leaves the old file or the new one. Widest elements first,
// then by name, as the reference writer does: every tensor is aligned to its element size, and
// equal contents give equal bytes whatever the order of `tensors`.
//   throws: Error(kind) if a name stands twice, is empty, "__metadata__" or not UTF-8, or if bytes
//           and shape disagree; Error(kData) with the system's reason if writing fails
void write_safetensors(const std::filesystem::path& file,
                       const NamedArrays& tensors,
                       const std::map<std::string, std::string>& metadata,
                       ErrorKind kind);

}  // namespace adb
