// What the loaders of the layouts share. Not for use outside datasets/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/catalog.h"
#include "datasets/dataset.h"

namespace adb {

inline constexpr std::string_view kGood = "good";  // the defect name of normal images

// Sorts categories by the protocol card where all are of MVTec AD or all of VisA, else by name.
void sort_categories(std::vector<std::string>& categories);

// The chosen ones of `found`; all when nothing is chosen. throws: Error(kUsage) for an unknown one
std::vector<std::string> choose_categories(const std::vector<std::string>& found,
                                           const std::vector<std::string>& chosen,
                                           const std::string& dataset);

// Throws Error(kData) for a category without test images, or (options.need_train) without training
// images.
void check_not_empty(const Dataset& dataset, const OpenOptions& options);

// Throws Error(kData) with the message, or records it in dataset.missing where options.keep_going.
void report_missing(Dataset& dataset, const OpenOptions& options, std::string message);

}  // namespace adb
