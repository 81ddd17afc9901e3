// The table through which a program that does not link OpenCV calls this library after dlopen.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "images/codec.h"
#include "images/image.h"

namespace adb {

// Raised when a member changes. Both sides come out of one build; the number catches a stale file.
inline constexpr int kImagesAbi = 1;

// The functions of codec.h and resize.h under the same names and contracts.
struct ImagesApi {
  int abi;
  ImageInfo (*probe_image)(const std::filesystem::path& file);
  Image (*read_image)(const std::filesystem::path& file);
  Image (*read_mask)(const std::filesystem::path& file);
  FloatMap (*read_map)(const std::filesystem::path& file);
  std::string (*encode_png)(const Image& image);
  std::string (*encode_png16)(int width, int height, std::span<const std::uint16_t> values);
  std::string (*encode_jpeg)(const Image& image, int quality);
  void (*write_png)(const std::filesystem::path& file, const Image& image);
  Image (*resize_image)(const Image& image, int width, int height);
  std::vector<std::uint8_t> (*resize_mask)(const Image& mask, int width, int height);
  FloatMap (*resize_map)(const FloatMap& map, int width, int height);
  Image (*to_grey)(const Image& image);
};

}  // namespace adb

extern "C" const adb::ImagesApi* adb_images_api();
