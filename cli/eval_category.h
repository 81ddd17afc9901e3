// The figures of one category from map files, with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/eval_maps.h"
#include "metrics/evaluate.h"

namespace adb {

// How the score of an image comes from its map as the program wrote it, before any resizing.
struct ImageScore {
  enum class Kind { kMax, kPooled, kTop, kGiven };

  Kind kind = Kind::kMax;
  std::size_t count = 0;  // kPooled: side of the window; kTop: number of values averaged

  // "max", "pooled" (16 x 16), "pooled:N", "top:K" or "given". throws: Error(kUsage)
  static ImageScore parse(const std::string& text);
  std::string text() const;
};

// At which size maps meet masks.
struct EvalSize {
  int side = 256;  // 0: the masks' own size

  // "native", or pixels of a side. throws: Error(kUsage)
  static EvalSize parse(const std::string& text);
  std::string text() const;
};

struct EvalOptions {
  EvalSize size;
  ImageScore image_score;
  EvaluationOptions metrics;
};

struct CategoryEvaluation {
  std::string category;
  CategoryResult result;
  std::vector<const EvalItem*> items;  // in the order of `scores`
  std::vector<float> scores;
  std::int64_t labels_changed = 0;       // images whose mask at this size says another label
  std::int64_t components_vanished = 0;  // of the masks, lost in resizing them
  std::vector<std::string> notes;
};

// Reads masks and maps of the items of `category` and computes their figures. Masks: a value above
// 0 is anomalous; at a given side the protocol's resize, as are maps of another size (in float).
// Normal images without a mask have an empty one; where an anomalous image has none, pixel figures
// are undefined. Up to 1 GiB of maps lies in memory, more of it in an unnamed temporary file that
// the system pages.
//   set: kept by reference in the result
//   throws: Error(kData) naming the file: unreadable, NaN or infinite values, sizes that differ
CategoryEvaluation evaluate_maps(const EvalSet& set,
                                 const std::string& category,
                                 const EvalOptions& options);

}  // namespace adb
