#include "reports/figures/picture.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <zlib.h>

#include "formats/report_files.h"

namespace adb {
namespace {

// PNG (https://www.w3.org/TR/png/): 8 bytes of signature, then chunks of length, type, data, CRC.
constexpr std::size_t kHeaderAt = 8;  // the IHDR chunk
constexpr std::size_t kWidthAt = 16;  // in its data: width, height, depth, colour type
constexpr std::size_t kDepthAt = 24;
constexpr std::size_t kColourTypeAt = 25;
constexpr std::size_t kInterlaceAt = 28;
constexpr std::size_t kAfterHeader = 33;
constexpr char kPaletteType = 3;

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xFF);
  }
  return bytes;
}

std::string with_checksum(const std::string& type_and_data) {
  const auto checksum = crc32(0,
                              reinterpret_cast<const Bytef*>(type_and_data.data()),
                              static_cast<uInt>(type_and_data.size()));
  return type_and_data + big_endian(static_cast<std::uint32_t>(checksum));
}

struct Colour {
  double red, green, blue;
};
constexpr std::array<Colour, 7> kHeatColours = {{{0, 0, 0},
                                                 {48, 12, 92},
                                                 {122, 24, 110},
                                                 {196, 52, 72},
                                                 {240, 112, 28},
                                                 {250, 196, 56},
                                                 {255, 252, 224}}};

std::string heat_palette() {
  std::string palette;
  for (int i = 0; i < 256; ++i) {
    const double place = i / 255.0 * (kHeatColours.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(place), kHeatColours.size() - 2);
    const double share = place - static_cast<double>(below);
    const Colour& a = kHeatColours[below];
    const Colour& b = kHeatColours[below + 1];
    for (const double Colour::*part : {&Colour::red, &Colour::green, &Colour::blue}) {
      palette += static_cast<char>(static_cast<int>(a.*part + share * (b.*part - a.*part) + 0.5));
    }
  }
  return palette;
}

}  // namespace

std::optional<PictureSize> png_size(std::string_view png) {
  constexpr std::uint32_t kLargest = 4096;
  if (png.size() < kAfterHeader || picture_type(png) != "image/png" ||
      png.substr(kHeaderAt + 4, 4) != "IHDR") {
    return std::nullopt;
  }
  const std::uint32_t width = big_endian(png, kWidthAt);
  const std::uint32_t height = big_endian(png, kWidthAt + 4);
  if (width == 0 || height == 0 || width > kLargest || height > kLargest) {
    return std::nullopt;
  }
  return PictureSize{static_cast<int>(width), static_cast<int>(height)};
}

std::string colour_heat_map(const std::string& grey_png) {
  static const std::string palette =
      big_endian(256 * 3).append(with_checksum(std::string("PLTE").append(heat_palette())));
  if (!png_size(grey_png).has_value() || grey_png[kDepthAt] != 8 || grey_png[kColourTypeAt] != 0 ||
      grey_png[kInterlaceAt] != 0) {
    return grey_png;
  }
  // A grey value is the palette's index now: the compressed pixels stay as they are.
  std::string header = grey_png.substr(kHeaderAt + 4, 4 + 13);
  header[4 + kColourTypeAt - kWidthAt] = kPaletteType;
  return grey_png.substr(0, kHeaderAt + 4) + with_checksum(header) + palette +
         grey_png.substr(kAfterHeader);
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t j) -> std::uint32_t {
      return i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U;
    };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kDigits[three >> 18];
    out += kDigits[three >> 12 & 63];
    out += i + 1 < bytes.size() ? kDigits[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? kDigits[three & 63] : '=';
  }
  return out;
}

std::string data_address(const std::string& picture) {
  const std::string type = picture_type(picture);
  return type.empty() ? "" : "data:" + type + ";base64," + base64(picture);
}

}  // namespace adb
