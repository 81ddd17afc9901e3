#include "synthesis/perlin.h"

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace adb {
namespace {

double fade(double t) {
  return t * t * t * (t * (t * 6 - 15) + 10);
}

// Where pixel k of n lies among `cells` cells: in exact integers, since k * cells / n as a floating
// number may fall on the wrong side of a border.
struct Position {
  std::size_t cell;
  double offset;  // [0, 1)
  double weight;  // fade(offset)
};

Position position(int k, int n, int cells) {
  const std::int64_t scaled = static_cast<std::int64_t>(k) * cells;
  const double offset = static_cast<double>(scaled % n) / n;
  return {static_cast<std::size_t>(scaled / n), offset, fade(offset)};
}

}  // namespace

GradientGrid::GradientGrid(int num_rows, int num_columns, std::span<const double> angles)
    : rows(num_rows), columns(num_columns) {
  ADB_ASSERT(rows > 0 && columns > 0);
  ADB_ASSERT(angles.size() ==
             (static_cast<std::size_t>(rows) + 1) * (static_cast<std::size_t>(columns) + 1));
  gradients.reserve(angles.size());
  for (const double angle : angles) {
    gradients.push_back({std::cos(angle), std::sin(angle)});
  }
}

GradientGrid GradientGrid::random(int rows, int columns, Stream& random) {
  std::vector<double> angles((static_cast<std::size_t>(rows) + 1) *
                             (static_cast<std::size_t>(columns) + 1));
  for (auto& angle : angles) {
    angle = random.uniform(0, 2 * std::numbers::pi);
  }
  return {rows, columns, angles};
}

Plane perlin_noise(const GradientGrid& grid, int width, int height) {
  ADB_ASSERT(width > 0 && height > 0);
  const auto w = static_cast<std::size_t>(width);
  Plane noise{width, height, std::vector<double>(w * static_cast<std::size_t>(height))};
  std::vector<Position> columns;
  columns.reserve(w);
  for (int c = 0; c < width; ++c) {
    columns.push_back(position(c, width, grid.columns));
  }
  // Along a row the noise at a corner's column, already blended between the rows above and below,
  // is linear in the distance y from that column: base + slope * y.
  const auto corners = static_cast<std::size_t>(grid.columns) + 1;
  std::vector<double> base(corners), slope(corners);
  auto* out = noise.values.data();
  for (int r = 0; r < height; ++r) {
    const auto [i, x, weight] = position(r, height, grid.rows);
    const auto* upper = &grid.gradients[i * corners];
    const auto* lower = upper + corners;
    for (std::size_t j = 0; j < corners; ++j) {
      const double above = x * upper[j][0];
      base[j] = above + weight * ((x - 1) * lower[j][0] - above);
      slope[j] = upper[j][1] + weight * (lower[j][1] - upper[j][1]);
    }
    for (const auto& [j, y, blend] : columns) {
      const double left = base[j] + y * slope[j];
      const double right = base[j + 1] + (y - 1) * slope[j + 1];
      *out++ = std::numbers::sqrt2 * (left + blend * (right - left));
    }
  }
  return noise;
}

std::vector<std::uint8_t> mask_above(const Plane& plane, double threshold) {
  std::vector<std::uint8_t> mask(plane.values.size());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    mask[i] = plane.values[i] > threshold ? 1 : 0;
  }
  return mask;
}

}  // namespace adb
