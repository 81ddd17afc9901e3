// Figures that papers printed, as rows. They stand beside measured ones and are never mixed with
// them.
#pragma once

#include <filesystem>
#include <vector>

#include "results/records.h"

namespace adb {

// Reads the tables of results/published/ (main_results.csv, ablations.csv, efficiency.csv) and
// translates their metric names to metric keys. An absent file gives no rows.
//   throws: Error(kConfig) "FILE:LINE: ..." for a line that does not fit
std::vector<PublishedRow> read_published(const std::filesystem::path& folder);

}  // namespace adb
