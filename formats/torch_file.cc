#include "formats/torch_file.h"

#include <cstring>
#include <string_view>
#include <utility>

#include "formats/quote.h"

namespace adb {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kMaxExpansion = 4;
constexpr std::uint64_t kAlwaysAllowedBytes = 1 << 20;

// What files before PyTorch 1.6 begin with: the pickled integer 0x1950a86a20f9469cfc6c.
constexpr std::string_view kMagic = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8P\x19."sv;

// The folder of the only entry FOLDER/data.pkl, with its '/'.
std::string folder_of_pickle(const ZipFile& archive, ErrorKind kind) {
  constexpr std::string_view kName = "/data.pkl";
  std::string folder;
  for (const auto& entry : archive.entries()) {
    if (entry.name.ends_with(kName) && entry.name.find('/') == entry.name.size() - kName.size()) {
      ADB_CHECK(
          folder.empty(), kind, "{}: more than one data.pkl in the archive", archive.source());
      folder = entry.name.substr(0, entry.name.find('/') + 1);
    }
  }
  ADB_CHECK(!folder.empty(),
            kind,
            "{}: a zip archive, but not one of torch.save: it has no data.pkl",
            archive.source());
  return folder;
}

bool is_contiguous(const PickleTensor& tensor) {
  std::int64_t step = 1;
  for (std::size_t axis = tensor.sizes.size(); axis-- > 0;) {
    if (tensor.sizes[axis] != 1 && tensor.strides[axis] != step) {
      return false;
    }
    step *= tensor.sizes[axis];
  }
  return true;
}

}  // namespace

TorchFile TorchFile::open(const std::filesystem::path& file, ErrorKind kind) {
  auto mapping = std::make_shared<const MappedFile>(file, kind);
  const auto bytes = mapping->bytes();
  return TorchFile(std::move(mapping), bytes, file.string(), kind);
}

TorchFile TorchFile::parse(std::span<const std::uint8_t> bytes,
                           const std::string& source,
                           ErrorKind kind) {
  return TorchFile(nullptr, bytes, source, kind);
}

TorchFile::TorchFile(std::shared_ptr<const MappedFile> mapping,
                     std::span<const std::uint8_t> bytes,
                     const std::string& source,
                     ErrorKind kind)
    : mapping_(std::move(mapping)), bytes_(bytes), source_(source), kind_(kind) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::size_t kTarMark = 257;
  ADB_CHECK(text.size() < kTarMark || !text.substr(kTarMark).starts_with("ustar"),
            kind_,
            "{0}: a tar archive, as torch.save wrote before 2017; convert it with python3 -c "
            "\"import torch; torch.save(torch.load('{0}', 'cpu', weights_only=False), "
            "'converted.pth')\", "
            "which runs code of the file",
            source_);
  if (text.starts_with(kMagic)) {
    read_before_1_6();
  } else {
    ADB_CHECK(!text.starts_with('\x80'),
              kind_,
              "{}: a pickle, but not one that torch.save wrote",
              source_);
    read_archive();
  }
}

void TorchFile::read_archive() {
  archive_.emplace(ZipFile::parse(bytes_, source_, kind_));
  folder_ = folder_of_pickle(*archive_, kind_);
  ADB_CHECK(archive_->find(folder_ + "constants.pkl") == nullptr,
            kind_,
            "{}: a TorchScript archive, which holds a program; save the state_dict() of the module",
            source_);
  if (const auto* entry = archive_->find(folder_ + "byteorder"); entry != nullptr) {
    const auto order = archive_->read(*entry);
    const std::string_view text(reinterpret_cast<const char*>(order.data()), order.size());
    ADB_CHECK(text == "little",
              kind_,
              "{}: saved with byte order {}; only little-endian files are read",
              source_,
              quote(text));
  }
  pickle_ = Pickle::parse(
      archive_->read(*archive_->find(folder_ + "data.pkl")), source_ + ": data.pkl", kind_);
}

// Pickles of the magic number, the format's version, facts of the machine, the object, the list of
// storage keys; then each storage: its number of elements in 8 bytes, and the elements.
// Source: torch/serialization.py, _legacy_save.
void TorchFile::read_before_1_6() {
  auto rest = bytes_.subspan(kMagic.size());
  const Pickle version = Pickle::parse_next(rest, source_ + ": format version", kind_);
  const auto* number = version.root().get_if<std::int64_t>();
  ADB_CHECK(number != nullptr && *number == 1001,
            kind_,
            "{}: a format version of torch.save other than 1001",
            source_);
  const Pickle machine = Pickle::parse_next(rest, source_ + ": machine", kind_);
  const auto* facts = machine.root().get_if<PickleDict>();
  const PickleValue* order = facts != nullptr ? facts->find("little_endian") : nullptr;
  const bool* little = order != nullptr ? order->get_if<bool>() : nullptr;
  ADB_CHECK(little != nullptr, kind_, "{}: does not say its byte order", source_);
  ADB_CHECK(*little, kind_, "{}: big-endian; only little-endian files are read", source_);

  pickle_ = Pickle::parse_next(rest, source_ + ": object", kind_);
  const Pickle keys = Pickle::parse_next(rest, source_ + ": storage keys", kind_);
  const auto* list = keys.root().get_if<PickleList>();
  ADB_CHECK(list != nullptr, kind_, "{}: the storage keys are no list", source_);
  for (const PickleValue* item : list->items) {
    const auto* key = item->get_if<std::string>();
    const auto known = key != nullptr ? pickle_->storages().find(*key) : pickle_->storages().end();
    // A storage that nothing names has no known element type, so its end is unknown.
    ADB_CHECK(known != pickle_->storages().end(),
              kind_,
              "{}: a storage of which no tensor is named",
              source_);
    const std::string where = fmt::format("{}: storage {}", source_, quote(*key));
    std::int64_t elements = 0;
    ADB_CHECK(rest.size() >= sizeof(elements), kind_, "{}: the file is truncated", where);
    std::memcpy(&elements, rest.data(), sizeof(elements));
    rest = rest.subspan(sizeof(elements));
    ADB_CHECK(elements == known->second.elements,
              kind_,
              "{}: {} elements, but its tensors expect {}",
              where,
              elements,
              known->second.elements);
    const auto size = static_cast<std::size_t>(elements * dtype_size(known->second.dtype));
    ADB_CHECK(size <= rest.size(),
              kind_,
              "{}: the file is truncated: {} bytes are needed, {} are left",
              where,
              size,
              rest.size());
    ADB_CHECK(storages_.emplace(*key, rest.first(size)).second, kind_, "{}: stands twice", where);
    rest = rest.subspan(size);
  }
  ADB_CHECK(rest.empty(), kind_, "{}: {} bytes after the last storage", source_, rest.size());
}

std::span<const std::uint8_t> TorchFile::unpack_storage(const std::string& key,
                                                        const std::string& where) {
  const auto* entry = archive_ ? archive_->find(folder_ + "data/" + key) : nullptr;
  ADB_CHECK(entry != nullptr, kind_, "{}: its storage {} is missing", where, quote(key));
  ADB_CHECK(entry->stored,
            kind_,
            "{}: its storage {} is compressed, which torch.save never does",
            where,
            quote(key));
  // Entries that overlap in the archive would multiply its bytes.
  ADB_CHECK(entry->size <= bytes_.size() - storage_bytes_,
            kind_,
            "{}: its storage {} overlaps others in the archive",
            where,
            quote(key));
  storage_bytes_ += entry->size;
  return buffers_.emplace_back(archive_->read(*entry));
}

std::span<const std::uint8_t> TorchFile::storage(const PickleStorage& storage,
                                                 const std::string& where) {
  auto found = storages_.find(storage.key);
  if (found == storages_.end()) {
    found = storages_.emplace(storage.key, unpack_storage(storage.key, where)).first;
  }
  const std::int64_t expected = storage.elements * dtype_size(storage.dtype);
  ADB_CHECK(found->second.size() == static_cast<std::size_t>(expected),
            kind_,
            "{}: its storage {} has {} bytes, but {} elements of {} need {}",
            where,
            quote(storage.key),
            found->second.size(),
            storage.elements,
            dtype_name(storage.dtype),
            expected);
  return found->second;
}

ArrayView TorchFile::read(const PickleTensor& tensor, const std::string& where) {
  ArrayView view{tensor.storage.dtype, tensor.sizes, {}};
  const auto size = static_cast<std::uint64_t>(byte_count(view.dtype, view.shape).value());
  const std::uint64_t limit = kMaxExpansion * bytes_.size() + kAlwaysAllowedBytes;
  ADB_CHECK(size <= limit - tensor_bytes_,
            kind_,
            "{}: size {} by stride {} on {} stored elements: the tensors would take more than {} "
            "times the bytes of the file",
            where,
            shape_text(tensor.sizes),
            shape_text(tensor.strides),
            tensor.storage.elements,
            kMaxExpansion);
  tensor_bytes_ += size;
  if (size == 0) {
    return view;
  }
  const std::int64_t width = dtype_size(view.dtype);
  const auto from_offset =
      storage(tensor.storage, where).subspan(static_cast<std::size_t>(tensor.offset * width));
  if (is_contiguous(tensor)) {
    view.bytes = from_offset.first(size);
  } else {
    view.bytes =
        buffers_.emplace_back(copy_strided(from_offset, tensor.sizes, tensor.strides, width));
  }
  return view;
}

}  // namespace adb
