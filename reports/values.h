// A report for other programs: CSV and JSON.
#pragma once

#include <cstdint>
#include <string>

#include "reports/table.h"

namespace adb {

// Raised when a field of report_json changes its meaning or goes.
inline constexpr std::int64_t kReportSchema = 1;

std::string report_csv(const Report& report);
Json report_json(const Report& report);

}  // namespace adb
