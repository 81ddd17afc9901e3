// Image files in and out. Files are hostile: the size is read from the header and checked before
// anything is decoded, and a file that ends too early is refused rather than half shown.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "images/image.h"

namespace adb {

inline constexpr std::int64_t kMaxImageSide = 16384;          // pixels
inline constexpr std::int64_t kMaxImagePixels = 100'000'000;  // width * height
inline constexpr std::int64_t kMaxImageFileBytes = std::int64_t{512} << 20;

enum class ImageFormat { kPng, kJpeg, kBmp, kTiff };

// What the header of a file says.
struct ImageInfo {
  ImageFormat format = ImageFormat::kPng;
  int width = 0;
  int height = 0;
  int channels = 0;  // samples of a pixel in the file, alpha included; 1 for a palette
  int bits = 0;      // of a sample
  bool palette = false;
  bool floating = false;  // samples are floating-point numbers (TIFF)
};

// Everything below throws Error(kData) that names the file and what is wrong with it: absent,
// empty, larger than the limits above, of another format (the content decides, not the file's
// name), truncated, damaged.

// Reads header and structure without decoding a pixel.
ImageInfo probe_image(const std::filesystem::path& file);

// Decodes PNG, JPEG, BMP or TIFF to 8-bit RGB. Grey is replicated, a palette is looked up, alpha is
// dropped (not blended), of 16 bits the upper 8 are kept. EXIF rotation is ignored, as the
// reference does: masks are drawn on the stored pixels. A TIFF that asks for a rotation is refused.
Image read_image(const std::filesystem::path& file);

// Decodes a mask to one 8-bit channel, by the rules of read_image and to_grey. A non-zero 16-bit
// value never becomes 0, so that "value > 0 is anomalous" keeps its meaning.
Image read_mask(const std::filesystem::path& file);

// Reads an anomaly map: a one-channel TIFF of 32-bit floats, or a one-channel image of 8 or 16
// bits, whose integers are taken as they are. Values are not checked for NaN or infinity.
FloatMap read_map(const std::filesystem::path& file);

// Encodes to a PNG file's bytes; 1 or 3 channels.
std::string encode_png(const Image& image);

// Encodes one channel of 16 bits, width * height values, to a PNG file's bytes.
std::string encode_png16(int width, int height, std::span<const std::uint16_t> values);

// Encodes to a JPEG file's bytes, for thumbnails; 1 or 3 channels, quality 1 .. 100.
std::string encode_jpeg(const Image& image, int quality);

// encode_png, written atomically.
void write_png(const std::filesystem::path& file, const Image& image);

}  // namespace adb
