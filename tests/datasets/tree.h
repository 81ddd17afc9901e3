// Builds data sets of empty files for tests of loaders, which decode nothing.
#pragma once

#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "tests/support/temp_folder.h"

namespace adb::testing {

inline void touch(const TempFolder& folder, const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    folder.write(file, file);  // the name is the content: files differ
  }
}

// A category of the MVTec layout: 2 for training, 1 normal, 2 broken with masks.
inline void add_category(const TempFolder& folder, const std::string& prefix) {
  touch(folder,
        {prefix + "train/good/000.png",
         prefix + "train/good/001.png",
         prefix + "test/good/000.png",
         prefix + "test/broken/000.png",
         prefix + "test/broken/001.png",
         prefix + "ground_truth/broken/000_mask.png",
         prefix + "ground_truth/broken/001_mask.png"});
}

inline std::vector<std::string> ids(const std::vector<Sample>& samples) {
  std::vector<std::string> names;
  for (const Sample& sample : samples) {
    names.push_back(sample.id);
  }
  return names;
}

}  // namespace adb::testing
