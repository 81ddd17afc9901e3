#include "formats/checkpoint.h"

#include <map>
#include <optional>
#include <utility>

#include "core/files.h"
#include "core/text.h"
#include "formats/quote.h"
#include "formats/safetensors.h"
#include "formats/torch_file.h"

namespace adb {
namespace {

// Under what published checkpoints keep their state dict.
constexpr std::string_view kUsualKeys[] = {
    "state_dict", "model", "net", "model_state_dict", "module", "weights"};

enum class Format { kSafetensors, kTorch };

Format format_of(std::span<const std::uint8_t> bytes, const std::string& source, ErrorKind kind) {
  // A safetensors header begins at byte 8; in a zip archive a compression method stands there.
  if (bytes.size() > 8 && bytes[8] == '{') {
    return Format::kSafetensors;
  }
  const bool zip = bytes.size() > 4 && bytes[0] == 'P' && bytes[1] == 'K';
  const bool pickle = !bytes.empty() && bytes[0] == 0x80;
  ADB_CHECK(zip || pickle,
            kind,
            "{}: neither a safetensors file nor one of torch.save ({} bytes)",
            source,
            bytes.size());
  return Format::kTorch;
}

bool holds_tensors(const PickleDict& dict) {
  for (const auto& item : dict.items) {
    if (item.second->get_if<PickleTensor>() != nullptr) {
      return true;
    }
  }
  return false;
}

std::string key_text(const PickleDict::Key& key) {
  return key.index() == 0 ? std::to_string(std::get<0>(key)) : std::string(std::get<1>(key));
}

// "'epoch', 'model' (a dict), ..." for a message.
std::string keys_text(const PickleDict& dict) {
  constexpr std::size_t kMaxKeys = 12;
  std::vector<std::string> keys;
  for (const auto& [key, value] : dict.items) {
    if (keys.size() == kMaxKeys) {
      keys.push_back("...");
      break;
    }
    keys.push_back(quote(key_text(key)) +
                   (value->get_if<PickleDict>() != nullptr ? " (a dict)" : ""));
  }
  return keys.empty() ? "(none)" : join(keys, ", ");
}

const PickleDict& dict_at(const PickleValue& root,
                          const std::string& key,
                          const std::string& source,
                          ErrorKind kind) {
  const PickleValue* value = &root;
  std::string path;
  for (const std::string& part : split(key, '/')) {
    const auto* dict = value->get_if<PickleDict>();
    const PickleValue* next = dict != nullptr ? dict->find(part) : nullptr;
    ADB_CHECK(next != nullptr,
              kind,
              "{}: no key {} {}; there are: {}",
              source,
              quote(part),
              path.empty() ? "at the top" : "in " + quote(path),
              dict != nullptr ? keys_text(*dict) : kind_name(*value));
    path += (path.empty() ? "" : "/") + part;
    value = next;
  }
  const auto* dict = value->get_if<PickleDict>();
  ADB_CHECK(dict != nullptr,
            kind,
            "{}: {} is {}, not a dict of tensors",
            source,
            path.empty() ? "the top" : quote(path),
            kind_name(*value));
  ADB_CHECK(holds_tensors(*dict),
            kind,
            "{}: {} holds no tensors; its keys: {}",
            source,
            path.empty() ? "the top" : quote(path),
            keys_text(*dict));
  return *dict;
}

// The usual key under which the top holds a dict with tensors, or "" for the top itself.
std::string find_key(const PickleValue& root, const std::string& source, ErrorKind kind) {
  const auto* top = root.get_if<PickleDict>();
  if (top == nullptr) {
    return "";
  }
  std::string found;
  for (const std::string_view key : kUsualKeys) {
    const PickleValue* value = top->find(key);
    const auto* dict = value != nullptr ? value->get_if<PickleDict>() : nullptr;
    if (dict != nullptr && holds_tensors(*dict)) {
      ADB_CHECK(found.empty(),
                kind,
                "{}: tensors under '{}' and under '{}': name the key to read",
                source,
                found,
                key);
      found = key;
    }
  }
  return found;
}

}  // namespace

struct Checkpoint::Impl {
  std::string source;
  ErrorKind kind = ErrorKind::kWeights;
  std::string key;
  std::optional<SafetensorsFile> safetensors;
  std::optional<TorchFile> torch;
  std::vector<std::string> names;
  std::map<std::string, ArrayView, std::less<>> tensors;
  std::vector<std::string> skipped;

  void read_safetensors(SafetensorsFile file) {
    ADB_CHECK(key.empty(),
              kind,
              "{}: a safetensors file has no key {}; leave the key empty",
              source,
              quote(key));
    safetensors.emplace(std::move(file));
    names = safetensors->names();
    for (const std::string& name : names) {
      tensors.emplace(name, safetensors->at(name));
    }
  }

  void read_torch(TorchFile file) {
    torch.emplace(std::move(file));
    if (key.empty()) {
      key = find_key(torch->root(), source, kind);
    }
    for (const auto& [item_key, value] : dict_at(torch->root(), key, source, kind).items) {
      std::string name = key_text(item_key);
      const auto* tensor = value->get_if<PickleTensor>();
      if (tensor == nullptr || !std::holds_alternative<std::string_view>(item_key)) {
        skipped.push_back(std::move(name));
        continue;
      }
      const std::string where = fmt::format("{}: tensor {}", source, quote(name));
      tensors.emplace(name, torch->read(*tensor, where));
      names.push_back(std::move(name));
    }
  }
};

Checkpoint Checkpoint::open(const std::filesystem::path& file,
                            const std::string& key,
                            ErrorKind kind) {
  auto impl = std::make_unique<Impl>();
  impl->source = file.string();
  impl->kind = kind;
  impl->key = key;
  if (format_of(MappedFile(file, kind).bytes(), impl->source, kind) == Format::kSafetensors) {
    impl->read_safetensors(SafetensorsFile::open(file, kind));
  } else {
    impl->read_torch(TorchFile::open(file, kind));
  }
  return Checkpoint(std::move(impl));
}

Checkpoint Checkpoint::parse(std::span<const std::uint8_t> bytes,
                             const std::string& source,
                             const std::string& key,
                             ErrorKind kind) {
  auto impl = std::make_unique<Impl>();
  impl->source = source;
  impl->kind = kind;
  impl->key = key;
  if (format_of(bytes, source, kind) == Format::kSafetensors) {
    impl->read_safetensors(SafetensorsFile::parse(bytes, source, kind));
  } else {
    impl->read_torch(TorchFile::parse(bytes, source, kind));
  }
  return Checkpoint(std::move(impl));
}

Checkpoint::Checkpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

const std::vector<std::string>& Checkpoint::names() const {
  return impl_->names;
}
const std::string& Checkpoint::key() const {
  return impl_->key;
}
const std::vector<std::string>& Checkpoint::skipped() const {
  return impl_->skipped;
}

const ArrayView* Checkpoint::find(std::string_view name) const {
  const auto found = impl_->tensors.find(name);
  return found == impl_->tensors.end() ? nullptr : &found->second;
}

const ArrayView& Checkpoint::at(std::string_view name) const {
  const ArrayView* found = find(name);
  if (found == nullptr) {
    const std::string near = nearest(name, impl_->names);
    fail(impl_->kind,
         "{}: tensor {} is missing{}",
         impl_->source,
         quote(name),
         near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
  }
  return *found;
}

}  // namespace adb
