#include "metrics/gap_counter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/seed.h"
#include "metrics/bin_block.h"
#include "metrics/score_key.h"

namespace adb {
namespace {

using Maps = std::vector<std::vector<float>>;

std::vector<std::uint32_t> padded(std::vector<std::uint32_t> keys) {
  keys.resize(keys.size() + kKeyPadding, kKeySentinel);
  return keys;
}

std::vector<std::uint32_t> sorted_distinct(std::vector<std::uint32_t> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::vector<std::uint32_t> slowly(const std::vector<std::uint32_t>& keys, const Maps& maps) {
  std::vector<std::uint32_t> counts(2 * keys.size() + 1);
  for (const auto& map : maps) {
    for (const float score : map) {
      const auto at = std::lower_bound(keys.begin(), keys.end(), score_key(score));
      const auto below = static_cast<std::size_t>(at - keys.begin());
      ++counts[2 * below + (at != keys.end() && *at == score_key(score) ? 1 : 0)];
    }
  }
  return counts;
}

void expect_counts(const std::vector<std::uint32_t>& keys, const Maps& maps) {
  const std::vector<std::uint32_t> list = padded(keys);
  const std::vector<std::span<const float>> spans(maps.begin(), maps.end());
  const auto expected = slowly(keys, maps);
  for (const int threads : {1, 3}) {
    for (const std::size_t flush : {std::size_t{1}, std::size_t{700}, std::size_t{1} << 30}) {
      std::vector<std::uint32_t> counts(expected.size());
      count_gaps(list, spans, threads, counts, flush);
      EXPECT_EQ(counts, expected) << threads << " threads, flush after " << flush;
    }
  }
}

TEST(GapCounter, CountsScoresOnAndBetweenKeys) {
  expect_counts({score_key(1), score_key(2)}, {{0, 1, 1.5F, 2, 2, 3}, {-1, 5}});
}

TEST(GapCounter, HandlesNoMapsAndEmptyMaps) {
  expect_counts({score_key(0)}, {});
  expect_counts({score_key(0)}, {{}, {1}});
}

TEST(GapCounter, HandlesTheEndsOfTheRange) {
  const float largest = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  const Maps maps = {{-largest, -tiny, -0.0F, 0.0F, tiny, 2 * tiny, largest}};
  expect_counts({score_key(-largest), score_key(0), score_key(tiny), score_key(largest)}, maps);
  expect_counts({score_key(-tiny)}, maps);
}

TEST(GapCounter, HandlesManyKeysInOneUpperHalf) {
  Stream stream(1, "gap_counter.dense");
  std::vector<std::uint32_t> keys = {score_key(-1e30F), score_key(1e30F)};
  std::vector<float> map;
  for (int i = 0; i < 5000; ++i) {
    keys.push_back(score_key(0.25F) + static_cast<std::uint32_t>(stream.below(9000)));
    map.push_back(key_score(score_key(0.25F) + static_cast<std::uint32_t>(stream.below(9000))));
  }
  expect_counts(sorted_distinct(keys), {map, map});
}

TEST(GapCounter, HandlesMoreKeysThanBins) {
  Stream stream(2, "gap_counter.many");
  std::vector<std::uint32_t> keys;
  std::vector<float> map;
  for (int i = 0; i < 400000; ++i) {
    keys.push_back(score_key(static_cast<float>(stream.uniform(0.5, 0.6))));
  }
  for (int i = 0; i < 20000; ++i) {
    map.push_back(static_cast<float>(stream.uniform(0.45, 0.65)));
  }
  expect_counts(sorted_distinct(keys), {map});
}

// More counts than threads may keep for themselves: they share them.
TEST(GapCounter, SharesCountsOfManyKeys) {
  std::vector<std::uint32_t> keys;
  std::vector<float> map;
  for (std::uint32_t i = 0; i < 1200000; ++i) {
    keys.push_back(score_key(1) + 3 * i);
  }
  for (std::uint32_t i = 0; i < 30000; ++i) {
    map.push_back(key_score(score_key(1) + 119 * i));
  }
  const std::vector<std::uint32_t> list = padded(keys);
  const Maps maps(6, map);
  const std::vector<std::span<const float>> spans(maps.begin(), maps.end());
  std::vector<std::uint32_t> counts(2 * keys.size() + 1);
  count_gaps(list, spans, 5, counts);
  EXPECT_EQ(counts, slowly(keys, maps));
}

// All versions of the inner loop, on blocks of every size.
TEST(GapCounter, CountsTheSameOnEveryProcessor) {
  Stream stream(3, "gap_counter.versions");
  const std::uint32_t lowest = score_key(-0.5F);
  std::vector<std::uint32_t> ranges((score_key(2) >> 16) - (lowest >> 16));
  std::vector<std::uint32_t> bins;
  for (std::uint32_t& range : ranges) {  // one bin a half, or sixteen
    const std::uint32_t shift = stream.below(2) == 0 ? 16 : 12;
    range = static_cast<std::uint32_t>(bins.size()) << 5 | shift;
    bins.resize(bins.size() + (1U << (16 - shift)));
  }
  for (std::uint32_t& bin : bins) {
    bin = stream.below(3) == 0 ? static_cast<std::uint32_t>(stream.below(1000)) << 1 | 1U : 0;
  }
  std::vector<std::uint32_t> keys;
  for (int i = 0; i < 1100; ++i) {
    keys.push_back(score_key(static_cast<float>(stream.normal())));
  }
  const std::vector<std::uint32_t> list = padded(sorted_distinct(keys));
  const auto place_of = [&](std::uint32_t key) {
    return static_cast<std::size_t>(std::lower_bound(list.begin(), list.end(), key) - list.begin());
  };
  for (std::size_t size = 0; size <= kBlockSize; ++size) {
    std::vector<float> scores;
    for (std::size_t i = 0; i < size; ++i) {
      const float listed = key_score(list[static_cast<std::size_t>(stream.below(1000))]);
      scores.push_back(stream.below(3) == 0 ? listed : static_cast<float>(stream.normal()));
    }
    if (size > 2) {
      scores[1] = -0.0F;
    }
    std::vector<std::uint32_t> portable_bins = bins;
    std::vector<std::uint32_t> fastest_bins = bins;
    Candidates portable;
    Candidates fastest;
    const BlockCounts a = portable_block_counter().bin(
        scores.data(), size, {lowest, ranges, portable_bins}, portable);
    const BlockCounts b =
        fastest_block_counter().bin(scores.data(), size, {lowest, ranges, fastest_bins}, fastest);
    ASSERT_EQ(a.below, b.below);
    ASSERT_EQ(a.candidates, b.candidates);
    ASSERT_EQ(portable_bins, fastest_bins);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> from_portable;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> from_fastest;
    for (std::size_t i = 0; i < a.candidates; ++i) {
      from_portable.emplace_back(portable.keys[i], portable.first[i]);
      from_fastest.emplace_back(fastest.keys[i], fastest.first[i]);
    }
    std::sort(from_portable.begin(), from_portable.end());
    std::sort(from_fastest.begin(), from_fastest.end());
    ASSERT_EQ(from_portable, from_fastest);
    for (std::size_t i = 0; i < a.candidates; ++i) {  // a first key up to five places too low
      const auto place = static_cast<std::int64_t>(place_of(portable.keys[i]));
      portable.first[i] =
          static_cast<std::uint32_t>(std::max<std::int64_t>(place - stream.below(6), 0));
    }
    std::array<std::uint32_t, kBlockSize> portable_slots;
    std::array<std::uint32_t, kBlockSize> fastest_slots;
    portable_block_counter().find_slots(portable, a.candidates, list.data(), portable_slots.data());
    fastest_block_counter().find_slots(portable, a.candidates, list.data(), fastest_slots.data());
    for (std::size_t i = 0; i < a.candidates; ++i) {
      const std::size_t place = place_of(portable.keys[i]);
      const bool listed = list[place] == portable.keys[i];
      const bool seen = place - portable.first[i] + (listed ? 1 : 0) < 4;
      ASSERT_EQ(portable_slots[i], seen ? 2 * place + (listed ? 1 : 0) : kNoSlot);
      ASSERT_EQ(fastest_slots[i], portable_slots[i]);
    }
  }
}

TEST(ScoreKey, KeepsTheOrderAndJoinsTheZeros) {
  const float largest = std::numeric_limits<float>::max();
  const float tiny = std::numeric_limits<float>::denorm_min();
  const std::vector<float> ascending = {
      -largest, -1, -2 * tiny, -tiny, 0, tiny, 2 * tiny, 1, std::nextafter(1.0F, 2.0F), largest};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    EXPECT_EQ(key_score(score_key(ascending[i])), ascending[i]);
    if (i > 0) {
      EXPECT_LT(score_key(ascending[i - 1]), score_key(ascending[i]));
    }
  }
  EXPECT_EQ(score_key(-0.0F), score_key(0.0F));
  EXPECT_FALSE(std::signbit(key_score(score_key(-0.0F))));
  EXPECT_LT(score_key(largest), kKeySentinel);
}

}  // namespace
}  // namespace adb
