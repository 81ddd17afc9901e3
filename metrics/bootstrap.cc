#include "metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/seed.h"
#include "metrics/key_sort.h"
#include "metrics/keys.h"
#include "metrics/pixel_bins.h"
#include "metrics/ranking.h"
#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();  // within this file only
constexpr std::size_t kBlock = 64;  // resamples that a thread takes at a time

// Images by descending score, equal scores together.
struct ImageOrder {
  std::vector<std::size_t> images;
  std::vector<std::size_t> ends;  // of the groups of one score
};

ImageOrder order_images(std::span<const float> scores) {
  ImageOrder order;
  order.images.resize(scores.size());
  std::iota(order.images.begin(), order.images.end(), std::size_t{0});
  const auto key = [&](std::size_t i) { return score_key(scores[i]); };
  std::sort(order.images.begin(), order.images.end(), [&](std::size_t a, std::size_t b) {
    return key(a) > key(b);
  });
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i + 1 == scores.size() || key(order.images[i]) != key(order.images[i + 1])) {
      order.ends.push_back(i + 1);
    }
  }
  return order;
}

// Pairs of an anomalous pixel in one image and a normal one in another, so that the AUROC of any
// resample is a sum over pairs of images.
struct PixelPairs {
  std::vector<std::size_t> marked;           // images with anomalous pixels
  std::vector<std::uint64_t> anomalous;      // pixels, per image
  std::vector<std::uint64_t> normal;         // pixels, per image
  std::vector<std::uint64_t> twice_ordered;  // [marked, images]: pairs in order, ties once
};

// Items of the pixels of an image whose mask value is `wanted`, with `payload` each.
void add_items(const CategoryInput& input,
               std::size_t image,
               std::uint8_t wanted,
               std::uint32_t payload,
               std::vector<std::uint32_t>& words) {
  const auto map = input.maps[image];
  const auto mask = input.masks[image];
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (mask[i] == wanted) {
      words.insert(words.end(), {score_key(map[i]), payload});
    }
  }
}

std::vector<std::uint32_t> sorted_items(std::vector<std::uint32_t> words) {
  std::vector<std::uint32_t> scratch(words.size());
  if (!words.empty() && sort_items(words, scratch).data() == scratch.data()) {
    return scratch;
  }
  return words;
}

PixelPairs count_pairs(const CategoryInput& input, int threads) {
  PixelPairs pairs;
  const std::size_t images = input.num_images();
  pairs.anomalous.resize(images);
  pairs.normal.resize(images);
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i < images; ++i) {
    const auto payload = static_cast<std::uint32_t>(pairs.marked.size());
    const std::size_t before = words.size();
    add_items(input, i, 1, payload, words);
    pairs.anomalous[i] = (words.size() - before) / kItemWords;
    pairs.normal[i] = input.masks[i].size() - pairs.anomalous[i];
    if (pairs.anomalous[i] > 0) {
      pairs.marked.push_back(i);
    }
  }
  const std::vector<std::uint32_t> anomalous = sorted_items(std::move(words));
  pairs.twice_ordered.resize(pairs.marked.size() * images);
  std::atomic<std::size_t> next = 0;
  run_workers(usable_workers(threads, images), [&](int) {
    for (std::size_t image = next++; image < images; image = next++) {
      std::vector<std::uint32_t> own;
      add_items(input, image, 0, 0, own);
      const std::vector<std::uint32_t> normal = sorted_items(std::move(own));
      std::size_t below = 0, not_above = 0;  // normal items
      const std::size_t size = normal.size() / kItemWords;
      for (std::size_t i = 0; i < anomalous.size() / kItemWords; ++i) {
        const KeyedItem item = load_item(anomalous.data(), i);
        while (below < size && normal[kItemWords * below] < item.key) {
          ++below;
        }
        not_above = std::max(not_above, below);
        while (not_above < size && normal[kItemWords * not_above] == item.key) {
          ++not_above;
        }
        pairs.twice_ordered[item.payload * images + image] += below + not_above;
      }
    }
  });
  return pairs;
}

// One resample's figures, by Metric.
struct Figures {
  std::array<double, kNumMetrics> values;
  Figures() { values.fill(kUndefined); }
  double& operator[](Metric metric) { return values[static_cast<std::size_t>(metric)]; }
};

// times: how often each image was drawn
void add_image_figures(const ImageOrder& order,
                       std::span<const std::uint8_t> labels,
                       std::span<const std::uint32_t> times,
                       std::uint64_t anomalous,
                       std::uint64_t normal,
                       Figures& figures) {
  RankingSums sums(anomalous, normal);
  std::size_t begin = 0;
  for (const std::size_t end : order.ends) {
    std::uint64_t here[2] = {0, 0};
    for (std::size_t i = begin; i < end; ++i) {
      here[labels[order.images[i]]] += times[order.images[i]];
    }
    if (here[1] > 0) {
      sums.add_group(0, here[1], here[0]);
    } else {
      sums.add_normal(here[0]);
    }
    begin = end;
  }
  const RankingFigures ranking = sums.figures();
  figures[Metric::kImageAuroc] = ranking.auroc;
  figures[Metric::kImageAp] = ranking.ap;
  figures[Metric::kImageF1Max] = ranking.f1_max;
}

double pixel_auroc(const PixelPairs& pairs, std::span<const std::uint32_t> times) {
  const std::size_t images = times.size();
  std::uint64_t anomalous = 0, normal = 0;
  for (std::size_t i = 0; i < images; ++i) {
    anomalous += times[i] * pairs.anomalous[i];
    normal += times[i] * pairs.normal[i];
  }
  if (anomalous == 0 || normal == 0) {
    return kUndefined;
  }
  // All images are of one size, so 2 P Ng of a resample fits 64 bits as that of the category does.
  std::uint64_t ordered = 0;
  for (std::size_t m = 0; m < pairs.marked.size(); ++m) {
    const std::uint64_t drawn = times[pairs.marked[m]];
    if (drawn == 0) {
      continue;
    }
    const std::uint64_t* row = pairs.twice_ordered.data() + m * images;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < images; ++i) {
      sum += row[i] * times[i];
    }
    ordered += drawn * sum;
  }
  return static_cast<double>(ordered) /
         (2 * static_cast<double>(anomalous) * static_cast<double>(normal));
}

// returns: how often each image is drawn
std::vector<std::uint32_t> draw(std::span<const std::size_t> anomalous,
                                std::span<const std::size_t> normal,
                                Stream stream) {
  std::vector<std::uint32_t> times(anomalous.size() + normal.size());
  for (const auto& group : {anomalous, normal}) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      ++times[group[static_cast<std::size_t>(stream.below(std::ssize(group)))]];
    }
  }
  return times;
}

void add_interval(Metric metric,
                  std::vector<double> values,
                  double level,
                  std::vector<ConfidenceInterval>& intervals) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) {
    return;
  }
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    // (1 - 0.95) / 2 is a little above 0.025: not the next value for that.
    const double place = std::ceil(share * static_cast<double>(values.size()) - 1e-6);
    const auto index =
        std::clamp<std::size_t>(place < 1 ? 1 : static_cast<std::size_t>(place), 1, values.size());
    return values[index - 1];
  };
  intervals.push_back({std::string(metric_info(metric).key),
                       at((1 - level) / 2),
                       at((1 + level) / 2),
                       values.size()});
}

}  // namespace

std::vector<ConfidenceInterval> bootstrap(const CategoryInput& input,
                                          const BootstrapOptions& options) {
  ADB_CHECK(options.resamples >= 1 && options.resamples <= 10'000'000,
            ErrorKind::kUsage,
            "resamples must be in [1, 10000000], got {}",
            options.resamples);
  ADB_CHECK(options.level > 0 && options.level < 1,
            ErrorKind::kUsage,
            "the level of an interval must be in (0, 1), got {}",
            options.level);
  std::vector<std::size_t> anomalous, normal;
  for (std::size_t i = 0; i < input.num_images(); ++i) {
    (input.image_labels[i] == 1 ? anomalous : normal).push_back(i);
  }
  const bool both = !anomalous.empty() && !normal.empty();
  const ImageOrder order = order_images(input.image_scores);
  const PixelPairs pairs = input.without_masks ? PixelPairs() : count_pairs(input, options.threads);
  std::optional<PixelBins> bins;
  if (!pairs.marked.empty()) {
    bins.emplace(input, options.fpr_limit, options.threads);
  }
  std::vector<Figures> figures(options.resamples);
  const std::size_t blocks = (options.resamples + kBlock - 1) / kBlock;
  std::atomic<std::size_t> next = 0;
  run_workers(usable_workers(options.threads, blocks), [&](int) {
    std::vector<double> sums;
    for (std::size_t block = next++; block < blocks; block = next++) {
      const std::size_t end = std::min(options.resamples, (block + 1) * kBlock);
      for (std::size_t k = block * kBlock; k < end; ++k) {
        const auto times =
            draw(anomalous,
                 normal,
                 Stream(options.seed, "metrics.bootstrap", 0, static_cast<std::int64_t>(k)));
        if (both) {
          add_image_figures(
              order, input.image_labels, times, anomalous.size(), normal.size(), figures[k]);
        }
        if (bins) {
          figures[k][Metric::kPixelAuroc] = pixel_auroc(pairs, times);
          const auto binned = bins->figures(times, sums);
          figures[k][Metric::kPixelAp] = binned.ap;
          figures[k][Metric::kPixelF1Max] = binned.f1_max;
          figures[k][Metric::kPixelAupro] = binned.aupro;
        }
        const auto seven = std::span(figures[k].values).first<kNumBaseMetrics>();
        figures[k][Metric::kMad] = std::accumulate(seven.begin(), seven.end(), 0.0) / seven.size();
      }
    }
  });
  std::vector<ConfidenceInterval> intervals;
  for (const MetricInfo& info : kMetrics) {
    std::vector<double> values;
    for (Figures& of_resample : figures) {
      values.push_back(of_resample[info.metric]);
    }
    add_interval(info.metric, std::move(values), options.level, intervals);
  }
  return intervals;
}

}  // namespace adb
