#include "metrics/key_sort.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"

namespace adb {

std::span<std::uint32_t> sort_items(std::span<std::uint32_t> words,
                                    std::span<std::uint32_t> scratch) {
  // A category's scores span few powers of two, so two digits usually do. With 13 bits a digit's
  // table still fits the first-level cache.
  constexpr int kMaxDigitBits = 13;
  const std::size_t size = words.size() / kItemWords;
  ADB_ASSERT(size > 0 && words.size() == size * kItemWords && scratch.size() == words.size());
  std::uint32_t lowest = words[0];
  std::uint32_t highest = words[0];
  for (std::size_t i = 0; i < words.size(); i += kItemWords) {
    lowest = std::min(lowest, words[i]);
    highest = std::max(highest, words[i]);
  }
  const int key_bits = std::bit_width(highest - lowest);
  if (key_bits == 0) {
    return words;
  }
  // Least significant digit first, of digits as wide as each other.
  const int digits = (key_bits + kMaxDigitBits - 1) / kMaxDigitBits;
  const int digit_bits = (key_bits + digits - 1) / digits;
  const std::uint32_t mask = (1U << digit_bits) - 1;
  std::vector<std::vector<std::uint32_t>> places(static_cast<std::size_t>(digits),
                                                 std::vector<std::uint32_t>(mask + 1));
  for (std::size_t i = 0; i < words.size(); i += kItemWords) {
    std::uint32_t rest = words[i] - lowest;
    for (auto& counts : places) {
      ++counts[rest & mask];
      rest >>= digit_bits;
    }
  }
  int shift = 0;
  for (auto& counts : places) {
    std::exclusive_scan(counts.begin(), counts.end(), counts.begin(), 0U);
    for (std::size_t i = 0; i < size; ++i) {
      const KeyedItem item = load_item(words.data(), i);
      store_item(scratch.data(), counts[(item.key - lowest) >> shift & mask]++, item);
    }
    std::swap(words, scratch);
    shift += digit_bits;
  }
  return words;
}

}  // namespace adb
