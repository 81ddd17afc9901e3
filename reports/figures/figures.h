// Figures for papers, each an SVG document: `adbench figure`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/html/page.h"

namespace adb {

enum class FigureKind {
  kCurves,      // every metric and the loss over training
  kImages,      // test images with the heat maps of every method
  kResolution,  // one metric over the input size
  kRanking,     // mean ranks over the classes, with the critical difference
  kFrequency    // low and high frequencies of features that a method rebuilds
};

// "curves", "images", "resolution", "ranking", "frequency". throws: Error(kUsage)
FigureKind figure_kind_from_text(std::string_view name);

struct FigureOptions {
  std::string metric = "mad";  // of kResolution and kRanking
  // Of kImages: "CLASS/SAMPLE", in their order. Empty: of each class the anomalous image that the
  // shown methods together got most wrong, of those that every shown method has.
  std::vector<std::string> samples{};
  std::size_t columns = 10;  // of kImages: at most so many
};

// Of every kind but kFrequency.
//   throws: Error(kUsage) when the runs do not compare (the message names what to select by), or
// there is nothing to draw; when a metric or a sample is unknown
std::string figure_svg(PageInput input, FigureKind kind, const FigureOptions& options = {});

// What `adbench-worker frequency` makes of one image (runners/worker/frequency.h). Pictures are the
// bytes of PNG files.
struct FrequencyImage {
  struct Part {
    std::string low{};
    std::string high{};
    double high_share = 0;  // 0 .. 1
  };
  struct Pair {
    std::string name{};
    Part given{};
    Part rebuilt{};
  };
  std::string name{};
  std::string input{};
  std::vector<Pair> pairs{};
};

// A block an image: features above, rebuilt ones below, two columns a pair. All images have the
// pairs of the first one.
std::string frequency_svg(const std::string& title, const std::vector<FrequencyImage>& images);

// The Nemenyi test at the 5 % level: mean ranks of `methods` over `classes` differ when they are
// further apart than this. Source: J. Demsar, Statistical Comparisons of Classifiers over Multiple
// Data Sets, JMLR 7 (2006), section 3.2.2; the studentised range divided by sqrt(2) for more than
// ten methods was computed with scipy 1.x (scipy.stats.studentized_range, infinite freedom).
//   methods: 2 .. 20, classes: at least 1; throws: Error(kUsage)
double critical_difference(std::size_t methods, std::size_t classes);

// Mean ranks: rows are classes, columns methods; 1 is the highest value, ties share their ranks.
std::vector<double> mean_ranks(const std::vector<std::vector<double>>& values);

// Which methods cannot be told apart: maximal runs of ranks, ascending, that span no more than the
// difference, as index pairs (first, last) into them; runs of one are left out.
std::vector<std::pair<std::size_t, std::size_t>> rank_cliques(const std::vector<double>& ascending,
                                                              double difference);

}  // namespace adb
