#include "core/seed.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

namespace adb {
namespace {

TEST(Stream, SameKeyGivesSameDraws) {
  Stream a(42, "order", 3, 7), b(42, "order", 3, 7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(a.bits(), b.bits());
  }
}

TEST(Stream, EveryPartOfTheKeyMatters) {
  std::set<std::uint64_t> first;
  first.insert(Stream(42, "order", 0, 0).bits());
  first.insert(Stream(43, "order", 0, 0).bits());
  first.insert(Stream(42, "sample", 0, 0).bits());
  first.insert(Stream(42, "order", 1, 0).bits());
  first.insert(Stream(42, "order", 0, 1).bits());
  EXPECT_EQ(first.size(), 5U);
}

// Pinned: a change would silently change every stored run, so it must come with new protocol
// versions.
TEST(Stream, DrawsArePinned) {
  Stream s(42, "order", 1);
  const auto first = s.bits();
  EXPECT_EQ(Stream(42, "order", 1).bits(), first);
  EXPECT_EQ(Stream(0, "pinned").permutation(8),
            (std::vector<std::int64_t>{3, 6, 2, 1, 7, 5, 0, 4}));
}

TEST(Stream, UniformFillsTheUnitInterval) {
  Stream s(1, "uniform");
  double sum = 0, lowest = 1, highest = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = s.uniform();
    sum += u;
    lowest = std::min(lowest, u);
    highest = std::max(highest, u);
  }
  EXPECT_GE(lowest, 0);
  EXPECT_LT(highest, 1);
  EXPECT_NEAR(sum / kDraws, 0.5, 5 / std::sqrt(12.0 * kDraws));  // five standard errors
}

TEST(Stream, NormalHasMeanZeroAndVarianceOne) {
  Stream s(1, "normal");
  double sum = 0, squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = s.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 5 / std::sqrt(1.0 * kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
}

TEST(Stream, BelowIsUniform) {
  Stream s(1, "below");
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) {
    const auto k = s.below(7);
    ASSERT_GE(k, 0);
    ASSERT_LT(k, 7);
    ++counts[static_cast<std::size_t>(k)];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 10000, 500);
  }
}

TEST(Stream, PermutationHoldsEveryNumberOnce) {
  auto order = Stream(5, "p").permutation(1000);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
  EXPECT_TRUE(Stream(5, "p").permutation(0).empty());
}

}  // namespace
}  // namespace adb
