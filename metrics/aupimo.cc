#include "metrics/aupimo.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

constexpr double kLowestRate = 1e-5;
constexpr double kHighestRate = 1e-4;

bool is_marked(std::span<const std::uint8_t> mask) {
  return std::find(mask.begin(), mask.end(), 1) != mask.end();
}

// Keeps the `count` largest of `keys`, in any order.
void keep_largest(std::vector<std::uint32_t>& keys, std::size_t count) {
  if (keys.size() > count) {
    std::nth_element(keys.begin(),
                     keys.begin() + static_cast<std::ptrdiff_t>(count),
                     keys.end(),
                     std::greater<>());
    keys.resize(count);
  }
}

// The `count` largest keys of the given maps, descending.
std::vector<std::uint32_t> largest_keys(const CategoryInput& input,
                                        std::span<const std::size_t> images,
                                        std::size_t count,
                                        int threads) {
  std::vector<std::uint32_t> largest;
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  run_workers(usable_workers(threads, images.size()), [&](int) {
    std::vector<std::uint32_t> own;
    std::uint32_t bound = 0;  // `count` keys of this worker are not below it
    for (std::size_t i = next++; i < images.size(); i = next++) {
      for (const float score : input.maps[images[i]]) {
        const std::uint32_t key = score_key(score);
        if (key >= bound) {
          own.push_back(key);
          if (own.size() >= 2 * count + 4096) {
            keep_largest(own, count);
            bound = *std::min_element(own.begin(), own.end());
          }
        }
      }
    }
    const std::lock_guard lock(mutex);
    largest.insert(largest.end(), own.begin(), own.end());
    keep_largest(largest, count);
  });
  std::sort(largest.begin(), largest.end(), std::greater<>());
  return largest;
}

}  // namespace

MetricValue aupimo(const CategoryInput& input, int threads) {
  std::vector<std::size_t> normal, anomalous;
  for (std::size_t i = 0; i < input.num_images(); ++i) {
    if (is_marked(input.masks[i])) {
      anomalous.push_back(i);
    } else if (input.image_labels[i] == 0) {
      normal.push_back(i);
    }
  }
  if (anomalous.empty() || normal.empty()) {
    return MetricValue::undefined(anomalous.empty() ? "no anomalous pixel" : "no normal image");
  }
  const auto pixels = static_cast<double>(normal.size() * input.height * input.width);
  // A pixel below more normal ones than this adds nothing.
  const auto count = static_cast<std::size_t>(kHighestRate * pixels) + 1;
  const std::vector<std::uint32_t> largest = largest_keys(input, normal, count, threads);
  std::vector<double> weights;  // of a pixel by the number of normal pixels not below it
  for (std::size_t flagged = 0; flagged <= largest.size(); ++flagged) {
    const double rate = std::max(static_cast<double>(flagged) / pixels, kLowestRate);
    weights.push_back(
        std::max(0.0, std::log(kHighestRate / rate) / std::log(kHighestRate / kLowestRate)));
  }
  std::vector<double> areas(anomalous.size());
  std::atomic<std::size_t> next = 0;
  run_workers(usable_workers(threads, anomalous.size()), [&](int) {
    for (std::size_t i = next++; i < anomalous.size(); i = next++) {
      const auto map = input.maps[anomalous[i]];
      const auto mask = input.masks[anomalous[i]];
      std::uint64_t marked = 0;
      double sum = 0;
      for (std::size_t pixel = 0; pixel < map.size(); ++pixel) {
        if (mask[pixel] == 1) {
          const auto end = std::upper_bound(
              largest.begin(), largest.end(), score_key(map[pixel]), std::greater<>());
          sum += weights[static_cast<std::size_t>(end - largest.begin())];
          ++marked;
        }
      }
      areas[i] = sum / static_cast<double>(marked);
    }
  });
  std::sort(areas.begin(), areas.end());  // so that the sum does not depend on the images' order
  double sum = 0;
  for (const double area : areas) {
    sum += area;
  }
  return MetricValue::of(sum / static_cast<double>(areas.size()));
}

}  // namespace adb
