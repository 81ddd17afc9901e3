// What the explorer of test images shows: small pictures of an image, its mask and its map.
#pragma once

#include <cstdint>
#include <span>

#include "formats/report_files.h"
#include "images/image.h"
#include "metrics/curve_points.h"

namespace adb {

// The pictures of one test image, at most kMaxThumbnailSide pixels a side; ids and scores are left
// to the caller.
//   image: RGB   mask: as many values 0 or 1 as `map`, empty without one   map: [side, side]
Thumbnail make_thumbnail(const Image& image,
                         std::span<const std::uint8_t> mask,
                         std::span<const float> map,
                         std::size_t side,
                         const MapScale& scale);

}  // namespace adb
