// The inner loop of gap_counter.h: one block of scores into bins.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace adb {

// A table over the keys of scores: the upper half of a key gives a range of bins, its lower half
// the bin in it. A bin without a listed key counts its scores itself; a bin with one tells where in
// the list to compare.
struct KeyBins {
  std::uint32_t lowest_key = 0;  // of the list; scores below are only counted
  // From the upper half of lowest_key on, the last for all halves above the listed ones:
  // first bin << 5 | number of low bits of the lower half that do not matter (0 .. 16).
  std::span<const std::uint32_t> ranges;
  // First listed key in the bin << 1 | 1, or with none 2 * its count.
  std::span<std::uint32_t> bins;

  // Bin of a key >= lowest_key.
  std::size_t index(std::uint32_t key) const {
    const std::size_t half =
        std::min<std::size_t>((key >> 16) - (lowest_key >> 16), ranges.size() - 1);
    return (ranges[half] >> 5) + ((key & 0xFFFFU) >> (ranges[half] & 31U));
  }
};

inline constexpr std::size_t kBlockSize = 512;  // scores whose cache misses overlap

// Scores whose bin holds a listed key.
struct Candidates {
  // A vector is stored whole, so it may write past the last one.
  static constexpr std::size_t kSlack = 8;
  std::array<std::uint32_t, kBlockSize + kSlack> keys;
  std::array<std::uint32_t, kBlockSize + kSlack> first;  // first listed key of the bin
};

struct BlockCounts {
  std::size_t below;       // scores below lowest_key
  std::size_t candidates;  // entries of Candidates
};

// Instead of a slot: the bin holds more keys than were compared.
inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFFU;

// The two steps of counting a block, for one kind of processor; all kinds give the same counts.
struct BlockCounter {
  // Counts num_scores <= kBlockSize scores in the bins, and collects the candidates in no
  // particular order.
  BlockCounts (*bin)(const float* scores,
                     std::size_t num_scores,
                     const KeyBins& table,
                     Candidates& candidates);

  // Slots (gap_counter.h) of the first `size` candidates, from the first four keys of their bins
  // on, or kNoSlot.
  //   padded_keys: the list, followed by four keys above all others
  void (*find_slots)(const Candidates& candidates,
                     std::size_t size,
                     const std::uint32_t* padded_keys,
                     std::uint32_t* slots);
};

BlockCounter portable_block_counter();
BlockCounter fastest_block_counter();  // of those that this processor runs

}  // namespace adb
