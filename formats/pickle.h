// A reader of the pickles that torch.save writes, which builds data and nothing else: no class is
// looked up, nothing is called or evaluated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "formats/array.h"

namespace adb {

struct PickleValue;

struct PickleList {
  std::vector<const PickleValue*> items;
};

struct PickleTuple {
  std::vector<const PickleValue*> items;
};

// dict and OrderedDict, in the order of insertion. Keys are integers or texts (which lie in a value
// of the same Pickle) and stand once.
struct PickleDict {
  using Key = std::variant<std::int64_t, std::string_view>;
  std::vector<std::pair<Key, const PickleValue*>> items;
  std::map<Key, std::size_t> index;  // into items

  const PickleValue* find(std::string_view key) const;  // nullptr if absent
};

// The elements of one storage record: "data/KEY" of the archive.
struct PickleStorage {
  DType dtype = DType::kF32;
  std::string key;
  std::int64_t elements = 0;
};

// A strided view on a storage; element (i, j, ...) is storage[offset + i * strides[0] + ...].
// Guaranteed: sizes and strides are at least 0 and every element lies inside the storage.
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
};

// A class that the file names where a value is allowed: "torch.FloatStorage".
struct PickleGlobal {
  std::string name;
};

struct PickleValue {
  std::variant<std::monostate,  // None
               bool,
               std::int64_t,
               double,
               std::string,
               PickleList,
               PickleTuple,
               PickleDict,
               PickleTensor,
               PickleStorage,
               PickleGlobal>
      data;

  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data);
  }
};

// "None", "a text", "a dict", ...: for messages.
std::string_view kind_name(const PickleValue& value);

// What one pickle holds. Values refer to each other by pointers that live as long as this; a file
// can make them shared and even cyclic, so walk them to a fixed depth only.
class Pickle {
 public:
  // Reads pickle protocols 2 to 5 as far as torch.save has used them. Allowed globals:
  // collections.OrderedDict, torch.nn.parameter.Parameter, torch.TYPEStorage for element types of
  // DType, and of torch._utils _rebuild_tensor, _rebuild_tensor_v2 and _rebuild_parameter; every
  // other one is refused by its name. At most 16 MiB and 2 million values.
  //   throws: Error(kind) "SOURCE: byte N: ..."
  static Pickle parse(std::span<const std::uint8_t> bytes,
                      const std::string& source,
                      ErrorKind kind);

  // The same for the first of several pickles in a row; `bytes` loses what was read.
  static Pickle parse_next(std::span<const std::uint8_t>& bytes,
                           const std::string& source,
                           ErrorKind kind);

  const PickleValue& root() const { return *root_; }

  // Every storage that the pickle names, by key; all mentions of one agree.
  const std::map<std::string, PickleStorage>& storages() const { return storages_; }

 private:
  Pickle() = default;
  std::unique_ptr<std::deque<PickleValue>> values_;
  std::map<std::string, PickleStorage> storages_;
  const PickleValue* root_ = nullptr;
};

}  // namespace adb
