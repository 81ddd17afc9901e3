// Perlin noise, one octave, on a grid of gradients that may be finer along one axis than along the
// other.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/seed.h"

namespace adb {

// One number per pixel, rows from the top.
struct Plane {
  int width = 0;
  int height = 0;
  std::vector<double> values;
};

// Unit vectors at the corners of rows x columns cells. Component 0 points along the rows' direction
// (down), component 1 along the columns'.
struct GradientGrid {
  int rows = 0;
  int columns = 0;
  std::vector<std::array<double, 2>> gradients;  // (rows + 1) x (columns + 1)

  // (cos, sin) of angles in radians, (rows + 1) * (columns + 1) of them.
  GradientGrid(int num_rows, int num_columns, std::span<const double> angles);
  // Angles uniform in [0, 2 pi).
  static GradientGrid random(int rows, int columns, Stream& random);
};

// Noise in about [-1, 1]. Pixels sit on the lattice: the first row and column lie on gradients. The
// size need not be a multiple of the number of cells.
//   width, height > 0   source: card anomaly-synthesis, section 2
Plane perlin_noise(const GradientGrid& grid, int width, int height);

// 1 where the value is greater than the threshold, else 0.
std::vector<std::uint8_t> mask_above(const Plane& plane, double threshold);

}  // namespace adb
