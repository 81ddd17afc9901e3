// How many scores fall on and between given keys, without sorting the scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace adb {

inline constexpr std::size_t kKeyPadding = 4;
inline constexpr std::uint32_t kKeySentinel = 0xFFFFFFFFU;  // above the key of every finite score

// For ascending distinct keys k_0 < ... < k_{K-1} the slots are: 0 below k_0, 2i+1 equal to k_i,
// 2i+2 between k_i and k_{i+1} (above it for the last). Adds one to a slot of `counts` for every
// score of `maps`.
//   padded_keys: K keys of finite scores (score_key), then kKeyPadding sentinels; 0 < K < 2^31
//   maps: finite scores, fewer than 2^32 in all
//   counts: 2K + 1 entries
//   flush_scores: a thread empties its bins after so many scores, rounded up to a block; at most
//   2^30
// Sums of integers: the same for every number of threads and order of maps. Beyond its arguments it
// needs up to 2 MiB a thread, and up to 16 MiB in all for counts of further threads.
void count_gaps(std::span<const std::uint32_t> padded_keys,
                std::span<const std::span<const float>> maps,
                int threads,
                std::span<std::uint32_t> counts,
                std::size_t flush_scores = std::size_t{1} << 30);

}  // namespace adb
