// Folder listings in a fixed order, with errors that name the folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace adb {

struct ImageListing {
  std::vector<std::string> images;  // file names, sorted by bytes
  int others = 0;                   // visible entries that are no image files
};

// Image files (png jpg jpeg bmp tif tiff, any case) of a folder, hidden entries left out.
//   throws: Error(kData) when the folder cannot be listed, or for a file name that is not UTF-8
ImageListing list_images(const std::filesystem::path& folder);

// Names of the visible folders in a folder, sorted by bytes. throws: Error(kData), as above
std::vector<std::string> list_folders(const std::filesystem::path& folder);

bool is_folder(const std::filesystem::path& path);  // false also where it cannot be told

// Names must be printable in JSON reports. throws: Error(kData) "WHERE: ..."
void check_utf8(std::string_view text, std::string_view where);

}  // namespace adb
