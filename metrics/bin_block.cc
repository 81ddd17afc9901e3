#include "metrics/bin_block.h"

#include "metrics/score_key.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define ADB_HAS_AVX2 1
#include <immintrin.h>
#endif

namespace adb {
namespace {

// Calls visit(0) .. visit(size - 1), through the quarters side by side: neighbouring pixels often
// share a bin, and adding to the place just written waits for that write.
template <class Visit>
inline __attribute__((always_inline)) void visit_spread(std::size_t size, Visit visit) {
  const std::size_t quarter = size / 4;
  for (std::size_t i = 0; i < quarter; ++i) {
    visit(i);
    visit(i + quarter);
    visit(i + 2 * quarter);
    visit(i + 3 * quarter);
  }
  for (std::size_t i = 4 * quarter; i < size; ++i) {
    visit(i);
  }
}

// Adds one to a bin that counts. returns: the bin as it was
inline std::uint32_t touch(std::uint32_t& bin) {
  const std::uint32_t was = bin;
  bin = was + ((~was & 1U) << 1);
  return was;
}

BlockCounts bin_portable(const float* scores,
                         std::size_t num_scores,
                         const KeyBins& table,
                         Candidates& candidates) {
  std::array<std::uint32_t, kBlockSize> keys;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < num_scores; ++i) {
    const std::uint32_t key = score_key(scores[i]);
    keys[kept] = key;
    kept += key >= table.lowest_key ? 1 : 0;
  }
  std::size_t collected = 0;
  visit_spread(kept, [&](std::size_t i) {
    const std::uint32_t bin = touch(table.bins[table.index(keys[i])]);
    candidates.keys[collected] = keys[i];
    candidates.first[collected] = bin >> 1;
    collected += bin & 1U;
  });
  return {num_scores - kept, collected};
}

void find_slots_portable(const Candidates& candidates,
                         std::size_t size,
                         const std::uint32_t* padded_keys,
                         std::uint32_t* slots) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t key = candidates.keys[i];
    const std::uint32_t* from = padded_keys + candidates.first[i];
    std::uint32_t slot = 2 * candidates.first[i];
    for (std::size_t j = 0; j < 4; ++j) {
      slot += from[j] < key ? 1U : 0U;
      slot += from[j] <= key ? 1U : 0U;
    }
    slots[i] = from[3] <= key ? kNoSlot : slot;
  }
}

#ifdef ADB_HAS_AVX2

#define ADB_AVX2 __attribute__((target("avx2,popcnt")))

constexpr std::size_t kLanes = 8;

// Per set of lanes, which lane each place takes when the set's lanes move to the front.
struct PackTable {
  alignas(32) std::array<std::array<std::uint32_t, kLanes>, 256> lanes{};

  constexpr PackTable() {
    for (std::uint32_t set = 0; set < 256; ++set) {
      std::size_t place = 0;
      for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
        if ((set >> lane & 1U) != 0) {
          lanes[set][place++] = lane;
        }
      }
    }
  }
};

constexpr PackTable kPackTable;

ADB_AVX2 inline __m256i load(const std::uint32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

ADB_AVX2 inline void store(std::uint32_t* to, __m256i values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values);
}

// The lanes whose highest bit is set.
ADB_AVX2 inline unsigned high_bits(__m256i values) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(values)));
}

ADB_AVX2 inline __m256i packing(unsigned set) {
  return load(kPackTable.lanes[set].data());
}

ADB_AVX2 BlockCounts bin_avx2(const float* scores,
                              std::size_t num_scores,
                              const KeyBins& table,
                              Candidates& candidates) {
  // Whole vectors are read and written; what lies past `kept` is initialised and never used.
  std::array<std::uint32_t, kBlockSize + kLanes> keys;
  std::array<std::uint32_t, kBlockSize + kLanes> indices;
  std::array<std::uint32_t, kBlockSize + kLanes> touched;
  const __m256i sign = _mm256_set1_epi32(static_cast<int>(0x80000000U));
  // The comparison is signed: keys with the highest bit flipped have its order.
  const __m256i lowest = _mm256_set1_epi32(static_cast<int>(table.lowest_key ^ 0x80000000U));
  const std::size_t whole = num_scores / kLanes * kLanes;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(scores + i));
    bits = _mm256_andnot_si256(_mm256_cmpeq_epi32(bits, sign), bits);  // -0 to +0
    const __m256i negative = _mm256_srai_epi32(bits, 31);
    const __m256i flipped = _mm256_xor_si256(bits, _mm256_srli_epi32(negative, 1));
    const unsigned keep = ~high_bits(_mm256_cmpgt_epi32(lowest, flipped)) & 0xFFU;
    store(keys.data() + kept,
          _mm256_permutevar8x32_epi32(_mm256_xor_si256(flipped, sign), packing(keep)));
    kept += static_cast<std::size_t>(_mm_popcnt_u32(keep));
  }
  for (std::size_t i = whole; i < num_scores; ++i) {
    const std::uint32_t key = score_key(scores[i]);
    keys[kept] = key;
    kept += key >= table.lowest_key ? 1 : 0;
  }
  store(keys.data() + kept, _mm256_set1_epi32(static_cast<int>(table.lowest_key)));
  const auto* ranges = reinterpret_cast<const int*>(table.ranges.data());
  const __m256i first_half = _mm256_set1_epi32(static_cast<int>(table.lowest_key >> 16));
  const __m256i last_range = _mm256_set1_epi32(static_cast<int>(table.ranges.size() - 1));
  for (std::size_t i = 0; i < kept; i += kLanes) {
    const __m256i key = load(keys.data() + i);
    const __m256i half = _mm256_sub_epi32(_mm256_srli_epi32(key, 16), first_half);
    const __m256i range =
        _mm256_i32gather_epi32(ranges, _mm256_min_epi32(half, last_range), sizeof(int));
    const __m256i low = _mm256_and_si256(key, _mm256_set1_epi32(0xFFFF));
    const __m256i shift = _mm256_and_si256(range, _mm256_set1_epi32(31));
    store(indices.data() + i,
          _mm256_add_epi32(_mm256_srli_epi32(range, 5), _mm256_srlv_epi32(low, shift)));
  }
  std::uint32_t* bins = table.bins.data();
  visit_spread(kept, [&](std::size_t i) { touched[i] = touch(bins[indices[i]]); });
  store(touched.data() + kept, _mm256_setzero_si256());
  std::size_t collected = 0;
  for (std::size_t i = 0; i < kept; i += kLanes) {
    const __m256i bin = load(touched.data() + i);
    const unsigned has_key = high_bits(_mm256_slli_epi32(bin, 31));
    const __m256i lanes = packing(has_key);
    store(candidates.keys.data() + collected,
          _mm256_permutevar8x32_epi32(load(keys.data() + i), lanes));
    store(candidates.first.data() + collected,
          _mm256_permutevar8x32_epi32(_mm256_srli_epi32(bin, 1), lanes));
    collected += static_cast<std::size_t>(_mm_popcnt_u32(has_key));
  }
  return {num_scores - kept, collected};
}

ADB_AVX2 void find_slots_avx2(const Candidates& candidates,
                              std::size_t size,
                              const std::uint32_t* padded_keys,
                              std::uint32_t* slots) {
  for (std::size_t i = 0; i < size; ++i) {
    const __m128i key = _mm_set1_epi32(static_cast<int>(candidates.keys[i]));
    const __m128i from =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(padded_keys + candidates.first[i]));
    const __m128i equal = _mm_cmpeq_epi32(from, key);
    const __m128i not_above =
        _mm_cmpeq_epi32(_mm_min_epu32(from, key), from);  // unsigned from <= key
    const auto set = static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(not_above)));
    const std::uint32_t one_equal = _mm_movemask_ps(_mm_castsi128_ps(equal)) != 0 ? 1 : 0;
    const std::uint32_t count = static_cast<std::uint32_t>(_mm_popcnt_u32(set));
    slots[i] = set == 0xFU ? kNoSlot : 2 * (candidates.first[i] + count) - one_equal;
  }
}

#endif

}  // namespace

BlockCounter portable_block_counter() {
  return {bin_portable, find_slots_portable};
}

BlockCounter fastest_block_counter() {
#ifdef ADB_HAS_AVX2
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0) {
    return {bin_avx2, find_slots_avx2};
  }
#endif
  return portable_block_counter();
}

}  // namespace adb
