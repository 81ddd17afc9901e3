#include "runners/worker/thumbnails.h"

#include <algorithm>
#include <utility>

#include "images/codec.h"
#include "images/resize.h"

namespace adb {
namespace {

constexpr int kJpegQuality = 80;

}  // namespace

Thumbnail make_thumbnail(const Image& image,
                         std::span<const std::uint8_t> mask,
                         std::span<const float> map,
                         std::size_t side,
                         const MapScale& scale) {
  auto heat = heat_thumbnail(map, side, side, scale, kMaxThumbnailSide);
  Thumbnail thumbnail;
  thumbnail.low = scale.low;
  thumbnail.high = scale.high;
  thumbnail.input = encode_jpeg(resize_image(image, heat.width, heat.height), kJpegQuality);
  const int full = static_cast<int>(side);
  if (!mask.empty()) {
    Image truth(full, full, 1);
    std::transform(mask.begin(), mask.end(), truth.pixels.begin(), [](std::uint8_t m) {
      return m != 0 ? 255 : 0;
    });
    auto small = resize_mask(truth, heat.width, heat.height);
    Image shown(heat.width, heat.height, 1);
    std::transform(small.begin(), small.end(), shown.pixels.begin(), [](std::uint8_t m) {
      return m != 0 ? 255 : 0;
    });
    thumbnail.truth = encode_png(shown);
  }
  Image grey(heat.width, heat.height, 1);
  grey.pixels = std::move(heat.pixels);
  thumbnail.heat = encode_png(grey);
  return thumbnail;
}

}  // namespace adb
