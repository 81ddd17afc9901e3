#include "bench/synthetic_category.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/seed.h"

namespace adb::bench {
namespace {

// Normal noise on a coarse grid, interpolated bilinearly to side x side: neighbouring pixels are
// alike.
std::vector<double> smooth_noise(Stream& stream, std::size_t side, std::size_t cells) {
  std::vector<double> grid((cells + 1) * (cells + 1));
  for (double& value : grid) {
    value = stream.normal();
  }
  std::vector<double> noise(side * side);
  const double scale = static_cast<double>(cells) / static_cast<double>(side);
  for (std::size_t row = 0; row < side; ++row) {
    const double y = (static_cast<double>(row) + 0.5) * scale;
    const auto y0 = static_cast<std::size_t>(y);
    const double fy = y - static_cast<double>(y0);
    for (std::size_t column = 0; column < side; ++column) {
      const double x = (static_cast<double>(column) + 0.5) * scale;
      const auto x0 = static_cast<std::size_t>(x);
      const double fx = x - static_cast<double>(x0);
      const double* corner = grid.data() + y0 * (cells + 1) + x0;
      noise[row * side + column] = (1 - fy) * ((1 - fx) * corner[0] + fx * corner[1]) +
                                   fy * ((1 - fx) * corner[cells + 1] + fx * corner[cells + 2]);
    }
  }
  return noise;
}

struct Ellipse {
  double y, x, height, width, cosine, sine;

  // Squared distance from the centre: 1 on the border.
  double distance(double row, double column) const {
    const double u = (cosine * (column - x) + sine * (row - y)) / width;
    const double v = (cosine * (row - y) - sine * (column - x)) / height;
    return u * u + v * v;
  }
};

Ellipse random_ellipse(Stream& stream, double side) {
  const double angle = stream.uniform(0, std::numbers::pi);
  return {stream.uniform(0.15, 0.85) * side,
          stream.uniform(0.15, 0.85) * side,
          stream.uniform(0.03, 0.09) * side,
          stream.uniform(0.05, 0.13) * side,
          std::cos(angle),
          std::sin(angle)};
}

}  // namespace

SyntheticCategory::SyntheticCategory(std::size_t num_images,
                                     std::size_t num_normal,
                                     std::size_t side,
                                     std::int64_t seed)
    : side_(side), scores_(num_images * side * side), masks_(scores_.size()), labels_(num_images) {
  const std::size_t pixels = side * side;
  for (std::size_t image = 0; image < num_images; ++image) {
    Stream stream(seed, "bench.category", 0, static_cast<std::int64_t>(image));
    const std::vector<double> coarse = smooth_noise(stream, side, 8);
    const std::vector<double> fine = smooth_noise(stream, side, 32);
    float* map = scores_.data() + image * pixels;
    std::uint8_t* mask = masks_.data() + image * pixels;
    for (std::size_t i = 0; i < pixels; ++i) {
      map[i] = static_cast<float>(0.08 + 0.04 * std::exp(0.6 * coarse[i] + 0.4 * fine[i]));
    }
    labels_[image] = image >= num_normal ? 1 : 0;
    const std::int64_t defects = labels_[image] == 0 ? 0 : 1 + stream.below(3);
    for (std::int64_t defect = 0; defect < defects; ++defect) {
      const Ellipse ellipse = random_ellipse(stream, static_cast<double>(side));
      const double strength = 0.85 * std::exp(stream.uniform(-3, 0));
      for (std::size_t i = 0; i < pixels; ++i) {
        const double distance =
            ellipse.distance(static_cast<double>(i / side), static_cast<double>(i % side));
        if (distance < 4) {
          // The map is softer than the mask.
          map[i] += static_cast<float>(strength * std::exp(-0.7 * std::pow(distance, 5)));
          mask[i] = static_cast<std::uint8_t>(mask[i] | (distance < 1 ? 1 : 0));
        }
      }
    }
    image_scores_.push_back(*std::max_element(map, map + pixels));
  }
}

CategoryInput SyntheticCategory::input() const {
  CategoryInput input;
  input.height = side_;
  input.width = side_;
  const std::size_t pixels = side_ * side_;
  for (std::size_t image = 0; image < labels_.size(); ++image) {
    input.maps.push_back(std::span(scores_).subspan(image * pixels, pixels));
    input.masks.push_back(std::span(masks_).subspan(image * pixels, pixels));
  }
  input.image_labels = labels_;
  input.image_scores = image_scores_;
  return input;
}

std::span<const CategorySize> mvtec_sizes() {
  static constexpr CategorySize kSizes[] = {{83, 20},
                                            {150, 58},
                                            {132, 23},
                                            {117, 28},
                                            {78, 21},
                                            {110, 40},
                                            {124, 32},
                                            {115, 22},
                                            {167, 26},
                                            {160, 41},
                                            {117, 33},
                                            {42, 12},
                                            {100, 60},
                                            {79, 19},
                                            {151, 32}};
  return kSizes;
}

std::span<const CategorySize> visa_sizes() {
  static constexpr CategorySize kSizes[] = {{200, 100},
                                            {160, 60},
                                            {150, 50},
                                            {150, 50},
                                            {150, 50},
                                            {200, 100},
                                            {200, 100},
                                            {200, 100},
                                            {200, 100},
                                            {201, 101},
                                            {201, 101},
                                            {150, 50}};
  return kSizes;
}

}  // namespace adb::bench
