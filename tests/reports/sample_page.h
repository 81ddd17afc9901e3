// A page's input for tests: three methods, two seeds, single classes, a failure, an undefined
// figure, two conditions, curves and test images.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reports/html/page.h"
#include "tests/reports/sample_report.h"

namespace adb::testing {

// The start of a PNG of that size: enough for everything but a decoder.
inline std::string picture_header(int side, const std::string& rest) {
  std::string png("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\x08\0\0\0\0CRC.", 33);
  png[19] = png[23] = static_cast<char>(side);
  return png + rest;
}

inline PageRun sample_page_run(const ReportRun& run) {
  PageRun more;
  for (std::int64_t epoch = 10; epoch <= run.run.epochs; epoch += 10) {
    const double time = static_cast<double>(epoch) / 100;
    for (auto& row : sample_figures(epoch, "", 0.5 + 0.3 * time)) {
      more.means.push_back(std::move(row));
    }
    more.curves.push_back({.epoch = epoch,
                           .name = "loss",
                           .value = std::exp(-3 * time) + (epoch % 20 == 0 ? 0.02 : 0)});
    more.curves.push_back({.epoch = epoch, .name = "lr", .value = epoch > 70 ? 1e-4 : 1e-3});
  }
  more.artifacts.push_back({.kind = "weights",
                            .epoch = 80,
                            .path = "weights-80.safetensors",
                            .sha256 = "00ff00ff",
                            .bytes = 12345});
  for (const auto& category : run.run.classes) {
    CategoryCurves curves;
    curves.category = category;
    for (int i = 0; i <= 50; ++i) {
      const double x = i / 50.0;
      curves.image_roc.push_back({x, std::sqrt(x)});
      curves.image_pr.push_back({x, 1 - 0.4 * x});
      curves.pixel_roc.push_back({x, std::pow(x, 0.25)});
      curves.pixel_pr.push_back({x, 1 - 0.8 * x});
      curves.pixel_pro.push_back({0.3 * x, std::sqrt(x)});
    }
    curves.scores = {
        .low = 0, .high = 1, .normal = {9, 6, 3, 1, 0, 0}, .anomalous = {0, 1, 1, 4, 6, 2}};
    more.classes.push_back(curves);
  }
  return more;
}

// `number` pictures a class, the last the most wrong.
inline void add_sample_pictures(const ReportRun& run, int number, PageInput& input) {
  for (int i = 1; i <= number; ++i) {
    for (const auto& category : run.run.classes) {
      const std::string id = std::to_string(to_int(run.run.id)) + category + std::to_string(i);
      input.pictures.push_back({.run = to_int(run.run.id),
                                .wrong = 1.0 / i,
                                .rivals = 20,
                                .picture = {.category = category,
                                            .sample = "cut/" + std::to_string(i),
                                            .anomalous = true,
                                            .score = 0.1 * i,
                                            .low = 0,
                                            .high = 1,
                                            .input = picture_header(64, "input"),
                                            .truth = picture_header(64, "truth"),
                                            .heat = picture_header(64, id)}});
    }
  }
}

inline PageInput sample_page() {
  PageInput input;
  input.runs = {sample_report_run(1, "rd", 0, 0.7),
                sample_report_run(2, "rd", 1, 0.72),
                sample_report_run(3, "draem", 0, 0.69),
                sample_single_run(4, 0, "carpet", 0.6),
                sample_single_run(5, 0, "grid", 0.8),
                sample_report_run(6, "vitad", 0, 0.75)};
  input.runs[0].run.changed_options = input.runs[1].run.changed_options = {
      {.path = "lr", .value = 0.1, .default_value = 0.005, .origin = "suite.yaml:3:7"}};
  for (auto& row : input.runs[2].metrics) {
    if ((row.key == "pixel.aupro" || row.key == "mad") && row.category != "grid") {
      row.value.reset();
      row.reason = "class carpet: no component";
    }
  }
  input.runs[5].run.weights.resolved = "random";
  ReportRun cheap = sample_report_run(8, "uniad", 0, 0.66);
  cheap.run.method_title = "UniAD";
  for (auto& row : cheap.efficiency) {
    if (row.value.has_value()) {
      *row.value /= 4;
    }
  }
  input.runs.push_back(cheap);
  ReportRun failed = sample_report_run(7, "vitad", 1, 0.8);
  failed.run.weights.resolved = "random";
  failed.run.status = RunStatus::kOutOfMemory;
  failed.run.reason = "killed at 24 GiB";
  failed.metrics.clear();
  input.runs.push_back(failed);
  for (auto& run : input.runs) {
    run.run.options = {{"lr", 0.1}, {"loss", {{"weight", 2}}}};
    run.run.protocol_config = {{"max_tests", 10}};
    input.more[to_int(run.run.id)] = sample_page_run(run);
  }
  add_sample_pictures(input.runs[0], 4, input);
  add_sample_pictures(input.runs[5], 4, input);
  input.store = "adbench.sqlite";
  input.version = "0.1.0";
  return input;
}

// RD at 128 and 384 pixels beside the runs of `input`, which then are all at 256.
inline void add_sample_sizes(PageInput& input) {
  for (auto& run : input.runs) {
    run.run.options["image_size"] = 256;
  }
  for (const std::int64_t size : {128, 384}) {
    ReportRun run =
        sample_report_run(100 + size, "rd", 0, 0.5 + 0.0005 * static_cast<double>(size));
    run.run.options = input.runs[0].run.options;
    run.run.changed_options = input.runs[0].run.changed_options;
    run.run.changed_options.push_back(
        {.path = "image_size", .value = size, .default_value = 256, .origin = "--set"});
    run.run.options["image_size"] = size;
    run.run.key += std::to_string(size);
    input.runs.push_back(run);
  }
}

}  // namespace adb::testing
