// Suites on the command line: read with everything checked, and their tables from a store.
#pragma once

#include <string>
#include <vector>

#include "reports/render.h"
#include "results/store.h"
#include "runners/schedule/plan.h"

namespace adb {

// Suites by name. throws: Error(kUsage), Error(kConfig) with "suites/NAME.yaml:LINE:COLUMN: ...",
// also for columns and published figures that do not exist
std::vector<Suite> open_suites(const std::vector<std::string>& names);

struct SuiteReportOptions {
  std::string metric_mode;  // "exact", "ader", or "" for what there is, exact before ader
  bool intervals = false;
};

// The tables of the selection's suites, in their order; neither data nor weights are looked at.
//   throws: Error(kUsage) for CSV of several suites
std::string suite_reports(const Store& store,
                          const Selection& selection,
                          const PlanSources& sources,
                          ReportFormat format,
                          const SuiteReportOptions& wanted = {});

}  // namespace adb
