// All figures of a category, and their means over categories.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/components.h"
#include "metrics/input.h"
#include "metrics/keys.h"
#include "metrics/ranking.h"
#include "metrics/value.h"

namespace adb {

enum class MetricMode {
  kExact,  // by definition: every distinct score is a threshold
  kAder,   // as the evaluator behind published multi-class tables: grids of thresholds, labels from
           // masks
};

std::string_view metric_mode_name(MetricMode mode);   // "exact", "ader"
MetricMode parse_metric_mode(std::string_view name);  // throws: Error(kUsage)

struct EvaluationOptions {
  MetricMode mode = MetricMode::kExact;
  double fpr_limit = 0.3;  // of AU-PRO, in (0, 1]; `ader` mode knows only 0.3
  int threads = 1;         // changes no figure
  Connectivity connectivity = Connectivity::kEight;  // four only to compare with other programs
  int ader_steps = 100;  // thresholds of AU-PRO in `ader` mode; 2 .. 100000

  // Figures besides the eight (docs/metrics.md), in exact mode only. With `extra`: image.fpr95,
  // pixel.fpr95, pixel.iou_max, pixel.aupimo. Then pixel.aupro@LIMIT for each of these limits.
  bool extra = false;
  std::vector<double> more_fpr_limits{};
};

// throws: Error(kUsage)
void check_options(const EvaluationOptions& options);

// Something a user should know although the figures are computed.
struct EvaluationWarning {
  std::size_t image;
  std::string message;  // names the image
};

// A figure besides the eight.
struct ExtraFigure {
  std::string key;
  MetricValue value;
};

struct AderDetails {
  std::vector<std::uint8_t> image_labels;  // from the masks
  std::size_t labels_changed = 0;          // images whose label differs from the data set's
  std::size_t aupro_points = 0;            // points of the curve below the limit
};

struct CategoryResult {
  std::array<MetricValue, kNumMetrics> values;  // in the order of kMetrics
  const MetricValue& value(Metric metric) const { return values[static_cast<std::size_t>(metric)]; }

  // Exact counts behind AUROC, AP and F1; empty where these are undefined. In `ader` mode the image
  // level as always, but by the labels from the masks; the pixel level holds the exact F1, not that
  // of the grid.
  std::optional<RankingFigures> image;
  std::optional<RankingFigures> pixel;

  std::vector<ExtraFigure> extra;  // as asked for

  std::uint64_t num_images = 0;
  std::uint64_t anomalous_images = 0;  // by the data set's labels
  std::uint64_t normal_pixels = 0;     // 0 without masks
  std::uint64_t anomalous_pixels = 0;
  std::uint64_t components = 0;
  std::uint64_t anomalous_images_with_empty_mask = 0;

  std::vector<EvaluationWarning> warnings;
  std::optional<AderDetails> ader;  // in that mode
};

// Source: cards/metrics.md sections 1, 2 and 4. The result has the same bits for any number of
// threads and, but for warnings and labels, any order of the images.
//   throws: RejectedInput (kData), Error(kUsage) for options
CategoryResult evaluate_category(const CategoryInput& input, const EvaluationOptions& options);

// The mean of the seven base figures, or undefined with the first undefined one as reason.
MetricValue mean_of_metrics(std::span<const MetricValue> values);

struct Average {
  struct Mean {
    MetricValue value;
    std::size_t categories = 0;
    std::size_t defined = 0;  // of these, where the figure is defined
  };
  std::array<Mean, kNumMetrics>
      means;  // in the order of kMetrics; mAD is the mean of the seven means
};

// Unweighted means over categories. An undefined member makes a mean undefined unless
// skip_undefined is set, which averages the defined ones.
Average average(std::span<const CategoryResult> categories, bool skip_undefined);

// Unweighted means of the extra figures over categories that were asked for the same ones.
std::vector<std::pair<std::string, Average::Mean>> average_extra(
    std::span<const CategoryResult> categories, bool skip_undefined);

}  // namespace adb
