// Reads the structure of PNG, JPEG, BMP and TIFF files without decoding them.
#pragma once

#include <string>
#include <string_view>

#include "images/codec.h"

namespace adb {

// Finds format and size of the image in `bytes`, and checks that the limits of codec.h hold and
// that the file is complete: PNG up to its IEND chunk, JPEG up to its EOI marker, BMP and TIFF as
// far as their headers say pixels lie. `name` stands for the file in messages. throws: Error(kData)
ImageInfo parse_image_header(std::string_view bytes, const std::string& name);

}  // namespace adb
