#include "datasets/listing.h"

#include <algorithm>

#include "core/error.h"
#include "core/image_names.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// Calls visit(entry, name) for every visible entry.
template <class Visit>
void for_each_entry(const fs::path& folder, const Visit& visit) {
  std::error_code error;
  fs::directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.')) {
      check_utf8(name, "a name in '" + folder.string() + "'");
      visit(*it, name);
    }
  }
  ADB_CHECK(!error, ErrorKind::kData, "cannot list '{}': {}", folder.string(), error.message());
}

}  // namespace

ImageListing list_images(const fs::path& folder) {
  ImageListing listing;
  for_each_entry(folder, [&](const fs::directory_entry& entry, const std::string& name) {
    std::error_code ignored;
    if (is_image_name(name) && entry.is_regular_file(ignored)) {
      listing.images.push_back(name);
    } else {
      ++listing.others;
    }
  });
  std::sort(listing.images.begin(), listing.images.end());
  return listing;
}

std::vector<std::string> list_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for_each_entry(folder, [&](const fs::directory_entry& entry, const std::string& name) {
    std::error_code ignored;
    if (entry.is_directory(ignored)) {
      names.push_back(name);
    }
  });
  std::sort(names.begin(), names.end());
  return names;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void check_utf8(std::string_view text, std::string_view where) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = byte(i);
    const std::size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    bool valid = lead < 0x80 || (lead >= 0xC2 && lead <= 0xF4);
    valid = valid && i + more < text.size();
    for (std::size_t k = 1; valid && k <= more; ++k) {
      valid = (byte(i + k) & 0xC0) == 0x80;
    }
    // Over-long forms, surrogates, beyond U+10FFFF.
    if (valid && more >= 2) {
      const unsigned char second = byte(i + 1);
      valid = !((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second >= 0xA0) ||
                (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second >= 0x90));
    }
    ADB_CHECK(valid, ErrorKind::kData, "{} is not valid UTF-8 (byte {})", where, i);
    i += 1 + more;
  }
}

}  // namespace adb
