#include "synthesis/rotate.h"

#include <gtest/gtest.h>

#include "core/seed.h"

namespace adb {
namespace {

Image random_image(int width, int height, int channels) {
  Stream random(3, "image");
  Image image(width, height, channels);
  for (auto& v : image.pixels) {
    v = static_cast<std::uint8_t>(random.below(256));
  }
  return image;
}

TEST(Rotate, PositiveIsClockwiseOnTheScreen) {
  Image image(9, 9, 1);
  image.pixels[image.offset(7, 4)] = 200;  // right of the centre
  const auto turned = rotate(image, 90);
  EXPECT_EQ(turned.pixels[turned.offset(4, 7)], 200);  // below it
}

TEST(Rotate, QuarterTurnsAreExact) {
  const auto image = random_image(16, 16, 3);
  const auto turned = rotate(image, -90);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(turned.pixels[turned.offset(y, 15 - x) + c],
                  image.pixels[image.offset(x, y) + c]);
      }
    }
  }
}

TEST(Rotate, CornersAreZeroAndTheMiddleStays) {
  Image image(64, 64, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});
  const auto turned = rotate(image, 45);
  EXPECT_EQ(turned.pixels[turned.offset(0, 0)], 0);
  EXPECT_EQ(turned.pixels[turned.offset(63, 63) + 2], 0);
  EXPECT_EQ(turned.pixels[turned.offset(32, 32) + 1], 255);
}

TEST(Rotate, TinyAnglesChangeNothing) {
  const auto image = random_image(256, 256, 3);
  // Mean difference of the matrix from the identity: about 28.6 times the angle in radians here.
  EXPECT_EQ(rotate(image, 1.9e-4), image);
  EXPECT_NE(rotate(image, 0.02), image);
  const Plane plane{2, 2, {1, 2, 3, 4}};
  EXPECT_EQ(rotate(plane, 0).values, plane.values);
}

TEST(Rotate, BilinearOnPlanes) {
  Plane plane{32, 32, {}};
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      plane.values.push_back(x);  // a slope along x
    }
  }
  const auto turned = rotate(plane, 30);
  // The slope turned: value = cos(30) (x - c) + sin(30) (y - c) + c, to 1/64 pixel.
  const double c = 15.5;
  for (const auto& [x, y] : {std::pair{16, 16}, {12, 20}, {20, 10}}) {
    const double want = 0.8660254 * (x - c) + 0.5 * (y - c) + c;
    EXPECT_NEAR(turned.values[static_cast<std::size_t>(y * 32 + x)], want, 0.02);
  }
}

TEST(Rotate, SmallAndOddSizes) {
  for (const auto& [w, h] : {std::pair{1, 1}, {1, 7}, {7, 1}, {5, 3}}) {
    const auto turned = rotate(random_image(w, h, 3), 33);
    EXPECT_EQ(turned.width, w);
    EXPECT_EQ(turned.height, h);
  }
}

}  // namespace
}  // namespace adb
