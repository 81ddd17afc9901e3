// What adbench and adbench-worker say to each other: one job as a JSON line on the worker's stdin,
// then events as JSON lines on its stdout, each with a sequence number, and these lines back:
//   stop      finish the step, save, leave with an `interrupted` event
//   ack N     everything up to event N is on the disk
// The end of stdin means: leave at once without writing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace adb::wire {

// Raised when a field changes its meaning; adbench refuses a worker with another number.
inline constexpr std::int64_t kVersion = 1;

// Event names (field "event").
inline constexpr const char* kHello = "hello";        // wire, version, libtorch, pid
inline constexpr const char* kStarted = "started";    // epochs, steps_per_epoch, resumed_epoch
inline constexpr const char* kProgress = "progress";  // epoch, step, steps, loss, images_per_s
inline constexpr const char* kEpoch = "epoch";        // epoch, curves {name: value}
inline constexpr const char* kEvaluation =
    "evaluation";  // epoch, categories, mean, scores, counts, curves
inline constexpr const char* kCheckpoint = "checkpoint";  // epoch, step
inline constexpr const char* kArtifact = "artifact";  // kind, epoch, category, path, sha256, bytes
inline constexpr const char* kEfficiency = "efficiency";    // figures [{key, value, unit, note}]
inline constexpr const char* kNote = "note";                // text for the user
inline constexpr const char* kFinished = "finished";        // reported_epoch, last_epoch
inline constexpr const char* kInterrupted = "interrupted";  // epoch, step
inline constexpr const char* kFailed = "failed";            // kind, message

// One image of the job.
struct JobSample {
  std::string id;
  std::string category;
  std::string defect;
  std::filesystem::path image;
  std::optional<std::filesystem::path> mask;
  bool anomalous = false;
};

struct Job {
  std::string key;               // of the cell; a checkpoint of another cell is refused
  std::filesystem::path folder;  // of the run: checkpoints, weights, maps
  std::string method;
  Json options = Json::object();  // differing from the defaults
  std::int64_t seed = 42;
  std::int64_t threads = 1;
  std::string device = "cpu";
  std::vector<std::string> categories;  // in the order of rows
  std::vector<JobSample> train, test;
  std::vector<std::int64_t>
      tests;  // epochs after which to test, ascending; the last is the last epoch
  std::string epoch_rule = "last";  // or best_pixel_auroc
  std::filesystem::path weights;    // empty: random
  std::filesystem::path textures;   // folder of texture images; empty: procedural textures
  std::string metric_mode = "exact";
  double fpr_limit = 0.3;
  std::string save_maps = "none";      // none | worst:N | all
  std::string feature_cache = "auto";  // auto | off | memory | disk
  std::int64_t cache_bytes = 0;        // budget of memory for decoded images and features together
  double checkpoint_every_s = 300;
};

Json to_json(const Job& job);
Job job_from_json(const Json& json);  // throws: Error(kConfig)

}  // namespace adb::wire
