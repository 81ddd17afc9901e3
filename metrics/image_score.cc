#include "metrics/image_score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/error.h"

namespace adb {

float max_score(std::span<const float> map) {
  ADB_ASSERT(!map.empty());
  float largest = map.front();
  for (const float score : map) {
    if (std::isnan(score)) {
      return score;
    }
    largest = std::max(largest, score);
  }
  return largest;
}

double pooled_max(std::span<const float> map, std::size_t width, std::size_t window) {
  ADB_ASSERT(window >= 1 && width > 0 && map.size() % width == 0);
  const std::size_t height = map.size() / width;
  ADB_CHECK(height >= window && width >= window,
            ErrorKind::kData,
            "a map of {} x {} pixels is smaller than the pooling window of {} x {}",
            height,
            width,
            window,
            window);
  const std::size_t columns = width - window + 1;
  // Sums along rows, then along columns of these: 2 * window additions a pixel.
  std::vector<double> row_sums(height * columns, 0);
  for (std::size_t row = 0; row < height; ++row) {
    double* sums = row_sums.data() + row * columns;
    for (std::size_t shift = 0; shift < window; ++shift) {
      const float* scores = map.data() + row * width + shift;
      for (std::size_t column = 0; column < columns; ++column) {
        sums[column] += static_cast<double>(scores[column]);
      }
    }
  }
  double largest = -std::numeric_limits<double>::infinity();
  std::vector<double> sums(columns);
  for (std::size_t row = 0; row + window <= height; ++row) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t shift = 0; shift < window; ++shift) {
      const double* below = row_sums.data() + (row + shift) * columns;
      for (std::size_t column = 0; column < columns; ++column) {
        sums[column] += below[column];
      }
    }
    for (const double sum : sums) {
      if (std::isnan(sum)) {
        return sum;
      }
      largest = std::max(largest, sum);
    }
  }
  return largest / static_cast<double>(window * window);
}

double top_mean(std::span<const float> map, std::size_t count) {
  ADB_ASSERT(!map.empty() && count >= 1);
  std::vector<float> top(std::min(count, map.size()));
  std::partial_sort_copy(map.begin(), map.end(), top.begin(), top.end(), std::greater<>());
  return mean_score(top);
}

double mean_score(std::span<const float> map) {
  ADB_ASSERT(!map.empty());
  double sum = 0;
  for (const float score : map) {
    sum += static_cast<double>(score);
  }
  return sum / static_cast<double>(map.size());
}

}  // namespace adb
