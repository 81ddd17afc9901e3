#include "bench/synthetic_store.h"

#include <fmt/format.h>

#include "core/seed.h"
#include "metrics/keys.h"

namespace adb::bench {
namespace {

constexpr const char* kMethods[] = {"vitad", "rd", "uniad", "simplenet", "draem", "destseg"};

std::string class_name(std::int64_t index) {
  return fmt::format("class_{:02}", index);
}

RunRow run_row(std::int64_t index, const StoreSize& size) {
  const auto cell = index / size.seeds;
  RunRow run;
  run.key = fmt::format("{:064x}", index);
  run.method = kMethods[cell % 6];
  run.method_title = run.method;
  run.method_version = 1;
  run.dataset = "mvtec_ad";
  for (std::int64_t c = 0; c < size.classes; ++c) {
    run.classes.push_back(class_name(c));
  }
  run.seed = 42 + index % size.seeds;
  run.protocol = "paper";
  run.protocol_version = 1;
  run.protocol_config = {{"max_tests", size.tests}, {"overlay", ""}};
  run.epoch_rule = "best_pixel_auroc";
  const double lr = 1e-4 * static_cast<double>(cell / 6 + 1);
  run.options = {{"epochs", size.epochs}, {"image_size", 256}, {"batch", 8}, {"lr", lr}};
  run.changed_options = {{"lr", lr, 1e-4, "--set"}};
  run.weights = {"checkpoint", "checkpoint.pth", std::string(64, 'a')};
  run.data_manifest = std::string(64, 'b');
  run.threads = 8;
  run.device = "cuda:0";
  run.epochs = size.epochs;
  return run;
}

EventBatch events_of(std::int64_t index, const StoreSize& size) {
  EventBatch events;
  for (std::int64_t epoch = 1; epoch <= size.epochs; ++epoch) {
    Stream random(42, "store", index, epoch);
    for (const char* name : {"loss", "lr", "train_s", "images_per_s"}) {
      events.curves.push_back({epoch, name, random.uniform(0, 1)});
    }
  }
  for (std::int64_t test = 1; test <= size.tests; ++test) {
    Stream random(42, "metrics", index, test);
    const auto epoch = test * size.epochs / size.tests;
    for (std::int64_t c = -1; c < size.classes; ++c) {
      for (const auto& metric : kMetrics) {
        MetricRow row;
        row.epoch = epoch;
        row.category = c < 0 ? "" : class_name(c);
        row.key = std::string(metric.key);
        row.value = random.uniform(0.5, 1);
        events.metrics.push_back(std::move(row));
      }
    }
  }
  Stream random(42, "scores", index);
  for (std::int64_t c = 0; c < size.classes; ++c) {
    const auto category = class_name(c);
    for (std::int64_t i = 0; i < size.images; ++i) {
      events.scores.push_back({size.epochs,
                               category,
                               fmt::format("{}/test/{:03}.png", category, i),
                               i % 2 == 0,
                               random.uniform(0, 1),
                               {}});
    }
    for (const char* name : {"images", "labels_changed", "components_vanished"}) {
      events.counts.push_back({category, name, "256", size.images});
    }
  }
  for (const char* key : {"parameters",
                          "trainable_parameters",
                          "macs",
                          "macs_with_norms",
                          "train_s",
                          "time_per_image_ms",
                          "peak_memory_bytes"}) {
    events.efficiency.push_back({key, random.uniform(1e3, 1e9), "", ""});
  }
  return events;
}

}  // namespace

void fill_store(Store& store, const StoreSize& size) {
  Environment environment;
  environment.host = "bench";
  environment.cpu = "a processor";
  environment.gpu = "a GPU";
  for (std::int64_t index = 0; index < size.runs; ++index) {
    const auto run = store.begin_run(run_row(index, size), environment);
    RunOutcome outcome;
    outcome.reported_epoch = size.epochs * (size.tests - 1) / size.tests;
    outcome.last_epoch = size.epochs;
    store.finish_run(run, outcome, events_of(index, size));
  }
}

}  // namespace adb::bench
