// Pictures inside a page or a figure: colours for heat maps, and bytes as data addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace adb {

struct PictureSize {
  int width = 0;
  int height = 0;
};

// Of a PNG, from its header; nothing for other bytes, or a size of 0 or beyond 4096.
std::optional<PictureSize> png_size(std::string_view png);

// An 8-bit grey PNG with the colours of heat maps: black over violet, red and yellow to white,
// rising in lightness, so that it also prints in grey. Only the header and a palette change. Any
// other PNG is returned as it is.
std::string colour_heat_map(const std::string& grey_png);

std::string base64(std::string_view bytes);

// "data:image/png;base64,..."; "" for bytes that are neither PNG nor JPEG.
std::string data_address(const std::string& picture);

}  // namespace adb
