// Where foreign texture for artificial defects comes from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "methods/sample.h"

namespace adb {

// The image files (PNG, JPEG, BMP, TIFF by their names) anywhere below `folder`, in the order of
// their paths. They are decoded at first use and resized as training images are; up to
// `budget_bytes` of the results are kept. A file that cannot be decoded is an Error(kData) naming
// it when it is drawn.
//   throws: Error(kData) when the folder cannot be read or holds no image file
std::unique_ptr<TexturePool> folder_textures(const std::filesystem::path& folder,
                                             std::int64_t budget_bytes);

// synthesis/procedural.h: about a million textures, each made anew when it is drawn, from
// (seed, index) alone.
std::unique_ptr<TexturePool> procedural_textures(std::int64_t seed);

// The one or, for an empty path, the other.
std::unique_ptr<TexturePool> open_textures(const std::filesystem::path& folder,
                                           std::int64_t seed,
                                           std::int64_t budget_bytes);

}  // namespace adb
