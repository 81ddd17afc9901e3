// Scores as unsigned integers in the same order.
#pragma once

#include <bit>
#include <cstdint>

namespace adb {

// Order-preserving on all finite floats; -0 gets the key of +0. Integers only, so that denormal
// scores keep their order whatever the processor's flush-to-zero flags say.
constexpr std::uint32_t score_key(float score) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(score);
  bits = bits == 0x80000000U ? 0U : bits;
  const std::uint32_t sign = 0U - (bits >> 31);
  return bits ^ (sign | 0x80000000U);
}

// The score of a key; +0 for both zeros.
constexpr float key_score(std::uint32_t key) {
  const std::uint32_t sign = 0U - (key >> 31);
  return std::bit_cast<float>(key ^ (~sign | 0x80000000U));
}

// NaN or infinity.
constexpr bool is_nonfinite(float score) {
  return (std::bit_cast<std::uint32_t>(score) & 0x7F800000U) == 0x7F800000U;
}

}  // namespace adb
