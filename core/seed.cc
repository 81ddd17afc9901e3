#include "core/seed.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace adb {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

Stream::Stream(std::int64_t seed, std::string_view name, std::int64_t epoch, std::int64_t index) {
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a over the name
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  key_ = mix(static_cast<std::uint64_t>(seed) + kGolden);
  key_ = mix(key_ ^ mix(hash));
  key_ = mix(key_ + kGolden * static_cast<std::uint64_t>(epoch + 1));
  key_ = mix(key_ + kGolden * static_cast<std::uint64_t>(index + 1));
}

std::uint64_t Stream::bits() {
  return mix(key_ + kGolden * ++counter_);
}

double Stream::uniform() {
  return static_cast<double>(bits() >> 11) * 0x1.0p-53;
}

double Stream::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

double Stream::normal() {
  // Box-Muller, one of the pair: every draw uses two counters, so draws stay addressable.
  const double u = 1.0 - uniform();  // (0, 1]
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::int64_t Stream::below(std::int64_t n) {
  ADB_ASSERT(n > 0);
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % range;  // a multiple of range
  for (;;) {
    const std::uint64_t draw = bits();
    if (draw < limit) {
      return static_cast<std::int64_t>(draw % range);
    }
  }
}

std::vector<std::int64_t> Stream::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(below(i + 1))]);
  }
  return order;
}

}  // namespace adb
