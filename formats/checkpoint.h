// Weights by name from a file, whichever format it has.
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

// The state dict of a .safetensors file or of a .pth file (torch.save); the content decides, not
// the file's name. Immutable once opened: safe for reading from several threads.
class Checkpoint {
 public:
  // key: where the state dict lies in a .pth file: dict keys from the top, separated by '/', for
  // example "model" or "ema/net". "" finds it: if exactly one of state_dict, model, net,
  // model_state_dict, module, weights is a dict with tensors, that one, else the top itself. A
  // safetensors file has no dicts in dicts, so its key must be "".
  //   throws: Error(kind) naming the file and the place; where no state dict is found, the keys
  //   that
  //           there are
  static Checkpoint open(const std::filesystem::path& file, const std::string& key, ErrorKind kind);

  // The same for bytes in memory, which must outlive the result; `source` names them in messages.
  static Checkpoint parse(std::span<const std::uint8_t> bytes,
                          const std::string& source,
                          const std::string& key,
                          ErrorKind kind);

  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;
  ~Checkpoint();

  // Of the tensors, in the order of the file.
  const std::vector<std::string>& names() const;

  // nullptr if there is no such tensor. View and pointer stay valid while the checkpoint lives,
  // also when it is moved.
  const ArrayView* find(std::string_view name) const;

  // throws: Error(kind) naming the file, the missing tensor and the nearest name that exists
  const ArrayView& at(std::string_view name) const;

  // Where the state dict was found: "" or a key as given to open().
  const std::string& key() const;

  // Keys in the state dict that are no names of tensors (counters, texts, nested dicts).
  const std::vector<std::string>& skipped() const;

 private:
  struct Impl;
  explicit Checkpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace adb
