// Finished runs with figures given by a function, for tests of baselines, gate and compare.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "metrics/keys.h"
#include "results/store.h"
#include "tests/results/sample_rows.h"

namespace adb::testing {

using FigureOf = std::function<double(const std::string& category, const std::string& metric)>;

inline std::vector<std::string> numbered_classes(std::size_t n) {
  std::vector<std::string> classes;
  for (std::size_t i = 0; i < n; ++i) {
    classes.push_back(fmt::format("class{}", i));
  }
  return classes;
}

inline RunRow run_of(const std::string& method, std::int64_t seed, std::size_t classes) {
  auto run = sample_run(fmt::format("{}-{}", method, seed), seed);
  run.method = method;
  run.method_title = method;
  run.classes = numbered_classes(classes);
  run.changed_options.clear();
  run.folder.clear();
  return run;
}

inline RunId add_run(Store& store,
                     const RunRow& run,
                     const FigureOf& figure,
                     const Environment& environment = sample_environment(),
                     const std::vector<EfficiencyRow>& efficiency = {}) {
  EventBatch events;
  for (const auto& info : kMetrics) {
    const std::string key(info.key);
    double sum = 0;
    for (const auto& category : run.classes) {
      const double value = figure(category, key);
      events.metrics.push_back({.epoch = 3, .category = category, .key = key, .value = value});
      sum += value;
    }
    events.metrics.push_back({.epoch = 3,
                              .category = "",
                              .key = key,
                              .value = sum / static_cast<double>(run.classes.size())});
  }
  events.efficiency = efficiency;
  const auto id = store.begin_run(run, environment);
  store.finish_run(id, {.reported_epoch = 3, .last_epoch = 3}, events);
  return id;
}

inline FigureOf constant(double value) {
  return [value](const std::string&, const std::string&) { return value; };
}

}  // namespace adb::testing
