// SHA-256, as lower-case hexadecimal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace adb {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256& add(std::string_view text);
  Sha256& add(std::span<const std::uint8_t> bytes);
  std::string hex();  // ends the calculation; call once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256(std::string_view text);
std::string sha256_file(const std::filesystem::path& file, ErrorKind kind);  // throws: Error(kind)

}  // namespace adb
