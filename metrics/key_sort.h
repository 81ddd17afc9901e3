// Sorting of keys with a payload each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace adb {

// Items lie side by side in arrays of words, so that one write of 8 bytes moves an item, and the
// array can serve as something else afterwards.
struct KeyedItem {
  std::uint32_t key;
  std::uint32_t payload;
};

inline constexpr std::size_t kItemWords = 2;

inline KeyedItem load_item(const std::uint32_t* words, std::size_t index) {
  KeyedItem item;
  std::memcpy(&item, words + kItemWords * index, sizeof item);
  return item;
}

inline void store_item(std::uint32_t* words, std::size_t index, KeyedItem item) {
  std::memcpy(words + kItemWords * index, &item, sizeof item);
}

// Sorts by key, ascending and stable, in time linear in the number of items. Besides the two arrays
// it needs at most 96 KiB.
//   words, scratch: n items each (2 n words), 0 < n < 2^32
//   returns: which of the two holds the result
std::span<std::uint32_t> sort_items(std::span<std::uint32_t> words,
                                    std::span<std::uint32_t> scratch);

}  // namespace adb
