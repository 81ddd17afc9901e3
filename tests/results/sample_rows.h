// Rows for tests of the store and the reports.
#pragma once

#include <cstdint>
#include <string>

#include "results/records.h"

namespace adb::testing {

inline Environment sample_environment() {
  return {.host = "bench",
          .cpu = "two cores",
          .gpu = "",
          .compiler = "g++ 12.2",
          .libraries = {{"libtorch", "2.13.0"}},
          .code_commit = "abc123",
          .build_type = "Release"};
}

inline RunRow sample_run(const std::string& key = "k1", std::int64_t seed = 0) {
  RunRow run;
  run.key = key;
  run.method = "rd";
  run.method_title = "RD";
  run.method_version = 2;
  run.dataset = "sample";
  run.classes = {"cookie", "asphalt"};
  run.seed = seed;
  run.protocol = "smoke";
  run.protocol_version = 1;
  run.protocol_config = {{"tests", 1}};
  run.options = {{"lr", 0.005}, {"size", 64}};
  run.changed_options = {
      {.path = "size", .value = 64, .default_value = 256, .origin = "smoke.yaml:3:7"}};
  run.weights = {.name = "resnet18", .source = "resnet18.safetensors", .resolved = "random"};
  run.data_manifest = "0123456789abcdef";
  run.folder = "adbench-runs/k1-1";
  run.threads = 2;
  run.device = "cpu";
  run.epochs = 3;
  return run;
}

// Two categories and their mean at `epoch`; `shift` tells batches apart.
inline EventBatch sample_events(std::int64_t epoch = 3, double shift = 0) {
  EventBatch events;
  events.curves = {{.epoch = epoch, .name = "loss", .value = 0.1 + shift},
                   {.epoch = epoch, .name = "train_s", .value = 12.5}};
  for (const char* category : {"", "asphalt", "cookie"}) {
    events.metrics.push_back(
        {.epoch = epoch, .category = category, .key = "image.auroc", .value = 0.9 + shift});
    events.metrics.push_back({.epoch = epoch,
                              .category = category,
                              .key = "pixel.aupro",
                              .reason = "no anomalous pixel"});
  }
  events.counts = {{.category = "cookie", .name = "images", .value = 20}};
  events.scores = {{.epoch = epoch, .category = "cookie", .sample = "test/good/000", .score = 0.25},
                   {.epoch = epoch,
                    .category = "cookie",
                    .sample = "test/hole/001",
                    .anomalous = true,
                    .score = 0.75 + shift,
                    .ader_score = 0.5}};
  events.efficiency = {
      {.key = "parameters", .value = 80610880, .unit = "count", .note = "whole model"},
      {.key = "peak_device_memory_bytes", .unit = "bytes", .note = "no device"}};
  events.artifacts = {{.kind = "weights",
                       .epoch = epoch,
                       .path = "weights-" + std::to_string(epoch) + ".safetensors",
                       .sha256 = "00ff",
                       .bytes = 4}};
  return events;
}

}  // namespace adb::testing
