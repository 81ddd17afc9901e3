// The yardstick of the metrics' speed: a plain radix sort.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace adb::bench {

// Sorts `keys` ascending, least significant byte first; counts in one pass beforehand, bytes that
// all keys share skipped. scratch: of the same size
inline void radix_sort(std::vector<std::uint32_t>& keys, std::vector<std::uint32_t>& scratch) {
  std::array<std::array<std::uint32_t, 256>, 4> counts{};
  for (const std::uint32_t key : keys) {
    ++counts[0][key & 0xFFU];
    ++counts[1][key >> 8 & 0xFFU];
    ++counts[2][key >> 16 & 0xFFU];
    ++counts[3][key >> 24];
  }
  for (std::size_t byte = 0; byte < 4; ++byte) {
    std::array<std::uint32_t, 256>& places = counts[byte];
    if (std::find(places.begin(), places.end(), keys.size()) != places.end()) {
      continue;
    }
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) {
      place += std::exchange(count, place);
    }
    for (const std::uint32_t key : keys) {
      scratch[places[key >> 8 * byte & 0xFFU]++] = key;
    }
    std::swap(keys, scratch);
  }
}

}  // namespace adb::bench
