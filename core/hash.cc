#include "core/hash.h"

#include <array>

#include <openssl/evp.h>

#include "core/files.h"

namespace adb {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Impl() {
    ADB_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1,
              ErrorKind::kInternal,
              "OpenSSL has no SHA-256");
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {}
Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view text) {
  EVP_DigestUpdate(impl_->context, text.data(), text.size());
  return *this;
}

Sha256& Sha256::add(std::span<const std::uint8_t> bytes) {
  EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size());
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(impl_->context, digest.data(), &size);
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", digest[i]);
  }
  return text;
}

std::string sha256(std::string_view text) {
  return Sha256().add(text).hex();
}

std::string sha256_file(const std::filesystem::path& file, ErrorKind kind) {
  const MappedFile map(file, kind);
  return Sha256().add(map.bytes()).hex();
}

}  // namespace adb
