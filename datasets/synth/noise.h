// Deterministic mathematics of the generator. Only integer operations, +, -, *, / and sqrt of
// doubles, which IEEE 754 fixes to the last bit; no libm function whose rounding differs between
// machines.
#pragma once

#include <cstdint>

namespace adb::synth {

inline double clamp(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}
inline double mix(double a, double b, double t) {
  return a + (b - a) * t;
}

// 0 below a, 1 above b, a cubic between.
inline double smooth_step(double a, double b, double x) {
  const double t = clamp((x - a) / (b - a), 0, 1);
  return t * t * (3 - 2 * t);
}

// 1 at 0, falling smoothly to 0 at |x| = 1.
inline double bump(double x) {
  const double t = clamp(1 - x * x, 0, 1);
  return t * t;
}

// floor() as an integer, for values of ordinary size; std::floor is a call on the base x86-64
// instruction set.
inline std::int64_t floor_of(double x) {
  const auto i = static_cast<std::int64_t>(x);
  return x < static_cast<double>(i) ? i - 1 : i;
}

inline double fraction(double x) {
  return x - static_cast<double>(floor_of(x));
}

// Sine and cosine of an angle in turns (1 = full circle), error below 1e-5; arc tangent in turns,
// -0.5 .. 0.5.
double sine(double turns);
double cosine(double turns);
double angle_of(double x, double y);

// A hash of a lattice point, [0, 1).
double lattice(std::uint32_t key, std::int64_t x, std::int64_t y = 0);

// Smooth noise with one lattice point per unit, about -1 .. 1.
double noise(std::uint32_t key, double x, double y);

// Sum of `octaves` noises, each of twice the frequency and half the size; about -1 .. 1.
double fractal(std::uint32_t key, double x, double y, int octaves);

}  // namespace adb::synth
