#include "synthesis/perlin.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace adb {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

// The card's formula, taken literally.
double reference(const GradientGrid& grid, int r, int c, int width, int height) {
  const double p = static_cast<double>(r) * grid.rows / height;
  const double q = static_cast<double>(c) * grid.columns / width;
  const int i = r * grid.rows / height, j = c * grid.columns / width;
  const double x = p - i, y = q - j;
  const auto dot = [&](int di, int dj) {
    const auto& g =
        grid.gradients[static_cast<std::size_t>((i + di) * (grid.columns + 1) + (j + dj))];
    return (x - di) * g[0] + (y - dj) * g[1];
  };
  const auto f = [](double t) {
    return 6 * std::pow(t, 5) - 15 * std::pow(t, 4) + 10 * std::pow(t, 3);
  };
  const double a = dot(0, 0) + f(x) * (dot(1, 0) - dot(0, 0));
  const double b = dot(0, 1) + f(x) * (dot(1, 1) - dot(0, 1));
  return std::sqrt(2.0) * (a + f(y) * (b - a));
}

TEST(Perlin, FollowsTheFormula) {
  Stream random(1, "test");
  // 24 is no multiple of 32 and 20 none of 8.
  for (const auto& [rows, columns] : {std::pair{2, 8}, {32, 1}, {1, 1}, {16, 32}}) {
    const auto grid = GradientGrid::random(rows, columns, random);
    const auto noise = perlin_noise(grid, 24, 20);
    ASSERT_EQ(noise.values.size(), 24U * 20U);
    for (int r = 0; r < 20; ++r) {
      for (int c = 0; c < 24; ++c) {
        EXPECT_NEAR(noise.values[static_cast<std::size_t>(r * 24 + c)],
                    reference(grid, r, c, 24, 20),
                    1e-12)
            << rows << "x" << columns << " at " << r << ", " << c;
      }
    }
  }
}

TEST(Perlin, FirstComponentPointsDownTheRows) {
  // All gradients point down: the noise depends on the row alone and rises behind a grid line.
  const std::vector<double> angles(4, 0.0);
  const auto noise = perlin_noise(GradientGrid(1, 1, angles), 8, 8);
  EXPECT_EQ(noise.values[0], 0);
  EXPECT_GT(noise.values[8], 0);
  EXPECT_NEAR(noise.values[8], noise.values[15], 1e-15);
}

TEST(Perlin, MaskIsStrict) {
  const Plane plane{3, 1, {0.5, std::nextafter(0.5, 1.0), -1}};
  EXPECT_EQ(mask_above(plane, 0.5), (std::vector<std::uint8_t>{0, 1, 0}));
}

TEST(Perlin, AnglesAreUniform) {
  Stream random(2, "test");
  const auto grid = GradientGrid::random(32, 32, random);
  double mean_cos = 0, mean_sin = 0;
  std::array<int, 4> quadrants = {};
  for (const auto& g : grid.gradients) {
    EXPECT_NEAR(std::hypot(g[0], g[1]), 1, 1e-12);
    mean_cos += g[0];
    mean_sin += g[1];
    const double turned = std::fmod(std::atan2(g[1], g[0]) + kTurn, kTurn);
    ++quadrants[static_cast<std::size_t>(std::min(3.0, turned / (kTurn / 4)))];
  }
  EXPECT_LT(std::abs(mean_cos) / 1089, 0.1);
  EXPECT_LT(std::abs(mean_sin) / 1089, 0.1);
  for (const int n : quadrants) {
    EXPECT_NEAR(n, 1089 / 4.0, 60);
  }
}

}  // namespace
}  // namespace adb
