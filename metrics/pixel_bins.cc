#include "metrics/pixel_bins.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "metrics/components.h"
#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

constexpr std::size_t kSampled = std::size_t{1} << 17;  // pixels of a kind that edges are chosen by
constexpr std::size_t kKinds = 3;

// Keys of every step-th pixel with the given mask value, ascending.
std::vector<std::uint32_t> sampled_keys(const CategoryInput& input, std::uint8_t wanted) {
  std::size_t all = 0;
  for (const auto mask : input.masks) {
    all += static_cast<std::size_t>(std::count(mask.begin(), mask.end(), wanted));
  }
  const std::size_t step = (all + kSampled - 1) / kSampled;
  std::vector<std::uint32_t> keys;
  std::size_t seen = 0;
  for (std::size_t image = 0; image < input.num_images(); ++image) {
    for (std::size_t i = 0; i < input.masks[image].size(); ++i) {
      if (input.masks[image][i] == wanted && seen++ % step == 0) {
        keys.push_back(score_key(input.maps[image][i]));
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// `count` keys at evenly spaced places of the last `share` of sorted ones.
void add_spaced(std::span<const std::uint32_t> sorted,
                double share,
                std::size_t count,
                std::vector<std::uint32_t>& keys) {
  const auto size = static_cast<double>(sorted.size());
  for (std::size_t i = 0; i < count && !sorted.empty(); ++i) {
    const double place =
        size * (1 - share * static_cast<double>(i + 1) / static_cast<double>(count));
    keys.push_back(sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(place))]);
  }
}

void sort_unique(std::vector<std::uint32_t>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

}  // namespace

PixelBins::PixelBins(const CategoryInput& input, double fpr_limit, int threads)
    : fpr_limit_(fpr_limit) {
  choose_edges(input);
  const std::size_t images = input.num_images();
  counts_.resize(images * kKinds * edges_.size());
  components_.resize(images);
  std::atomic<std::size_t> next = 0;
  run_workers(usable_workers(threads, images), [&](int) {
    for (std::size_t image = next++; image < images; image = next++) {
      count_image(input, image);
    }
  });
}

void PixelBins::choose_edges(const CategoryInput& input) {
  const auto anomalous = sampled_keys(input, 1), normal = sampled_keys(input, 0);
  edges_ = anomalous;
  edges_.insert(edges_.end(), normal.begin(), normal.end());
  sort_unique(edges_);
  if (edges_.size() > kMaxBins) {
    edges_.clear();
    add_spaced(anomalous, 1, kMaxBins / 2, edges_);
    add_spaced(normal, fpr_limit_, kMaxBins - kMaxBins / 2, edges_);
    edges_.push_back(0);  // whatever lies below
    sort_unique(edges_);
  }
}

std::size_t PixelBins::bin_of(std::uint32_t key) const {
  const auto above = std::upper_bound(edges_.begin(), edges_.end(), key);
  return static_cast<std::size_t>(above - edges_.begin() - 1);
}

void PixelBins::count_image(const CategoryInput& input, std::size_t image) {
  const auto map = input.maps[image];
  const auto mask = input.masks[image];
  const std::size_t bins = edges_.size();
  double* const normal = counts_.data() + image * kKinds * bins;
  double* const anomalous = normal + bins;
  double* const shares = anomalous + bins;
  for (std::size_t i = 0; i < map.size(); ++i) {
    (mask[i] == 0 ? normal : anomalous)[bin_of(score_key(map[i]))] += 1;
  }
  std::vector<MaskRun> runs;
  ComponentLabeller labeller;
  labeller.start(mask, input.width, Connectivity::kEight);
  for (std::size_t row = 0; row < input.height; ++row) {
    const auto more = labeller.next_row();
    runs.insert(runs.end(), more.begin(), more.end());
  }
  components_[image] = static_cast<std::uint32_t>(labeller.finish());
  for (const MaskRun& run : runs) {
    const double share = 1.0 / labeller.areas()[run.number];
    for (std::size_t i = run.begin; i < run.end; ++i) {
      shares[bin_of(score_key(map[i]))] += share;
    }
  }
}

BinnedFigures PixelBins::figures(std::span<const std::uint32_t> times,
                                 std::vector<double>& sums) const {
  const std::size_t bins = edges_.size(), row = kKinds * bins;
  sums.assign(row, 0);
  double components = 0;
  for (std::size_t image = 0; image < times.size(); ++image) {
    if (times[image] == 0) {
      continue;
    }
    const double weight = times[image];
    components += weight * components_[image];
    const double* const counts = counts_.data() + image * row;
    for (std::size_t i = 0; i < row; ++i) {
      sums[i] += weight * counts[i];
    }
  }
  double all_normal = 0, all_anomalous = 0;
  for (std::size_t b = 0; b < bins; ++b) {
    all_normal += sums[b];
    all_anomalous += sums[bins + b];
  }
  if (all_normal == 0 || all_anomalous == 0) {
    constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
    return {kUndefined, kUndefined, kUndefined};
  }
  BinnedFigures figures;
  double fp = 0, tp = 0, overlap = 0, last_rate = 0, last_overlap = 0;
  for (std::size_t b = bins; b-- > 0;) {
    fp += sums[b];
    tp += sums[bins + b];
    figures.ap += sums[bins + b] * tp / std::max(tp + fp, 1.0);
    figures.f1_max = std::max(figures.f1_max, 2 * tp / (tp + fp + all_anomalous));
    overlap += sums[2 * bins + b] / components;
    const double rate = fp / all_normal;
    if (last_rate < fpr_limit_) {
      const double end = std::min(rate, fpr_limit_);
      const double there = rate > end ? last_overlap + (overlap - last_overlap) *
                                                           (end - last_rate) / (rate - last_rate)
                                      : overlap;
      figures.aupro += (end - last_rate) * (last_overlap + there) / 2;
    }
    last_rate = rate;
    last_overlap = overlap;
  }
  figures.ap /= all_anomalous;
  figures.aupro /= fpr_limit_;
  return figures;
}

}  // namespace adb
