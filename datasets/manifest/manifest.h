// Own data as a table of files.
#pragma once

#include <filesystem>
#include <string>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

// Opens a manifest; paths in it are relative to its folder.
//   FILE.csv: columns image, category, split, label, and optionally mask and defect.
//   FILE.json: a list of objects with those fields as strings, or {"samples": [...], "title":
//   "..."};
//     "anomalous": true / false may stand for label.
//   split: train or test. label: normal, good, 0, false; anomaly, anomalous, bad, 1, true.
//   throws: Error(kData) "FILE:LINE: ..." or "FILE: samples[K]: ..."; unknown columns and fields
//   are refused
Dataset open_manifest(const std::filesystem::path& file,
                      const std::string& name,
                      const OpenOptions& options);

}  // namespace adb
