// The figures of one category from map files, with bounded memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/eval_maps.h"
#include "cli/eval_options.h"
#include "metrics/bootstrap.h"
#include "metrics/evaluate.h"

namespace adb {

// Anomalous images of one kind against all normal images of the category.
struct DefectEvaluation {
  std::string defect;
  CategoryResult result;
};

struct CategoryEvaluation {
  std::string category;
  CategoryResult result;
  std::vector<const EvalItem*> items;  // in the order of `scores`
  std::vector<float> scores;
  std::int64_t labels_changed = 0;       // images whose mask at this size says another label
  std::int64_t components_vanished = 0;  // of the masks, lost in resizing them
  std::vector<std::string> notes;
  std::vector<DefectEvaluation> defects;      // by name, where asked for
  std::vector<ConfidenceInterval> intervals;  // likewise
};

// Reads masks and maps of the items of `category` and computes their figures. Masks: a value above
// 0 is anomalous; at a given side the protocol's resize, as are maps of another size (in float).
// Normal images without a mask have an empty one; where an anomalous image has none, pixel figures
// are undefined. Maps stay in their files and are mapped where the format and the size allow it
// (see read_score_map); of copies up to 1 GiB lies in memory, more in an unnamed temporary file
// that the system pages.
//   set: kept by reference in the result
//   throws: Error(kData) naming the file: unreadable, NaN or infinite values, sizes that differ
CategoryEvaluation evaluate_maps(const EvalSet& set,
                                 const std::string& category,
                                 const EvalOptions& options);

}  // namespace adb
