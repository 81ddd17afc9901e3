#include "runners/worker/frequency.h"

#define AT_PER_OPERATOR_HEADERS
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

namespace adb {
namespace {

// One channel [1, 16, 16]: a cosine of so many waves down and across.
at::Tensor wave(int down, int across) {
  auto values = at::zeros({1, 16, 16}, at::kDouble);
  auto cell = values.accessor<double, 3>();
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      cell[0][y][x] = std::cos(2 * std::numbers::pi * (down * y + across * x) / 16);
    }
  }
  return values;
}

double largest(const at::Tensor& map) {
  return map.abs().max().item<double>();
}

TEST(SplitBands, AConstantIsLow) {
  const auto bands = split_bands(at::full({3, 8, 5}, -2.0, at::kFloat), 0.25);
  EXPECT_EQ(bands.low.sizes(), at::IntArrayRef({8, 5}));
  EXPECT_NEAR(largest(bands.low - std::sqrt(12.0)), 0, 1e-12) << "the length over three channels";
  EXPECT_NEAR(largest(bands.high), 0, 1e-12);
  EXPECT_NEAR(bands.high_share, 0, 1e-12);
}

// Of 16 positions the highest frequency has 8 waves: a quarter of it is 2.
TEST(SplitBands, TheEdgeOfTheDiscIsLow) {
  EXPECT_NEAR(split_bands(wave(2, 0), 0.25).high_share, 0, 1e-12);
  EXPECT_NEAR(split_bands(wave(0, -2), 0.25).high_share, 0, 1e-12);
  EXPECT_NEAR(split_bands(wave(3, 0), 0.25).high_share, 1, 1e-12);
  EXPECT_NEAR(split_bands(wave(2, 1), 0.25).high_share, 1, 1e-12) << "a disc, no square";
  EXPECT_NEAR(split_bands(wave(2, 1), 0.3).high_share, 0, 1e-12);
}

TEST(SplitBands, EachChannelIsSplitByItself) {
  const auto low = wave(1, 1);
  const auto high = wave(5, 0) * 2;
  const auto bands = split_bands(at::cat(std::vector<at::Tensor>{low, high}), 0.25);
  EXPECT_NEAR(largest(bands.low - low[0].abs()), 0, 1e-12);
  EXPECT_NEAR(largest(bands.high - high[0].abs()), 0, 1e-12);
  EXPECT_NEAR(bands.high_share, 0.8, 1e-12) << "amplitudes 1 and 2";
}

TEST(SplitBands, NothingHasNoShare) {
  EXPECT_EQ(split_bands(at::zeros({2, 4, 4}, at::kFloat), 0.25).high_share, 0);
}

}  // namespace
}  // namespace adb
