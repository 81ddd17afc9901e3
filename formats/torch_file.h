// Files that torch.save wrote: since PyTorch 1.6 a zip archive with one pickle and its storages,
// before that a row of pickles followed by the storages.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "formats/array.h"
#include "formats/pickle.h"
#include "formats/zip.h"

namespace adb {

// Reading one never runs code of the file (see pickle.h). Not thread-safe.
class TorchFile {
 public:
  // Reads the pickle, but no tensor data. Refused: big-endian files, TorchScript archives, and the
  // tar format of early 2017, with the way to convert it.
  //   throws: Error(kind) naming the file and the place
  static TorchFile open(const std::filesystem::path& file, ErrorKind kind);

  // The same for bytes in memory, which must outlive the result; `source` names them in messages.
  static TorchFile parse(std::span<const std::uint8_t> bytes,
                         const std::string& source,
                         ErrorKind kind);

  const PickleValue& root() const { return pickle_->root(); }

  // The elements of a tensor of this file. Its storage is read when it is first needed; the view
  // points there if the tensor is contiguous, else to a copy. Both live as long as this, also when
  // it is moved.
  // All tensors read may have at most 4 times the bytes of the file in all: tensors that repeat
  // their elements (stride 0) or share a storage could otherwise fill any memory.
  //   where: names the tensor in messages.   throws: Error(kind)
  ArrayView read(const PickleTensor& tensor, const std::string& where);

 private:
  TorchFile(std::shared_ptr<const MappedFile> mapping,
            std::span<const std::uint8_t> bytes,
            const std::string& source,
            ErrorKind kind);
  void read_archive();
  void read_before_1_6();
  std::span<const std::uint8_t> storage(const PickleStorage& storage, const std::string& where);
  std::span<const std::uint8_t> unpack_storage(const std::string& key, const std::string& where);

  std::shared_ptr<const MappedFile> mapping_;  // empty for parse()
  std::span<const std::uint8_t> bytes_;        // the whole file
  std::string source_;
  ErrorKind kind_;
  std::optional<ZipFile> archive_;  // empty before PyTorch 1.6
  std::string folder_;              // of the archive: "NAME/"
  std::optional<Pickle> pickle_;
  std::map<std::string, std::span<const std::uint8_t>> storages_;  // by key, as far as read
  std::deque<std::vector<std::uint8_t>> buffers_;  // unpacked storages, copied tensors
  std::uint64_t storage_bytes_ = 0;
  std::uint64_t tensor_bytes_ = 0;
};

}  // namespace adb
