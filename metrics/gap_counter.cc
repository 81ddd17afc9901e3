#include "metrics/gap_counter.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <vector>

#include "core/error.h"
#include "metrics/bin_block.h"
#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

static_assert(kKeyPadding == 4, "find_slots reads four keys");

constexpr std::size_t kBins = std::size_t{1} << 17;  // 512 KiB: stays in a second-level cache
// More keys than this are worth twice the bins: fewer scores then meet a bin with a key.
constexpr std::size_t kManyKeys = 200'000;
constexpr std::size_t kBinsPerKey = 64;  // more would only take longer to set up
constexpr std::size_t kPrivateBytes = std::size_t{16}
                                      << 20;  // for counts that threads do not share

struct Table {
  std::vector<std::uint32_t> ranges;  // as in KeyBins
  std::vector<std::uint32_t> bins;
};

// Scores per upper half in a sample of the maps, for num_halves halves from first_half on.
std::vector<std::uint32_t> sample_halves(std::span<const std::span<const float>> maps,
                                         std::size_t first_half,
                                         std::size_t num_halves) {
  constexpr std::size_t kSampleLength = 16;
  constexpr std::size_t kSampleStep = 4096;
  std::vector<std::uint32_t> sampled(num_halves);
  for (const auto map : maps) {
    for (std::size_t begin = 0; begin < map.size(); begin += kSampleStep) {
      for (const float score : map.subspan(begin, std::min(kSampleLength, map.size() - begin))) {
        const std::size_t half =
            (score_key(score) >> 16) - first_half;  // beyond the end when below
        if (half < num_halves) {
          ++sampled[half];
        }
      }
    }
  }
  return sampled;
}

// Shares out the bins so that few scores meet a bin with a key. With n scores and k keys in b bins
// of one upper half about n k / b do; the sum over the halves is smallest for b in proportion to
// sqrt(n k). n is estimated from a sample: it decides the speed, not the result.
Table make_table(std::span<const std::uint32_t> keys,
                 std::span<const std::span<const float>> maps) {
  const std::size_t first_half = keys.front() >> 16;
  const std::size_t num_halves = (keys.back() >> 16) - first_half + 1;
  const std::vector<std::uint32_t> sampled = sample_halves(maps, first_half, num_halves);
  std::vector<std::size_t> ends(num_halves);  // per half, where its keys end
  std::vector<double> weights(num_halves);
  double total = 0;
  std::size_t begin = 0;
  for (std::size_t half = 0; half < num_halves; ++half) {
    std::size_t end = begin;
    while (end < keys.size() && (keys[end] >> 16) - first_half == half) {
      ++end;
    }
    weights[half] = std::sqrt((sampled[half] + 1.0) * static_cast<double>(end - begin));
    total += weights[half];
    ends[half] = end;
    begin = end;
  }

  Table table;
  const std::size_t most = keys.size() > kManyKeys ? 2 * kBins : kBins;
  const auto wanted = static_cast<double>(std::min(most, kBinsPerKey * keys.size()));
  std::size_t num_bins = 0;
  for (const double weight : weights) {
    int bits = 0;
    if (weight > 0) {
      bits = std::clamp(static_cast<int>(std::lround(std::log2(wanted * weight / total))), 0, 16);
    }
    table.ranges.push_back(
        static_cast<std::uint32_t>(num_bins << 5 | static_cast<std::size_t>(16 - bits)));
    num_bins += std::size_t{1} << bits;
  }
  table.ranges.push_back(static_cast<std::uint32_t>(num_bins << 5 | 16U));
  table.bins.resize(num_bins + 1);
  begin = 0;
  for (std::size_t half = 0; half < num_halves; ++half) {
    std::uint32_t* bins = table.bins.data() + (table.ranges[half] >> 5);
    const std::uint32_t shift = table.ranges[half] & 31U;
    for (std::size_t i = ends[half];
         i-- > begin;) {  // the lowest key of a bin is set last and stays
      bins[(keys[i] & 0xFFFFU) >> shift] = static_cast<std::uint32_t>(i << 1 | 1U);
    }
    begin = ends[half];
  }
  return table;
}

// Slot of a candidate with any number of keys in its bin; all keys before `first` are lower.
std::uint32_t search_slot(std::uint32_t key,
                          std::size_t first,
                          std::span<const std::uint32_t> padded_keys) {
  const std::uint32_t* begin = padded_keys.data() + first;
  const std::size_t left = padded_keys.size() - first;
  std::size_t step = kKeyPadding;
  while (step < left && begin[step] <= key) {
    step *= 2;
  }
  const std::uint32_t* at = std::lower_bound(begin, begin + std::min(step, left), key);
  return static_cast<std::uint32_t>(2 * (at - padded_keys.data()) + (*at == key ? 1 : 0));
}

template <bool kShared>
void add(std::uint32_t& count, std::uint32_t number) {
  if constexpr (kShared) {
    std::atomic_ref(count).fetch_add(number, std::memory_order_relaxed);
  } else {
    count += number;
  }
}

// Takes maps until none is left. kShared: other threads add to the same counts.
//   table: with all counts 0; its bins are this thread's own
template <bool kShared>
void count_maps(std::span<const std::uint32_t> padded_keys,
                std::span<const std::span<const float>> maps,
                std::atomic<std::size_t>& next,
                std::size_t flush_scores,
                const KeyBins& table,
                std::span<std::uint32_t> counts) {
  const BlockCounter block_counter = fastest_block_counter();
  Candidates candidates;
  std::array<std::uint32_t, kBlockSize> slots;
  std::size_t below_all = 0;
  const auto flush = [&] {
    add<kShared>(counts[0], static_cast<std::uint32_t>(below_all));
    below_all = 0;
    std::size_t below = counts.size() / 2;  // listed keys below the bin
    for (std::size_t i = table.bins.size(); i-- > 0;) {
      std::uint32_t& bin = table.bins[i];
      if ((bin & 1U) != 0) {
        below = bin >> 1;
      } else if (bin != 0) {
        add<kShared>(counts[2 * below], bin >> 1);
        bin = 0;
      }
    }
  };
  std::size_t counted = 0;
  for (std::size_t map = next++; map < maps.size(); map = next++) {
    const auto scores = maps[map];
    for (std::size_t begin = 0; begin < scores.size(); begin += kBlockSize) {
      const std::size_t size = std::min(kBlockSize, scores.size() - begin);
      if (counted + size > flush_scores) {
        flush();
        counted = 0;
      }
      counted += size;
      const BlockCounts block = block_counter.bin(scores.data() + begin, size, table, candidates);
      below_all += block.below;
      block_counter.find_slots(candidates, block.candidates, padded_keys.data(), slots.data());
      for (std::size_t i = 0; i < block.candidates; ++i) {
        std::uint32_t slot = slots[i];
        if (slot == kNoSlot) [[unlikely]] {
          slot = search_slot(candidates.keys[i], candidates.first[i], padded_keys);
        }
        add<kShared>(counts[slot], 1);
      }
    }
  }
  flush();
}

}  // namespace

void count_gaps(std::span<const std::uint32_t> padded_keys,
                std::span<const std::span<const float>> maps,
                int threads,
                std::span<std::uint32_t> counts,
                std::size_t flush_scores) {
  const std::size_t num_keys = padded_keys.size() - kKeyPadding;
  ADB_ASSERT(num_keys > 0 && counts.size() == 2 * num_keys + 1);
  Table table = make_table(padded_keys.first(num_keys), maps);
  const int workers = usable_workers(threads, maps.size());
  const bool shared = (workers - 1) * counts.size_bytes() > kPrivateBytes;
  std::vector<std::vector<std::uint32_t>> others(shared ? 0 : workers - 1);
  std::atomic<std::size_t> next = 0;
  run_workers(workers, [&](int worker) {
    std::vector<std::uint32_t> copy;
    if (workers > 1) {
      copy = table.bins;
    }
    const KeyBins key_bins = {
        padded_keys[0], table.ranges, workers > 1 ? std::span(copy) : std::span(table.bins)};
    if (shared) {
      count_maps<true>(padded_keys, maps, next, flush_scores, key_bins, counts);
    } else if (worker == 0) {
      count_maps<false>(padded_keys, maps, next, flush_scores, key_bins, counts);
    } else {
      others[worker - 1].resize(counts.size());
      count_maps<false>(padded_keys, maps, next, flush_scores, key_bins, others[worker - 1]);
    }
  });
  for (const auto& other : others) {
    std::transform(other.begin(), other.end(), counts.begin(), counts.begin(), std::plus<>());
  }
}

}  // namespace adb
