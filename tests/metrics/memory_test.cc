// Memory beyond the maps: at most 16 bytes per anomalous pixel plus a constant.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include "core/seed.h"
#include "metrics/evaluate.h"
#include "tests/metrics/brute_force.h"

namespace {

std::atomic<std::size_t> allocated = 0;
std::atomic<std::size_t> peak = 0;

void* allocate(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  const std::size_t now = allocated += malloc_usable_size(memory);
  std::size_t highest = peak;
  while (now > highest && !peak.compare_exchange_weak(highest, now)) {
  }
  return memory;
}

void release(void* memory) {
  allocated -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}

namespace adb {
namespace {

struct Usage {
  std::size_t anomalous;
  std::size_t bytes;
};

// Distinct scores and one-pixel components: the worst case. A quarter of the pixels is anomalous.
Usage usage_of(std::size_t images, int threads) {
  Stream stream(1, "metrics.memory");
  testing::TestCategory category;
  category.height = 128;
  category.width = 128;
  for (std::size_t image = 0; image < images; ++image) {
    std::vector<float> map;
    std::vector<std::uint8_t> mask;
    for (std::size_t i = 0; i < category.height * category.width; ++i) {
      map.push_back(static_cast<float>(stream.uniform()));
      mask.push_back(i % 2 == 0 && i / category.width % 2 == 0 ? 1 : 0);
    }
    category.add(std::move(map), std::move(mask), 1, static_cast<float>(image));
  }
  const CategoryInput input = category.input();
  EvaluationOptions options;
  options.threads = threads;
  const std::size_t before = allocated;
  peak = before;
  const CategoryResult result = evaluate_category(input, options);
  return {result.anomalous_pixels, peak - before};
}

constexpr std::size_t kMebi = std::size_t{1} << 20;

TEST(Memory, GrowsBySixteenBytesPerAnomalousPixel) {
  const Usage small = usage_of(64, 1);  // enough for the tables to have their full size
  const Usage large = usage_of(160, 1);
  EXPECT_EQ(large.anomalous, std::size_t{160} * 64 * 64);
  EXPECT_LE(large.bytes - small.bytes, 16 * (large.anomalous - small.anomalous) + kMebi / 2);
  EXPECT_LE(large.bytes, 16 * large.anomalous + 3 * kMebi);
}

TEST(Memory, OfThreadsIsBounded) {
  const Usage usage = usage_of(160, 8);
  EXPECT_LE(usage.bytes, 16 * usage.anomalous + 16 * kMebi + 8 * 2 * kMebi);
}

}  // namespace
}  // namespace adb
