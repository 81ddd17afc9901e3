// The figures again, slowly and by another road: every threshold by itself, every curve point by
// point.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/seed.h"
#include "metrics/input.h"

namespace adb::testing {

// A category that owns its memory.
struct TestCategory {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::vector<float>> maps;
  std::vector<std::vector<std::uint8_t>> masks;
  std::vector<std::uint8_t> labels;
  std::vector<float> image_scores;

  void add(std::vector<float> map,
           std::vector<std::uint8_t> mask,
           std::uint8_t label,
           float score) {
    maps.push_back(std::move(map));
    masks.push_back(std::move(mask));
    labels.push_back(label);
    image_scores.push_back(score);
  }

  CategoryInput input() const {
    CategoryInput input;
    input.height = height;
    input.width = width;
    input.maps.assign(maps.begin(), maps.end());
    input.masks.assign(masks.begin(), masks.end());
    input.image_labels = labels;
    input.image_scores = image_scores;
    return input;
  }
};

// Small random maps of any shape; `levels` > 0 rounds scores to so many values (many ties), 0
// leaves them.
inline TestCategory random_category(Stream& stream, int levels) {
  TestCategory category;
  category.height = static_cast<std::size_t>(1 + stream.below(12));
  category.width = static_cast<std::size_t>(1 + stream.below(20));
  const std::int64_t images = 2 + stream.below(5);
  const double density = stream.uniform(0.02, 0.6);
  for (std::int64_t image = 0; image < images; ++image) {
    std::vector<float> map;
    std::vector<std::uint8_t> mask;
    for (std::size_t i = 0; i < category.height * category.width; ++i) {
      mask.push_back(image % 2 == 1 && stream.uniform() < density ? 1 : 0);
      double score = stream.normal() + mask.back() * stream.uniform(0, 2);
      score = levels > 0 ? std::floor(score * levels / 4) : score;
      map.push_back(static_cast<float>(score));
    }
    const auto label = static_cast<std::uint8_t>(image % 2);
    const float score = *std::max_element(map.begin(), map.end());
    category.add(std::move(map), std::move(mask), label, score);
  }
  return category;
}

struct BruteRanking {
  std::uint64_t auroc_numerator = 0;  // twice the pairs in order, ties once; over 2 P Ng
  double ap = 0;
  double f1_max = 0;
  float f1_highest = 0;
  float f1_lowest = 0;
};

inline BruteRanking brute_ranking(std::span<const float> scores,
                                  std::span<const std::uint8_t> labels) {
  BruteRanking ranking;
  const std::set<float, std::greater<>> thresholds(scores.begin(), scores.end());
  const auto positives = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
  double previous = 0;
  for (const float threshold : thresholds) {
    double hits = 0;
    double flagged = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      flagged += scores[i] >= threshold ? 1 : 0;
      hits += scores[i] >= threshold && labels[i] == 1 ? 1 : 0;
    }
    ranking.ap += (hits - previous) / positives * hits / flagged;
    previous = hits;
    const double f1 = 2 * hits / (flagged + positives);
    if (f1 > ranking.f1_max) {
      ranking.f1_max = f1;
      ranking.f1_highest = threshold;
    }
    if (f1 == ranking.f1_max) {
      ranking.f1_lowest = threshold;
    }
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] == 1 && labels[j] == 0) {
        ranking.auroc_numerator += scores[i] > scores[j] ? 2 : scores[i] == scores[j] ? 1 : 0;
      }
    }
  }
  return ranking;
}

// Component number of every mask pixel (-1 elsewhere) by flood fill.
inline std::vector<int> flood_fill(std::span<const std::uint8_t> mask,
                                   std::size_t width,
                                   bool diagonal,
                                   int& components) {
  std::vector<int> numbers(mask.size(), -1);
  const auto rows = static_cast<std::int64_t>(mask.size() / width);
  const auto columns = static_cast<std::int64_t>(width);
  for (std::size_t start = 0; start < mask.size(); ++start) {
    if (mask[start] == 0 || numbers[start] >= 0) {
      continue;
    }
    std::deque<std::int64_t> open = {static_cast<std::int64_t>(start)};
    numbers[start] = components;
    while (!open.empty()) {
      const std::int64_t row = open.front() / columns;
      const std::int64_t column = open.front() % columns;
      open.pop_front();
      for (std::int64_t y = std::max<std::int64_t>(row - 1, 0); y <= std::min(row + 1, rows - 1);
           ++y) {
        for (std::int64_t x = std::max<std::int64_t>(column - 1, 0);
             x <= std::min(column + 1, columns - 1);
             ++x) {
          const auto pixel = static_cast<std::size_t>(y * columns + x);
          if ((diagonal || y == row || x == column) && mask[pixel] == 1 && numbers[pixel] < 0) {
            numbers[pixel] = components;
            open.push_back(static_cast<std::int64_t>(pixel));
          }
        }
      }
    }
    ++components;
  }
  return numbers;
}

struct BrutePro {
  int components = 0;
  double aupro = 0;
};

// The curve's points for every distinct score, then its area by trapezoids up to the limit.
inline BrutePro brute_pro(const TestCategory& category, double limit, bool diagonal) {
  BrutePro pro;
  std::vector<float> scores;
  std::vector<int> numbers;
  for (std::size_t i = 0; i < category.maps.size(); ++i) {
    const auto its = flood_fill(category.masks[i], category.width, diagonal, pro.components);
    numbers.insert(numbers.end(), its.begin(), its.end());
    scores.insert(scores.end(), category.maps[i].begin(), category.maps[i].end());
  }
  std::vector<double> areas(static_cast<std::size_t>(pro.components), 0);
  double normal = 0;
  for (const int number : numbers) {
    if (number < 0) {
      ++normal;
    } else {
      ++areas[static_cast<std::size_t>(number)];
    }
  }
  const std::set<float, std::greater<>> thresholds(scores.begin(), scores.end());
  double last_x = 0;
  double last_y = 0;
  double area = 0;
  for (const float threshold : thresholds) {
    double x = 0;
    double y = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] >= threshold) {
        (numbers[i] < 0 ? x : y) +=
            numbers[i] < 0 ? 1 / normal
                           : 1 / areas[static_cast<std::size_t>(numbers[i])] / pro.components;
      }
    }
    if (x > limit) {
      const double y_limit = last_y + (y - last_y) * (limit - last_x) / (x - last_x);
      pro.aupro = (area + (limit - last_x) * (last_y + y_limit) / 2) / limit;
      return pro;
    }
    area += (x - last_x) * (last_y + y) / 2;
    last_x = x;
    last_y = y;
  }
  pro.aupro = area / limit;
  return pro;
}

}  // namespace adb::testing
