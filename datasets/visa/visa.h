// VisA with its official one-class split.
#pragma once

#include <filesystem>
#include <string>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

// The split file below a VisA root.
inline constexpr const char* kVisaSplit = "split_csv/1cls.csv";

// Opens ROOT/split_csv/1cls.csv (columns object, split, label, image, mask; others are ignored):
// categories in the protocol card's order, samples in the file's order.
//   throws: Error(kData) "FILE:LINE: ..."; see TableLoader
Dataset open_visa(const std::filesystem::path& root,
                  const std::string& name,
                  const OpenOptions& options);

}  // namespace adb
