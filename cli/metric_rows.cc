#include "cli/metric_rows.h"

#include "core/error.h"
#include "metrics/keys.h"

namespace adb {

MetricSetting metric_setting(const EvaluationOptions& options, const std::string& eval_size) {
  return {
      std::string(metric_mode_name(options.mode)), kMetricVersion, options.fpr_limit, eval_size};
}

std::vector<MetricRow> metric_rows(std::int64_t epoch,
                                   std::span<const std::string> categories,
                                   std::span<const CategoryResult> results,
                                   const MetricSetting& setting) {
  ADB_ASSERT(categories.size() == results.size());
  std::vector<MetricRow> rows;
  const auto add = [&](const std::string& category, const MetricInfo& info, const MetricValue& v) {
    rows.push_back({epoch, category, std::string(info.key), v.value, v.reason, setting});
  };
  const Average mean = average(results, /*skip_undefined=*/false);
  for (const MetricInfo& info : kMetrics) {
    add("", info, mean.means[static_cast<std::size_t>(info.metric)].value);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    for (const MetricInfo& info : kMetrics) {
      add(categories[i], info, results[i].value(info.metric));
    }
  }
  return rows;
}

}  // namespace adb
