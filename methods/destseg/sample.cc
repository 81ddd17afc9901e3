#include "methods/destseg/sample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "core/error.h"
#include "synthesis/anomaly.h"

namespace adb::destseg {
namespace {

constexpr double kSmallDegrees = 5;
constexpr std::uint8_t kGrey = 114;

void normalise(std::vector<float>& planes,
               const std::array<float, 3>& mean,
               const std::array<float, 3>& std) {
  const auto area = planes.size() / 3;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = c * area; i < (c + 1) * area; ++i) {
      planes[i] = (planes[i] - mean[c]) / std[c];
    }
  }
}

Image rotated(const Image& image, const std::string& rotation, Stream& random) {
  if (rotation == "none") {
    return image;
  }
  const int turns = rotation == "quarter_turns" ? static_cast<int>(random.below(4)) : 0;
  const double degrees = random.uniform(-kSmallDegrees, kSmallDegrees);
  return rotate_on_grey(rotate_quarters(image, turns), degrees);
}

}  // namespace

Image rotate_quarters(const Image& image, int quarter_turns) {
  ADB_ASSERT(image.width == image.height && quarter_turns >= 0);
  Image current = image;
  const int last = image.width - 1;
  for (int turn = 0; turn < quarter_turns % 4; ++turn) {
    Image turned = current;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        // The right edge comes to the top.
        const auto from = current.offset(last - y, x);
        std::copy_n(current.pixels.begin() + static_cast<std::ptrdiff_t>(from),
                    image.channels,
                    turned.pixels.begin() + static_cast<std::ptrdiff_t>(turned.offset(x, y)));
      }
    }
    current = std::move(turned);
  }
  return current;
}

Image rotate_on_grey(const Image& image, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double centre_x = image.width / 2.0, centre_y = image.height / 2.0;
  Image out(image.width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      // From the middle of this pixel to its place in the source; y points down.
      const double dx = x + 0.5 - centre_x, dy = y + 0.5 - centre_y;
      const double source_x = cosine * dx - sine * dy + centre_x;
      const double source_y = sine * dx + cosine * dy + centre_y;
      const bool inside =
          source_x >= 0 && source_x < image.width && source_y >= 0 && source_y < image.height;
      const double left = std::floor(source_x - 0.5), top = std::floor(source_y - 0.5);
      const double across = source_x - 0.5 - left, down = source_y - 0.5 - top;
      // Half a pixel from the border the neighbour is the border itself.
      const auto column = [&](double at) {
        return std::clamp(static_cast<int>(at), 0, image.width - 1);
      };
      const auto row = [&](double at) {
        return std::clamp(static_cast<int>(at), 0, image.height - 1);
      };
      for (int c = 0; c < image.channels; ++c) {
        auto& value = out.pixels[out.offset(x, y) + static_cast<std::size_t>(c)];
        if (!inside) {
          value = kGrey;
          continue;
        }
        const auto at = [&](double to_x, double to_y) -> double {
          return image.pixels[image.offset(column(to_x), row(to_y)) + static_cast<std::size_t>(c)];
        };
        const double upper = at(left, top) + (at(left + 1, top) - at(left, top)) * across;
        const double lower =
            at(left, top + 1) + (at(left + 1, top + 1) - at(left, top + 1)) * across;
        value = static_cast<std::uint8_t>(upper + (lower - upper) * down);
      }
    }
  }
  return out;
}

SampleFunction sample_function(const DestsegOptions& options,
                               const std::array<float, 3>& mean,
                               const std::array<float, 3>& std) {
  AnomalyRecipe recipe;
  recipe.normal_probability = 0;
  recipe.rotation_probability = 0;
  recipe.texture_augmenters = 0;
  return [recipe, rotation = options.rotation, mean, std](
             const Image& original, Stream& random, const TexturePool* textures) {
    ADB_ASSERT(textures != nullptr && original.channels == 3 && original.width == original.height);
    const auto texture = [&](Stream& stream) {
      return textures->texture(stream.below(textures->size()), original.width);
    };
    auto made = make_anomaly(rotated(original, rotation, random), texture, recipe, random);
    // The texture is blended in before the normalisation, so it gets the same one.
    normalise(made.image, mean, std);
    normalise(made.target, mean, std);
    const std::int64_t side = original.width;
    std::vector<SampleField> fields;
    fields.push_back({"image", {3, side, side}, std::move(made.image)});
    fields.push_back({"target", {3, side, side}, std::move(made.target)});
    fields.push_back({"mask", {1, side, side}, std::move(made.mask)});
    return fields;
  };
}

}  // namespace adb::destseg
