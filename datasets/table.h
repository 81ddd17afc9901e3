// From rows of facts to a data set: the part that the VisA loader and the manifest loader share.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

// One row as text; `where` is its place for messages, for example "split_csv/1cls.csv:12".
struct SampleRow {
  std::string where;
  std::string category;
  std::string split;   // train or test
  std::string label;   // normal, good, 0, false; anomaly, anomalous, 1, true, bad
  std::string image;   // path relative to the root
  std::string mask;    // likewise; may be empty
  std::string defect;  // may be empty: "good" or "anomaly"
};

class TableLoader {
 public:
  // Paths are resolved against `root`; absolute ones and those with '..' are accepted only if they
  // end below it. Keeps a reference to `options`.
  TableLoader(const std::filesystem::path& root,
              const std::string& name,
              const OpenOptions& options);

  // throws: Error(kData) "WHERE: ..." for an unknown split or label, a path that is empty or leads
  // out of the
  //   root, a file that does not exist, an image listed twice, an anomalous training image, a
  //   category or defect that cannot be a folder name
  void add(const SampleRow& row);

  // The data set: categories in the card's order or sorted, samples by category, else in the order
  // of adding.
  //   throws: Error(kUsage) for a chosen category that no row names; Error(kData) for one without
  //   images
  Dataset finish();

 private:
  // Path below the root, or an empty one for a missing file when options.keep_going.
  std::filesystem::path resolve(const std::string& text,
                                std::string_view what,
                                const std::string& where);

  const OpenOptions& options_;
  Dataset dataset_;
  std::map<std::string, std::string> seen_;  // image id -> where
};

}  // namespace adb
