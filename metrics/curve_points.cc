#include "metrics/curve_points.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "metrics/score_key.h"

namespace adb {
namespace {

// Thresholds looked at for pixel curves: ranks of anomalous pixels, and of a sample of the normal
// ones.
constexpr std::size_t kThresholds = 2048;
constexpr std::size_t kNormalSample = std::size_t{1} << 18;
// Cells of the grid that decides which points are kept: a curve that rises in both coordinates
// enters at most 2 kCells - 1 of them.
constexpr double kCells = 255;

// Items at one threshold and above the next.
struct Step {
  std::uint64_t normal = 0;
  std::uint64_t anomalous = 0;
  double overlap = 0;  // sum over anomalous pixels of 1 / area of their component
};

std::size_t cell(double value, double cells) {
  return static_cast<std::size_t>(std::min(value, 1.0) * cells);
}

// Keeps a point when it lies in another cell than the last one kept; the end is always kept.
class Thinning {
 public:
  // range: of x; cells_y 0: only x decides
  Thinning(double range, double cells_x, double cells_y)
      : range_(range), cells_x_(cells_x), cells_y_(cells_y) {}

  void add(double x, double y) {
    last_ = {x, y};
    const std::pair here(cell(x / range_, cells_x_), cell(y, cells_y_));
    if (line_.empty() || here != cell_) {
      cell_ = here;
      line_.push_back(last_);
    }
  }

  Polyline finish() {
    if (!line_.empty() && line_.back() != last_) {
      line_.push_back(last_);
    }
    return std::move(line_);
  }

 private:
  double range_;
  double cells_x_;
  double cells_y_;
  std::pair<std::size_t, std::size_t> cell_{};
  std::array<double, 2> last_{};
  Polyline line_{};
};

double ratio(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// steps: by descending threshold
Polyline roc(const std::vector<Step>& steps, std::uint64_t normal, std::uint64_t anomalous) {
  Thinning line(1, kCells, kCells);
  line.add(0, 0);
  std::uint64_t fp = 0, tp = 0;
  for (const Step& step : steps) {
    fp += step.normal;
    tp += step.anomalous;
    line.add(ratio(fp, normal), ratio(tp, anomalous));
  }
  return line.finish();
}

// Starts at recall 0 with the first threshold's precision.
Polyline precision_recall(const std::vector<Step>& steps, std::uint64_t anomalous) {
  Thinning line(1, 2 * kCells, 0);
  std::uint64_t fp = 0, tp = 0;
  for (const Step& step : steps) {
    fp += step.normal;
    tp += step.anomalous;
    if (fp + tp == 0 || (step.anomalous == 0 && tp > 0)) {
      continue;  // the curve stays at this recall and falls: seen at the next one
    }
    const double precision = ratio(tp, tp + fp);
    if (tp == step.anomalous) {
      line.add(0, precision);
    }
    line.add(ratio(tp, anomalous), precision);
  }
  return line.finish();
}

Polyline region_overlap(const std::vector<Step>& steps,
                        std::uint64_t normal,
                        std::size_t components,
                        double fpr_limit) {
  Thinning line(fpr_limit, kCells, kCells);
  line.add(0, 0);
  std::uint64_t fp = 0;
  double overlap = 0, x_before = 0, y_before = 0;
  for (const Step& step : steps) {
    fp += step.normal;
    overlap += step.overlap;
    const double x = ratio(fp, normal);
    const double y = std::min(1.0, overlap / static_cast<double>(components));
    if (x > fpr_limit) {
      const double share = (fpr_limit - x_before) / (x - x_before);
      line.add(fpr_limit, y_before + share * (y - y_before));
      break;
    }
    line.add(x, y);
    x_before = x;
    y_before = y;
  }
  return line.finish();
}

std::vector<Step> image_steps(const CategoryInput& input) {
  std::vector<std::pair<std::uint32_t, std::uint8_t>> items;
  for (std::size_t i = 0; i < input.num_images(); ++i) {
    items.emplace_back(score_key(input.image_scores[i]), input.image_labels[i]);
  }
  std::sort(items.begin(), items.end(), std::greater<>());
  std::vector<Step> steps;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == 0 || items[i].first != items[i - 1].first) {
      steps.emplace_back();
    }
    (items[i].second == 1 ? steps.back().anomalous : steps.back().normal) += 1;
  }
  return steps;
}

ScoreHistogram histogram(const CategoryInput& input) {
  ScoreHistogram out;
  const auto scores = input.image_scores;
  if (scores.empty()) {
    return out;
  }
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  out.low = *low;
  out.high = *high;
  out.normal.assign(kHistogramBins, 0);
  out.anomalous.assign(kHistogramBins, 0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double place = out.high > out.low ? (scores[i] - out.low) / (out.high - out.low) : 0.5;
    const auto bin = std::min(
        kHistogramBins - 1, static_cast<std::size_t>(place * static_cast<double>(kHistogramBins)));
    ++(input.image_labels[i] == 1 ? out.anomalous : out.normal)[bin];
  }
  return out;
}

// Every n-th of the sorted keys, with both ends.
void add_quantiles(std::vector<std::uint32_t> keys, std::vector<std::uint32_t>& out) {
  if (keys.empty()) {
    return;
  }
  std::sort(keys.begin(), keys.end());
  const std::size_t number = std::min(keys.size(), kThresholds);
  for (std::size_t i = 0; i < number; ++i) {
    out.push_back(keys[number == 1 ? 0 : i * (keys.size() - 1) / (number - 1)]);
  }
}

// 1 / area of its component for every anomalous pixel of a mask, 0 elsewhere.
void component_weights(std::span<const std::uint8_t> mask,
                       std::size_t width,
                       Connectivity connectivity,
                       ComponentLabeller& labeller,
                       std::vector<double>& weights,
                       std::size_t& components) {
  labeller.start(mask, width, connectivity);
  std::vector<MaskRun> runs;
  for (std::size_t begin = 0; begin < mask.size(); begin += width) {
    const auto row = labeller.next_row();
    runs.insert(runs.end(), row.begin(), row.end());
  }
  components += labeller.finish();
  weights.assign(mask.size(), 0);
  for (const MaskRun& run : runs) {
    std::fill(weights.begin() + static_cast<std::ptrdiff_t>(run.begin),
              weights.begin() + static_cast<std::ptrdiff_t>(run.end),
              1.0 / labeller.areas()[run.number]);
  }
}

struct PixelSteps {
  std::vector<Step> steps{};  // by descending threshold
  std::size_t components = 0;
};

PixelSteps pixel_steps(const CategoryInput& input,
                       std::uint64_t normal_pixels,
                       Connectivity connectivity) {
  // Thresholds first, ascending.
  std::vector<std::uint32_t> anomalous, normal;
  const std::uint64_t stride = normal_pixels / kNormalSample + 1;
  std::uint64_t at = 0;
  std::uint32_t lowest = score_key(input.maps[0][0]);
  for (std::size_t i = 0; i < input.maps.size(); ++i) {
    for (std::size_t j = 0; j < input.maps[i].size(); ++j) {
      const std::uint32_t key = score_key(input.maps[i][j]);
      lowest = std::min(lowest, key);
      if (input.masks[i][j] == 1) {
        anomalous.push_back(key);
      } else if (at++ % stride == 0) {
        normal.push_back(key);
      }
    }
  }
  std::vector<std::uint32_t> thresholds = {lowest};  // it flags everything: the curves' end
  add_quantiles(std::move(anomalous), thresholds);
  add_quantiles(std::move(normal), thresholds);
  std::sort(thresholds.begin(), thresholds.end());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());

  PixelSteps out;
  out.steps.resize(thresholds.size());
  ComponentLabeller labeller;
  std::vector<double> weights;
  for (std::size_t i = 0; i < input.maps.size(); ++i) {
    component_weights(input.masks[i], input.width, connectivity, labeller, weights, out.components);
    for (std::size_t j = 0; j < input.maps[i].size(); ++j) {
      const auto above =
          std::upper_bound(thresholds.begin(), thresholds.end(), score_key(input.maps[i][j]));
      Step& step = out.steps[static_cast<std::size_t>(above - thresholds.begin()) - 1];
      (input.masks[i][j] == 1 ? step.anomalous : step.normal) += 1;
      step.overlap += weights[j];
    }
  }
  std::reverse(out.steps.begin(), out.steps.end());
  return out;
}

}  // namespace

CategoryCurves curve_points(const CategoryInput& input,
                            double fpr_limit,
                            Connectivity connectivity) {
  ADB_ASSERT(fpr_limit > 0 && fpr_limit <= 1);
  const InputCounts counts = check_input(input, 1);
  CategoryCurves out;
  out.scores = histogram(input);
  const std::uint64_t images = input.num_images();
  if (counts.anomalous_images > 0 && counts.anomalous_images < images) {
    const auto steps = image_steps(input);
    out.image_roc = roc(steps, images - counts.anomalous_images, counts.anomalous_images);
    out.image_pr = precision_recall(steps, counts.anomalous_images);
  }
  const std::uint64_t anomalous = std::accumulate(
      counts.anomalous_pixels.begin(), counts.anomalous_pixels.end(), std::uint64_t{0});
  const std::uint64_t pixels = images * input.height * input.width;
  if (!input.without_masks && anomalous > 0 && anomalous < pixels) {
    const PixelSteps found = pixel_steps(input, pixels - anomalous, connectivity);
    out.pixel_roc = roc(found.steps, pixels - anomalous, anomalous);
    out.pixel_pr = precision_recall(found.steps, anomalous);
    out.pixel_pro = region_overlap(found.steps, pixels - anomalous, found.components, fpr_limit);
  }
  return out;
}

MapScale map_scale(std::span<const std::span<const float>> maps) {
  std::vector<float> values;
  for (const auto map : maps) {
    values.insert(values.end(), map.begin(), map.end());
  }
  ADB_ASSERT(!values.empty());
  const auto value_at = [&](double share) {
    const auto rank =
        static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return static_cast<double>(values[static_cast<std::size_t>(rank)]);
  };
  const double low = value_at(0.005);
  return {.low = low, .high = value_at(0.995)};
}

HeatThumbnail heat_thumbnail(std::span<const float> map,
                             std::size_t height,
                             std::size_t width,
                             const MapScale& scale,
                             int max_side) {
  ADB_ASSERT(map.size() == height * width && height > 0 && width > 0 && max_side > 0);
  const double longest = static_cast<double>(std::max(height, width));
  const double factor = std::min(1.0, max_side / longest);
  const auto scaled = [&](std::size_t side) {
    return std::max<std::size_t>(
        1, static_cast<std::size_t>(std::lround(static_cast<double>(side) * factor)));
  };
  const std::size_t rows = scaled(height), columns = scaled(width);
  HeatThumbnail out{.width = static_cast<int>(columns), .height = static_cast<int>(rows)};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      double sum = 0;
      std::size_t number = 0;
      for (std::size_t y = row * height / rows; y < (row + 1) * height / rows; ++y) {
        for (std::size_t x = column * width / columns; x < (column + 1) * width / columns; ++x) {
          sum += map[y * width + x];
          ++number;
        }
      }
      const double mean = sum / static_cast<double>(number);
      const double share =
          scale.high > scale.low ? (mean - scale.low) / (scale.high - scale.low) : 0;
      out.pixels.push_back(
          static_cast<std::uint8_t>(std::lround(std::clamp(share, 0.0, 1.0) * 255)));
    }
  }
  return out;
}

}  // namespace adb
