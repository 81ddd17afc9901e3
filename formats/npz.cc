#include "formats/npz.h"

#include <utility>

#include "formats/npy.h"
#include "formats/quote.h"
#include "formats/zip.h"

namespace adb {

struct NpzFile::Impl {
  Impl(ZipFile archive, ErrorKind error_kind) : zip(std::move(archive)), kind(error_kind) {
    for (const auto& entry : zip.entries()) {
      if (entry.name.ends_with(".npy")) {
        names.push_back(entry.name.substr(0, entry.name.size() - 4));
      }
    }
  }

  ZipFile zip;
  ErrorKind kind;
  std::vector<std::string> names;
};

NpzFile::NpzFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NpzFile::NpzFile(NpzFile&&) noexcept = default;
NpzFile& NpzFile::operator=(NpzFile&&) noexcept = default;
NpzFile::~NpzFile() = default;

NpzFile NpzFile::open(const std::filesystem::path& file, ErrorKind kind) {
  return NpzFile(std::make_unique<Impl>(ZipFile::open(file, kind), kind));
}

NpzFile NpzFile::parse(std::span<const std::uint8_t> bytes,
                       const std::string& source,
                       ErrorKind kind) {
  return NpzFile(std::make_unique<Impl>(ZipFile::parse(bytes, source, kind), kind));
}

const std::vector<std::string>& NpzFile::names() const {
  return impl_->names;
}

Array NpzFile::read(std::string_view name) {
  const auto* entry = impl_->zip.find(std::string(name) + ".npy");
  ADB_CHECK(
      entry != nullptr, impl_->kind, "{}: array {} is missing", impl_->zip.source(), quote(name));
  const std::string where = fmt::format("{}: array {}", impl_->zip.source(), quote(name));
  return parse_npy(impl_->zip.read(*entry), where, impl_->kind);
}

}  // namespace adb
