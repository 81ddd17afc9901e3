#include "core/image_names.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace adb {

bool is_image_name(const std::filesystem::path& file) {
  constexpr std::array<std::string_view, 6> kExtensions = {
      ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"};
  std::string extension = file.extension().string();
  for (char& c : extension) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace adb
