#include "datasets/synth/noise.h"

#include <numbers>

namespace adb::synth {
namespace {

// Mixing constants: the integer hash 'lowbias32' (C. Wellons, hash-prospector, public domain).
std::uint32_t hash(std::uint32_t key, std::int64_t x, std::int64_t y) {
  std::uint32_t h = key + static_cast<std::uint32_t>(x) * 0x9E3779B1U +
                    static_cast<std::uint32_t>(y) * 0x85EBCA77U;
  h ^= h >> 16;
  h *= 0x7FEB352DU;
  h ^= h >> 15;
  h *= 0x846CA68BU;
  return h ^ (h >> 16);
}

double fade(double t) {
  return t * t * t * (t * (t * 6 - 15) + 10);
}

}  // namespace

double sine(double turns) {
  double t = turns - static_cast<double>(floor_of(turns + 0.5));  // -0.5 .. 0.5
  if (t > 0.25) {
    t = 0.5 - t;
  } else if (t < -0.25) {
    t = -0.5 - t;
  }
  const double a = 2 * std::numbers::pi * t;  // the Taylor series is enough on a quarter turn
  const double s = a * a;
  return a * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72))));
}

double cosine(double turns) {
  return sine(turns + 0.25);
}

double angle_of(double x, double y) {
  const double ax = x < 0 ? -x : x, ay = y < 0 ? -y : y;
  if (ax == 0 && ay == 0) {
    return 0;
  }
  // Arc tangent on [0, 1] by a polynomial (Abramowitz and Stegun 4.4.49), then the octants.
  const double t = ax > ay ? ay / ax : ax / ay;
  const double s = t * t;
  const double arc =
      t * (0.9998660 + s * (-0.3302995 + s * (0.1801410 + s * (-0.0851330 + s * 0.0208351))));
  double turns = arc / (2 * std::numbers::pi);
  turns = ay > ax ? 0.25 - turns : turns;
  turns = x < 0 ? 0.5 - turns : turns;
  return y < 0 ? -turns : turns;
}

double lattice(std::uint32_t key, std::int64_t x, std::int64_t y) {
  return hash(key, x, y) * 0x1p-32;
}

double noise(std::uint32_t key, double x, double y) {
  const std::int64_t ix = floor_of(x), iy = floor_of(y);

  const double tx = fade(x - static_cast<double>(ix)), ty = fade(y - static_cast<double>(iy));
  const double top = mix(lattice(key, ix, iy), lattice(key, ix + 1, iy), tx);
  const double bottom = mix(lattice(key, ix, iy + 1), lattice(key, ix + 1, iy + 1), tx);
  return 2 * mix(top, bottom, ty) - 1;
}

double fractal(std::uint32_t key, double x, double y, int octaves) {
  double sum = 0, weight = 0.5, total = 0;
  for (int k = 0; k < octaves; ++k) {
    sum += weight * noise(key + static_cast<std::uint32_t>(k) * 0x632BE59BU, x, y);
    total += weight;
    weight *= 0.5;
    x *= 2;
    y *= 2;
  }
  return sum / total;
}

}  // namespace adb::synth
