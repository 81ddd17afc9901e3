// Runs for tests of the reports: figures that can be worked out in the head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reports/table.h"

namespace adb::testing {

// The seven figures and mAD of one class or of the mean; figure i is base + i / 100.
inline std::vector<MetricRow> sample_figures(std::int64_t epoch,
                                             const std::string& category,
                                             double base) {
  std::vector<MetricRow> rows;
  double sum = 0;
  for (std::size_t i = 0; i < main_columns().size(); ++i) {
    const bool mad = main_columns()[i].key == "mad";
    const double value = mad ? sum / 7 : base + static_cast<double>(i) / 100;
    sum += value;
    rows.push_back(
        {.epoch = epoch, .category = category, .key = main_columns()[i].key, .value = value});
  }
  return rows;
}

inline void append(std::vector<MetricRow>& rows, std::vector<MetricRow> more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

// A finished multi-class run over carpet and grid with class figures base - 0.1 and base + 0.1.
inline ReportRun sample_report_run(std::int64_t id,
                                   const std::string& method,
                                   std::int64_t seed,
                                   double base) {
  ReportRun run;
  run.run.id = RunId{id};
  run.run.key = method + std::to_string(seed);
  run.run.method = method;
  run.run.method_title = method == "draem" ? "DRÆM" : method == "rd" ? "RD" : "ViTAD";
  run.run.method_version = 1;
  run.run.dataset = "mvtec_ad";
  run.run.classes = {"grid", "carpet"};
  run.run.seed = seed;
  run.run.protocol = "paper";
  run.run.protocol_version = 1;
  run.run.epoch_rule = "best_pixel_auroc";
  run.run.weights = {
      .name = "resnet", .source = "resnet.safetensors", .resolved = "0123456789abcdef0123"};
  run.run.data_manifest = "fedcba9876543210";
  run.run.status = RunStatus::kFinished;
  run.run.threads = 2;
  run.run.device = "cpu";
  run.run.epochs = 100;
  run.run.reported_epoch = 80;
  run.run.last_epoch = 100;
  for (const std::int64_t epoch : {80, 100}) {
    const double here = epoch == 80 ? base : base - 0.05;
    append(run.metrics, sample_figures(epoch, "", here));
    append(run.metrics, sample_figures(epoch, "grid", here - 0.1));
    append(run.metrics, sample_figures(epoch, "carpet", here + 0.1));
  }
  for (const char* category : {"carpet", "grid"}) {
    run.counts.push_back({.category = category, .name = "images", .value = 50});
    run.counts.push_back({.category = category, .name = "labels_changed", .value = 1});
    run.counts.push_back({.category = category, .name = "components_vanished", .value = 3});
  }
  run.efficiency = {
      {.key = "parameters", .value = 80610880, .unit = "count"},
      {.key = "macs_with_norms", .value = 28.4e9, .unit = "count"},
      {.key = "train_s", .value = 7200 + 36.0 * static_cast<double>(seed), .unit = "s"},
      {.key = "time_per_image_ms", .value = 12.25, .unit = "ms"},
      {.key = "peak_device_memory_bytes", .unit = "bytes", .note = "no device"}};
  run.environment.cpu = "two cores";
  return run;
}

// One class of a single-class run.
inline ReportRun sample_single_run(std::int64_t id,
                                   std::int64_t seed,
                                   const std::string& category,
                                   double base) {
  ReportRun run = sample_report_run(id, "rd", seed, base);
  run.run.key += category;
  run.run.setting = "single";
  run.run.classes = {category};
  run.run.data_manifest = "manifest-" + category;
  run.run.epoch_rule = "last";
  run.run.reported_epoch = 100;
  run.metrics = sample_figures(100, "", base);
  append(run.metrics, sample_figures(100, category, base));
  return run;
}

}  // namespace adb::testing
