// The rows of the result store as plain structs, every member with a default. Measured figures are
// fractions 0..1, times are UTC as YYYY-MM-DDTHH:MM:SSZ, paths are relative, and "undefined" is an
// empty value with a reason.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace adb {

// A row number of table `run`; an enum, so that it cannot be mixed up with a count or an epoch.
enum class RunId : std::int64_t {};

constexpr std::int64_t to_int(RunId id) {
  return static_cast<std::int64_t>(id);
}

enum class RunStatus {
  kRunning,
  kFinished,
  kFailed,
  kInterrupted,
  kTimeout,
  kOutOfMemory,
  kKilled
};

std::string_view to_text(RunStatus status);             // "running", ..., "out_of_memory", "killed"
RunStatus run_status_from_text(std::string_view text);  // throws: Error(kStore)

// Where a run took place. Equal environments are stored once.
struct Environment {
  std::string host{};
  std::string cpu{};
  std::string gpu{};  // "" without one
  std::string compiler{};
  Json libraries = Json::object();  // {NAME: VERSION}
  std::string code_commit{};        // with "+dirty" when the tree had changes
  std::string build_type{};

  bool operator==(const Environment&) const = default;
};

// The pretrained part of a method. `resolved` is what the cell key has: the SHA-256 of the file,
// "random" for a random initialisation, or "" when the method has no pretrained part.
struct Weights {
  std::string name{};    // "resnet18", say
  std::string source{};  // file name, not a path
  std::string resolved{};

  bool random() const { return resolved == "random"; }
  bool operator==(const Weights&) const = default;
};

// An option that differs from the protocol's default, and where its value came from ("--set",
// "suite.yaml:12:7").
struct ChangedOption {
  std::string path{};
  Json value{};
  Json default_value{};
  std::string origin{};

  bool operator==(const ChangedOption&) const = default;
};

// One attempt at one cell.
struct RunRow {
  RunId id{};                // set by the store
  std::string key{};         // of the cell
  std::int64_t attempt = 0;  // set by the store: 1, 2, ... for each key
  std::string method{};
  std::string method_title{};
  std::int64_t method_version = 0;
  std::string dataset{};
  std::string setting = "multi";       // or "single"
  std::vector<std::string> classes{};  // in the data set's order
  std::int64_t seed = 0;
  std::string protocol{};
  std::int64_t protocol_version = 0;
  Json protocol_config = Json::object();
  std::string epoch_rule = "last";  // or "best_pixel_auroc"
  Json options = Json::object();    // resolved
  std::vector<ChangedOption> changed_options{};
  Weights weights{};
  std::string data_manifest{};  // SHA-256
  std::string textures{};       // SHA-256 of their manifest, "" without
  RunStatus status = RunStatus::kRunning;
  std::string reason{};  // set unless running or finished
  // The process that writes the run; set by the store.
  std::string host{};
  std::int64_t pid = 0;
  std::string process_start{};
  std::string started_at{};      // set by the store when empty
  std::string finished_at{};     // "" while running
  std::int64_t environment = 0;  // row of table `environment`, set by the store
  std::string folder{};          // of the run, relative to the store's folder; "" without one
  std::int64_t threads = 0;
  std::string device{};
  std::int64_t epochs = 0;  // planned
  std::optional<std::int64_t> reported_epoch{};
  std::optional<std::int64_t> last_epoch{};
  bool external = false;  // maps of another program
  std::string notes{};
};

// A value per epoch: loss, loss.PART, lr, train_s, test_s, images_per_s, ... Finite.
struct CurveRow {
  std::int64_t epoch = 0;
  std::string name{};
  double value = 0;

  bool operator==(const CurveRow&) const = default;
};

// How figures were computed. Figures of different settings are never mixed.
struct MetricSetting {
  std::string mode = "exact";  // or "ader"
  std::int64_t version = 1;
  double fpr_limit = 0.3;
  std::string eval_size = "256";  // or "native"

  bool operator==(const MetricSetting&) const = default;
};

struct MetricRow {
  std::int64_t epoch = 0;
  std::string category{};  // "" is the mean over the categories
  std::string key{};       // as in the metric definitions: "image.auroc", ..., "mad"
  std::optional<double> value{};
  std::string reason{};  // why it is undefined; "" when value is set
  MetricSetting setting{};

  bool operator==(const MetricRow&) const = default;
};

// Facts about a category's test images: images, anomalous, components, components_vanished,
// labels_changed.
struct CountRow {
  std::string category{};
  std::string name{};
  std::string eval_size = "256";
  std::int64_t value = 0;

  bool operator==(const CountRow&) const = default;
};

struct ScoreRow {
  std::int64_t epoch = 0;
  std::string category{};
  std::string sample{};
  bool anomalous = false;
  double score = 0;  // of the method
  std::optional<double> ader_score{};

  bool operator==(const ScoreRow&) const = default;
};

// parameters, trainable_parameters, macs, macs_with_norms, train_s, time_per_image_ms,
// peak_memory_bytes, peak_device_memory_bytes, ... A value that could not be measured is empty, and
// the note says why.
struct EfficiencyRow {
  std::string key{};
  std::optional<double> value{};
  std::string unit{};
  std::string note{};

  bool operator==(const EfficiencyRow&) const = default;
};

struct ArtifactRow {
  std::string kind{};  // weights, maps, curve, thumbnail, checkpoint, log, ...
  std::int64_t epoch = 0;
  std::string category{};  // "" when it belongs to none
  std::string path{};      // relative to the run's folder, without ".."
  std::string sha256{};
  std::int64_t bytes = 0;

  bool operator==(const ArtifactRow&) const = default;
};

// What one event of a worker adds to its run, stored in one transaction.
struct EventBatch {
  std::vector<CurveRow> curves{};
  std::vector<MetricRow> metrics{};
  std::vector<CountRow> counts{};
  std::vector<ScoreRow> scores{};
  std::vector<EfficiencyRow> efficiency{};
  std::vector<ArtifactRow> artifacts{};

  bool operator==(const EventBatch&) const = default;
};

// How a run ended.
struct RunOutcome {
  RunStatus status = RunStatus::kFinished;       // not kRunning
  std::string reason{};                          // not empty unless finished
  std::optional<std::int64_t> reported_epoch{};  // set when finished
  std::optional<std::int64_t> last_epoch{};
};

struct Baseline {
  std::string name{};
  std::string created_at{};
  std::vector<RunId> runs{};  // ascending
};

// A figure as a paper printed it, in the printed unit: percent, never a fraction.
struct PublishedRow {
  std::string table_id{};  // "V"
  std::string dataset{};
  std::string method{};
  std::string variant{};   // "GROUP/ROW" of an ablation, "" for a main result
  std::string category{};  // "" is the printed mean
  std::string metric{};    // a metric key, or a key of the efficiency table
  double value = 0;
  std::string printed{};
  std::string unit{};  // percent, million, billion, MB, h
  std::string source{};

  bool operator==(const PublishedRow&) const = default;
};

// Runs that match every given list; an empty list matches all.
struct RunFilter {
  std::vector<std::string> keys{};
  std::vector<std::string> methods{};
  std::vector<std::string> datasets{};
  std::vector<std::string> settings{};
  std::vector<std::string> protocols{};
  std::vector<std::int64_t> seeds{};
  std::vector<RunStatus> statuses{};
  bool newest_per_key = false;  // of those that match, only the newest attempt of each cell
};

// Timings of a method apart from any run.
struct SpeedRow {
  std::string method{};
  std::int64_t method_version = 0;
  Json options = Json::object();  // those that differ from the defaults
  std::int64_t image_size = 0;
  std::int64_t batch = 0;  // of a training step
  std::string device{};
  std::int64_t threads = 0;
  std::int64_t peak_train_bytes = 0;  // of the process
  std::int64_t peak_predict_bytes = 0;
  std::map<std::string, std::vector<double>> series{};  // seconds, in the order of measuring
};

}  // namespace adb
