#include "metrics/pixel_ranking.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "metrics/gap_counter.h"
#include "metrics/key_sort.h"
#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

// Numbers the distinct areas in the order in which they come. There are at most sqrt(2 P) of them,
// as their sum is at most P, so a number fits 16 bits.
class AreaNumbers {
 public:
  // Replaces each area by its number; several threads may call it.
  void replace(std::span<std::uint32_t> areas) {
    const std::lock_guard lock(mutex_);
    for (std::uint32_t& area : areas) {
      const auto [at, is_new] =
          numbers_.try_emplace(area, static_cast<std::uint32_t>(areas_.size()));
      if (is_new) {
        areas_.push_back(area);
      }
      area = at->second;
    }
  }

  std::vector<std::uint32_t> take() { return std::move(areas_); }

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, std::uint32_t> numbers_;
  std::vector<std::uint32_t> areas_;
};

// Writes the anomalous pixels of one image as items: keys, and as payload the number of their
// component's area. returns: the number of components
std::size_t collect_pixels(std::span<const float> map,
                           std::span<const std::uint8_t> mask,
                           std::size_t width,
                           Connectivity connectivity,
                           ComponentLabeller& labeller,
                           AreaNumbers& areas,
                           std::span<std::uint32_t> items) {
  labeller.start(mask, width, connectivity);
  std::size_t at = 0;
  for (std::size_t begin = 0; begin < mask.size(); begin += width) {
    for (const MaskRun& run : labeller.next_row()) {
      for (std::size_t pixel = run.begin; pixel < run.end; ++pixel, ++at) {
        store_item(items.data(), at, {score_key(map[pixel]), run.number});
      }
    }
  }
  const std::size_t components = labeller.finish();
  areas.replace(labeller.areas());
  const std::span<const std::uint32_t> numbers = labeller.areas();
  for (std::size_t payload = 1; payload < items.size(); payload += kItemWords) {
    items[payload] = numbers[items[payload]];
  }
  return components;
}

}  // namespace

PixelRanking::PixelRanking(const CategoryInput& input,
                           std::span<const std::uint64_t> anomalous_pixels,
                           Connectivity connectivity,
                           int threads,
                           MapCheck* pending) {
  const std::size_t images = input.maps.size();
  std::vector<std::size_t> offsets(images + 1, 0);
  std::inclusive_scan(anomalous_pixels.begin(), anomalous_pixels.end(), offsets.begin() + 1);
  num_anomalous_ = offsets.back();
  num_normal_ = images * input.height * input.width - num_anomalous_;
  ADB_ASSERT(num_anomalous_ > 0 && num_normal_ > 0);
  ADB_CHECK(num_anomalous_ < kLastOfScore,
            ErrorKind::kData,
            "{} anomalous pixels in a category: at most {} can be measured",
            num_anomalous_,
            kLastOfScore - 1);

  // Two arrays of items for the sort; afterwards pixels and keys lie in one, the counts in the
  // other. Not initialised: the threads that write them bring in their memory.
  const std::size_t item_words = kItemWords * num_anomalous_;
  ranked_ = std::make_unique_for_overwrite<std::uint32_t[]>(item_words + kKeyPadding);
  counts_ = std::make_unique_for_overwrite<std::uint32_t[]>(item_words + kKeyPadding);
  collect_items(input, offsets, connectivity, threads, {ranked_.get(), item_words});
  const int workers = pending != nullptr ? usable_workers(threads, images) : 1;
  run_workers(workers, [&](int worker) {
    if (worker == 0) {
      sort_pixels();
    }
    if (pending != nullptr) {
      pending->run();
    }
  });
  if (pending != nullptr) {
    pending->finish();
  }
  const std::span<std::uint32_t> counts(counts_.get(), 2 * num_keys_ + 1);
  std::fill(counts.begin(), counts.end(), 0U);
  count_gaps({distinct_keys(), num_keys_ + kKeyPadding}, input.maps, threads, counts);
}

// From the items in ranked_ to pixels and keys there, with counts_ as the second array.
void PixelRanking::sort_pixels() {
  const std::size_t item_words = kItemWords * num_anomalous_;
  const auto sorted = sort_items({ranked_.get(), item_words}, {counts_.get(), item_words});
  if (sorted.data() == ranked_.get()) {
    std::swap(ranked_, counts_);
  }
  std::uint32_t* keys = ranked_.get() + num_anomalous_;
  for (std::size_t i = 0; i < num_anomalous_; ++i) {
    const KeyedItem item = load_item(sorted.data(), i);
    const bool last = i + 1 == num_anomalous_ || load_item(sorted.data(), i + 1).key != item.key;
    ranked_[i] = item.payload | (last ? kLastOfScore : 0U);
    keys[num_keys_] = item.key;
    num_keys_ += last ? 1 : 0;
  }
  std::fill_n(keys + num_keys_, kKeyPadding, kKeySentinel);
}

// offsets: of each image's first item, and the end
void PixelRanking::collect_items(const CategoryInput& input,
                                 std::span<const std::size_t> offsets,
                                 Connectivity connectivity,
                                 int threads,
                                 std::span<std::uint32_t> items) {
  const std::size_t images = input.maps.size();
  AreaNumbers areas;
  std::atomic<std::size_t> next = 0;
  std::atomic<std::uint64_t> components = 0;
  run_workers(usable_workers(threads, images), [&](int) {
    ComponentLabeller labeller;
    for (std::size_t i = next++; i < images; i = next++) {
      const std::size_t size = offsets[i + 1] - offsets[i];
      if (size > 0) {
        components += collect_pixels(input.maps[i],
                                     input.masks[i],
                                     input.width,
                                     connectivity,
                                     labeller,
                                     areas,
                                     items.subspan(kItemWords * offsets[i], kItemWords * size));
      }
    }
  });
  num_components_ = components;
  areas_ = areas.take();
}

template <class Visit>
void PixelRanking::for_each_score(Visit visit) const {
  std::uint64_t above = 0;
  std::size_t end = num_anomalous_;
  for (std::size_t i = num_keys_; i-- > 0;) {
    above += counts_[2 * i + 2];
    std::size_t begin = end - 1;
    while (begin > 0 && (pixels()[begin - 1] & kLastOfScore) == 0) {
      --begin;
    }
    const std::uint64_t here = counts_[2 * i + 1] - (end - begin);
    if (!visit(i, begin, end, above, here)) {
      return;
    }
    above += here;
    end = begin;
  }
}

RankingFigures PixelRanking::figures() const {
  RankingSums sums(num_anomalous(), num_normal_);
  for_each_score(
      [&](std::size_t key, std::size_t begin, std::size_t end, std::uint64_t, std::uint64_t here) {
        sums.add_normal(counts_[2 * key + 2]);
        sums.add_group(distinct_keys()[key], end - begin, here);
        return true;
      });
  sums.add_normal(counts_[0]);
  return sums.figures();
}

// M = rate * Ng; A, B: normal pixels with a score above, and not below, that of an anomalous pixel.
struct PixelRanking::RegionSums {
  struct Area {
    std::uint64_t area;
    std::uint64_t pixels = 0;  // with B <= M
    std::uint64_t ranks = 0;   // sum of their A + B
    std::uint64_t split = 0;   // with A < M < B
  };
  std::vector<Area> by_area;  // ascending
  // A and B of the split pixels, which all have one score.
  std::uint64_t split_above = 0;
  std::uint64_t split_not_below = 0;
};

PixelRanking::RegionSums PixelRanking::sum_regions(double normal_limit) const {
  RegionSums sums;
  for (const std::uint32_t area : areas_) {
    sums.by_area.push_back({area});
  }
  for_each_score([&](std::size_t,
                     std::size_t begin,
                     std::size_t end,
                     std::uint64_t above,
                     std::uint64_t here) {
    const std::uint64_t not_below = above + here;
    if (static_cast<double>(not_below) <= normal_limit) {
      for (std::size_t i = begin; i < end; ++i) {
        RegionSums::Area& area = sums.by_area[pixels()[i] & ~kLastOfScore];
        ++area.pixels;
        area.ranks += above + not_below;
      }
      return true;
    }
    if (static_cast<double>(above) < normal_limit) {
      for (std::size_t i = begin; i < end; ++i) {
        ++sums.by_area[pixels()[i] & ~kLastOfScore].split;
      }
      sums.split_above = above;
      sums.split_not_below = not_below;
    }
    return false;
  });
  std::sort(sums.by_area.begin(), sums.by_area.end(), [](const auto& a, const auto& b) {
    return a.area < b.area;
  });
  return sums;
}

double PixelRanking::aupro(double fpr_limit) const {
  const double limit = fpr_limit * static_cast<double>(num_normal_);
  const RegionSums sums = sum_regions(limit);
  double split = 0;
  if (sums.split_not_below > sums.split_above) {
    const double rest = limit - static_cast<double>(sums.split_above);
    split = rest * rest / (2 * static_cast<double>(sums.split_not_below - sums.split_above));
  }
  double total = 0;
  for (const RegionSums::Area& area : sums.by_area) {
    total += (static_cast<double>(area.pixels) * limit - static_cast<double>(area.ranks) / 2 +
              static_cast<double>(area.split) * split) /
             static_cast<double>(area.area);
  }
  return total / (static_cast<double>(num_components_) * limit);
}

double PixelRanking::pro_at_fpr(double fpr) const {
  const double limit = fpr * static_cast<double>(num_normal_);
  const RegionSums sums = sum_regions(limit);
  double split = 0;
  if (sums.split_not_below > sums.split_above) {
    split = (limit - static_cast<double>(sums.split_above)) /
            static_cast<double>(sums.split_not_below - sums.split_above);
  }
  double total = 0;
  for (const RegionSums::Area& area : sums.by_area) {
    total += (static_cast<double>(area.pixels) + static_cast<double>(area.split) * split) /
             static_cast<double>(area.area);
  }
  return total / static_cast<double>(num_components_);
}

double PixelRanking::fpr_at_recall(double recall) const {
  double fpr = 1;
  for_each_score(
      [&](std::size_t, std::size_t begin, std::size_t, std::uint64_t above, std::uint64_t here) {
        const std::uint64_t flagged = num_anomalous() - begin;
        if (static_cast<double>(flagged) / static_cast<double>(num_anomalous()) < recall) {
          return true;
        }
        fpr = static_cast<double>(above + here) / static_cast<double>(num_normal_);
        return false;
      });
  return fpr;
}

std::vector<PixelRanking::Overlap> PixelRanking::overlaps(
    std::span<const std::uint32_t> keys) const {
  std::vector<std::size_t> order(areas_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return areas_[a] < areas_[b];
  });
  std::vector<std::uint64_t> flagged(areas_.size(), 0);
  std::vector<Overlap> overlaps;
  std::size_t at = num_anomalous_;
  std::size_t key_index = num_keys_;
  for (const std::uint32_t key : keys) {
    while (key_index > 0 && distinct_keys()[key_index - 1] >= key) {
      do {
        --at;
        ++flagged[pixels()[at] & ~kLastOfScore];
      } while (at > 0 && (pixels()[at - 1] & kLastOfScore) == 0);
      --key_index;
    }
    double total = 0;
    for (const std::size_t area : order) {
      total += static_cast<double>(flagged[area]) / static_cast<double>(areas_[area]);
    }
    overlaps.push_back({num_anomalous_ - at, total / static_cast<double>(num_components_)});
  }
  return overlaps;
}

std::uint64_t count_components(const CategoryInput& input, Connectivity connectivity) {
  ComponentLabeller labeller;
  std::uint64_t components = 0;
  for (const auto mask : input.masks) {
    labeller.start(mask, input.width, connectivity);
    for (std::size_t row = 0; row < input.height; ++row) {
      labeller.next_row();
    }
    components += labeller.finish();
  }
  return components;
}

}  // namespace adb
