#include "methods/vitad/augment.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "images/resize.h"

namespace adb::vitad {
namespace {

constexpr double kJitter = 0.4;
constexpr double kMaxDegrees = 17;
constexpr double kMinArea = 0.25;
constexpr double kMaxLogAspect = 0.28768207245178085;  // log(4 / 3)
constexpr int kCropTries = 10;

std::uint8_t rounded(double value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

// Pillow's blend of two images by a factor: clipped, then truncated.
std::uint8_t blended(double from, double to, double factor) {
  const auto value = static_cast<float>(from + factor * (to - from));
  return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
}

// Value of channel c at the continuous position (x, y), pixel centres at .5; edges continue
// outside.
double sample(const Image& image, double x, double y, int c) {
  const double left = std::floor(x - 0.5), top = std::floor(y - 0.5);
  const double fx = x - 0.5 - left, fy = y - 0.5 - top;
  const auto at = [&](double column, double row) {
    const int i = std::clamp(static_cast<int>(column), 0, image.width - 1);
    const int j = std::clamp(static_cast<int>(row), 0, image.height - 1);
    return static_cast<double>(image.pixels[image.offset(i, j) + static_cast<std::size_t>(c)]);
  };
  const double upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
  const double lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

// The part at (x, y) of width x height pixels, which may reach over the edges: black there.
Image cropped(const Image& image, int x, int y, int width, int height) {
  Image part(width, height, image.channels);
  const int left = std::max(x, 0), right = std::min(x + width, image.width);
  for (int j = std::max(y, 0); j < std::min(y + height, image.height); ++j) {
    const auto* row = image.pixels.data() + image.offset(left, j);
    std::copy_n(
        row, image.offset(right - left, 0), part.pixels.data() + part.offset(left - x, j - y));
  }
  return part;
}

// Half of a difference of sizes, as Python rounds it: halves to even.
int half(int difference) {
  return static_cast<int>(std::nearbyint(difference / 2.0));
}

void change_brightness(Image& image, double factor) {
  for (auto& value : image.pixels) {
    value = blended(0, value, factor);
  }
}

void change_contrast(Image& image, double factor) {
  const Image levels = to_grey(image);
  const auto sum = std::accumulate(levels.pixels.begin(), levels.pixels.end(), std::int64_t{0});
  const double mean =
      std::floor(static_cast<double>(sum) / static_cast<double>(levels.pixels.size()) + 0.5);
  for (auto& value : image.pixels) {
    value = blended(mean, value, factor);
  }
}

void change_saturation(Image& image, double factor) {
  const Image levels = to_grey(image);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = blended(levels.pixels[i / 3], image.pixels[i], factor);
  }
}

}  // namespace

Image random_resized_crop(const Image& image, int side, Stream& random) {
  const auto resized = [&](int x, int y, int width, int height) {
    return resize_image(cropped(image, x, y, width, height), side, side);
  };
  const double area = static_cast<double>(image.width) * image.height;
  for (int attempt = 0; attempt < kCropTries; ++attempt) {
    const double target = area * random.uniform(kMinArea, 1);
    const double aspect = std::exp(random.uniform(-kMaxLogAspect, kMaxLogAspect));
    const int width = static_cast<int>(std::lround(std::sqrt(target * aspect)));
    const int height = static_cast<int>(std::lround(std::sqrt(target / aspect)));
    if (width >= 1 && width <= image.width && height >= 1 && height <= image.height) {
      const int y = static_cast<int>(random.below(image.height - height + 1));
      const int x = static_cast<int>(random.below(image.width - width + 1));
      return resized(x, y, width, height);
    }
  }
  // The largest part in the middle within these aspects.
  const double widest = std::exp(kMaxLogAspect);
  const int width = std::min(image.width, static_cast<int>(std::lround(image.height * widest)));
  const int height = std::min(image.height, static_cast<int>(std::lround(image.width * widest)));
  return resized((image.width - width) / 2, (image.height - height) / 2, width, height);
}

Image centre_crop(const Image& image, int side) {
  // Pillow's padding puts the odd pixel behind, its crop rounds.
  const auto start = [side](int size) {
    return size < side ? (size - side) / 2 : half(size - side);
  };
  return cropped(image, start(image.width), start(image.height), side, side);
}

Image random_flip(const Image& image, Stream& random) {
  if (random.uniform() >= 0.5) {
    return image;
  }
  Image flipped(image.width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(&image.pixels[image.offset(x, y)],
                  image.channels,
                  &flipped.pixels[flipped.offset(image.width - 1 - x, y)]);
    }
  }
  return flipped;
}

Image colour_jitter(const Image& image, Stream& random) {
  Image changed = image;
  const auto order = random.permutation(3);
  const double factors[] = {random.uniform(1 - kJitter, 1 + kJitter),
                            random.uniform(1 - kJitter, 1 + kJitter),
                            random.uniform(1 - kJitter, 1 + kJitter)};
  for (const auto what : order) {
    switch (what) {
      case 0:
        change_brightness(changed, factors[0]);
        break;
      case 1:
        change_contrast(changed, factors[1]);
        break;
      default:
        change_saturation(changed, factors[2]);
    }
  }
  return changed;
}

Image rotate(const Image& image, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double centre_x = image.width / 2.0, centre_y = image.height / 2.0;
  Image rotated(image.width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      // Where this pixel comes from; y points down, so that anticlockwise is this way round.
      const double dx = x + 0.5 - centre_x, dy = y + 0.5 - centre_y;
      const double from_x = centre_x + cosine * dx - sine * dy;
      const double from_y = centre_y + sine * dx + cosine * dy;
      if (from_x < 0 || from_x >= image.width || from_y < 0 || from_y >= image.height) {
        continue;
      }
      for (int c = 0; c < image.channels; ++c) {
        rotated.pixels[rotated.offset(x, y) + static_cast<std::size_t>(c)] =
            rounded(sample(image, from_x, from_y, c));
      }
    }
  }
  return rotated;
}

Image random_rotation(const Image& image, Stream& random) {
  return rotate(image, random.uniform(-kMaxDegrees, kMaxDegrees));
}

SampleFunction augmentation(const std::string& kind,
                            int side,
                            const std::array<float, 3>& mean,
                            const std::array<float, 3>& std) {
  using Part = std::function<Image(const Image&, Stream&)>;
  const Part centre = [side](const Image& image, Stream&) { return centre_crop(image, side); };
  const Part crop = [side](const Image& image, Stream& random) {
    return random_resized_crop(image, side, random);
  };
  std::vector<Part> parts;
  if (kind == "cc_cj") {
    parts = {centre, colour_jitter};
  } else if (kind == "cc_rhf") {
    parts = {centre, random_flip};
  } else if (kind == "cc_rr") {
    parts = {centre, random_rotation};
  } else if (kind == "rrc") {
    parts = {crop};
  } else {
    ADB_CHECK(kind == "all", ErrorKind::kUsage, "unknown augmentation '{}'", kind);
    parts = {crop, centre, random_flip, colour_jitter, random_rotation, centre};
  }
  return [=](const Image& image, Stream& random, const TexturePool*) {
    ADB_ASSERT(image.channels == 3 && image.width > 0 && image.height > 0);
    Image changed = parts.front()(image, random);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      changed = parts[i](changed, random);
    }
    SampleField field;
    field.name = "image";
    field.shape = {3, changed.height, changed.width};
    field.values.resize(changed.pixels.size());
    normalise_planes(changed, mean, std, field.values);
    return std::vector<SampleField>{std::move(field)};
  };
}

}  // namespace adb::vitad
