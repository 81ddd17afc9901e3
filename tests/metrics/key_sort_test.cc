#include "metrics/key_sort.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/seed.h"

namespace adb {
namespace {

void expect_sorted(const std::vector<std::uint32_t>& keys) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> expected;
  std::vector<std::uint32_t> words;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    expected.emplace_back(keys[i], i);
    words.insert(words.end(), {keys[i], i});
  }
  std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return a.first < b.first;
  });
  std::vector<std::uint32_t> scratch(words.size());
  const auto sorted = sort_items(words, scratch);
  ASSERT_EQ(sorted.size(), words.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const KeyedItem item = load_item(sorted.data(), i);
    ASSERT_EQ(std::pair(item.key, item.payload), expected[i]) << "at " << i;
  }
}

TEST(KeySort, SortsKeysOfEveryRange) {
  expect_sorted({7});
  expect_sorted({0xFFFFFFFFU, 0});
  expect_sorted({5, 5, 5});
  Stream stream(1, "metrics.key_sort");
  // 1 .. 3 digits, and their edges; the lowest key not 0 where the range allows it.
  for (const int bits : {1, 12, 13, 14, 26, 27, 31, 32}) {
    const std::uint32_t range = bits == 32 ? 0xFFFFFFFFU : (1U << bits) - 1;
    const std::uint32_t lowest = bits == 32 ? 0 : 0x7FFFFFFFU - (range >> 1);
    std::vector<std::uint32_t> keys = {lowest + range, lowest, lowest + range};
    for (int i = 0; i < 3000; ++i) {
      keys.push_back(lowest + static_cast<std::uint32_t>(stream.below(std::int64_t{range} + 1)));
    }
    expect_sorted(keys);
  }
}

}  // namespace
}  // namespace adb
