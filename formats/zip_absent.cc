// In place of zip.cc in a build without libzip: .pth and .npz files are refused, .safetensors work.
#include "formats/zip.h"

namespace adb {
namespace {

[[noreturn]] void refuse(const std::string& source, ErrorKind kind) {
  fail(kind, "{}: this build reads no zip archives; convert it to .safetensors", source);
}

}  // namespace

void ZipFile::Closer::operator()(zip*) const {}

ZipFile ZipFile::open(const std::filesystem::path& file, ErrorKind kind) {
  refuse(file.string(), kind);
}

ZipFile ZipFile::parse(std::span<const std::uint8_t>, const std::string& source, ErrorKind kind) {
  refuse(source, kind);
}

const ZipFile::Entry* ZipFile::find(std::string_view) const {
  return nullptr;
}

std::vector<std::uint8_t> ZipFile::read(const Entry&) {
  refuse(source_, kind_);
}

}  // namespace adb
