// Random numbers without a global generator: every draw comes from a named stream, so that data
// order, augmentation and initialisation depend neither on thread count nor on where a run was
// interrupted.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace adb {

// A counter-based generator: draw k is a hash of (seed, name, epoch, index, k).
// Source of the mixing function: SplitMix64 (Steele, Lea, Flood 2014).
class Stream {
 public:
  Stream(std::int64_t seed, std::string_view name, std::int64_t epoch = 0, std::int64_t index = 0);

  std::uint64_t bits();                                   // 64 random bits
  double uniform();                                       // [0, 1), 53 bits
  double uniform(double low, double high);                // [low, high)
  double normal();                                        // mean 0, standard deviation 1
  std::int64_t below(std::int64_t n);                     // 0 .. n-1, without bias; n > 0
  std::vector<std::int64_t> permutation(std::int64_t n);  // Fisher-Yates

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

// A stream factory for one run: `streams.named("init.decoder")`.
class Streams {
 public:
  explicit Streams(std::int64_t seed) : seed_(seed) {}
  std::int64_t seed() const { return seed_; }
  Stream named(std::string_view name, std::int64_t epoch = 0, std::int64_t index = 0) const {
    return Stream(seed_, name, epoch, index);
  }

 private:
  std::int64_t seed_;
};

}  // namespace adb
