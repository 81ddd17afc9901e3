// Which files of a folder are taken for images.
#pragma once

#include <filesystem>

namespace adb {

// By the name's end: png, jpg, jpeg, bmp, tif or tiff, in any case.
bool is_image_name(const std::filesystem::path& file);

}  // namespace adb
