// Figures as rows of the store.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "metrics/evaluate.h"
#include "results/records.h"

namespace adb {

// The setting of figures that this program computes now.
//   eval_size: "native" or pixels of a side
MetricSetting metric_setting(const EvaluationOptions& options, const std::string& eval_size);

// The means (undefined where a member is: leaving such members out is a matter of showing), then
// the figures of every category.
//   categories: names of the results, in the same order
std::vector<MetricRow> metric_rows(std::int64_t epoch,
                                   std::span<const std::string> categories,
                                   std::span<const CategoryResult> results,
                                   const MetricSetting& setting);

}  // namespace adb
