// The paper's main table and the efficiency table, built from stored runs. Everything here is a
// pure function of its rows: equal rows in any order give equal reports. Columns are bound to
// metric keys, never to positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "results/records.h"
#include "results/store.h"

namespace adb {

// --- what goes in

// A run with what a report needs of it.
struct ReportRun {
  RunRow run{};
  std::vector<MetricRow> metrics{};  // of the reported and the last epoch, in any order
  std::vector<CountRow> counts{};
  std::vector<EfficiencyRow> efficiency{};
  Environment environment{};
};

// The run that stands for each cell that matches: the newest finished attempt, else the newest
// attempt.
std::vector<ReportRun> read_report_runs(const Store& store, const RunFilter& filter = {});

// A row that a suite names, with the cells that belong to it.
struct NamedRow {
  std::vector<std::string> keys{};  // of its cells
  std::string label{};
  std::string published_variant{};  // PublishedRow::variant to show beside
  std::string note{};               // what the reader must know of the row
  // Why the published figure is of something else than this row's: "protocol smoke".
  std::vector<std::string> departures{};
  bool wants_pretrained = false;  // random weights are a departure, too
  // What the row is of, for when nothing has run.
  std::string method{};
  std::string dataset{};
  std::string setting{};
};

struct ReportOptions {
  // Columns as metric keys and keys of the efficiency table; empty: the paper's eight, and every
  // efficiency key that a run has.
  std::vector<std::string> metrics{};
  std::vector<std::string> methods{};  // order of rows; other methods follow by name
  std::vector<NamedRow> rows{};        // in their order, before all other rows of a data set
  // Of a suite: exactly `rows` and no other runs; a row without a run says so. With `by_class` the
  // tables for readers have a line for each class and a column for each row.
  std::string suite{};
  std::string title{};
  std::vector<std::string> remarks{};  // for the reader, before the tables
  bool by_class = false;
  bool per_class = true;
  bool intervals = false;  // bootstrap intervals beside means over seeds
  // Which stored figures to show. Without it each row shows its best: exact before other modes,
  // then FPR limit 0.3, then size 256, then the newest metric version.
  std::optional<MetricSetting> setting{};
  std::string metric_mode{};              // only figures of this mode; "": any
  std::vector<PublishedRow> published{};  // all known ones
  std::vector<std::string>
      published_tables{};  // ids of those to show beside, "V", "VI"; empty: none
};

// --- what comes out

struct ReportColumn {
  std::string key{};
  std::string title{};  // "image AUROC"
  std::string unit{};   // of the shown value: "%", "M", "ms", ...
  double factor = 1;    // shown value = value * factor
};

// One entry of a table.
struct Figure {
  enum class State { kMissing, kUndefined, kValue };
  State state = State::kMissing;
  double value =
      0;  // fraction 0..1, or the stored unit; published: as printed; difference: shown unit
  std::optional<double> sd{};  // sample standard deviation over seeds, from two on
  // Bootstrap interval of the mean over seeds at 95 %, from three on, when asked for.
  std::optional<std::pair<double, double>> interval{};
  std::string reason{};   // why it is undefined
  std::string printed{};  // of a published figure
};

// Runs that differ in nothing but the seed and, in the single-class setting, the class.
struct ReportGroup {
  std::string label{};  // the method's title, with what tells it from other rows of the same method
  std::string method{};
  std::int64_t method_version = 0;
  std::string dataset{};
  std::string setting{};
  std::vector<std::string> classes{};
  std::string protocol{};
  std::int64_t protocol_version = 0;
  std::string epoch_rule{};
  MetricSetting metrics{};
  Weights weights{};
  std::vector<std::string> data_manifests{};
  std::string textures{};
  std::vector<ChangedOption> changed_options{};
  bool external = false;
  std::vector<std::int64_t> seeds{};  // of the runs that finished
  std::vector<std::int64_t> reported_epochs{};
  std::vector<std::int64_t> last_epochs{};
  std::int64_t epochs = 0;              // planned
  std::vector<std::string> devices{};   // "cpu, 2 threads, CPU NAME"
  std::vector<std::string> problems{};  // what is not there, and why
  std::int64_t images = 0;              // test images, 0 when not recorded
  std::int64_t labels_changed = 0;      // images whose label the mask's resize would change
  std::int64_t components_vanished = 0;
  std::string published_variant{};
  std::string note{};
  std::vector<std::string> departures{};  // why the published figure is of something else
  bool not_run = false;                   // a suite's row of which the store has nothing
  std::size_t condition = 0;              // index into Report::conditions; kNoCondition: no figures
};

inline constexpr std::size_t kNoCondition = static_cast<std::size_t>(-1);

enum class RowKind { kMeasured, kLastEpoch, kPublished, kDifference };

struct ReportRow {
  RowKind kind = RowKind::kMeasured;
  std::size_t group = 0;          // index into Report::groups
  std::string category{};         // "" is the mean over the classes
  std::string published_table{};  // of kPublished: "V, VI"
  std::vector<Figure> figures{};  // one for each column
};

struct ReportTable {
  std::vector<ReportColumn> columns{};
  std::vector<ReportRow> rows{};
};

struct Report {
  std::string suite{};  // "" for the report of a store
  std::string title{};
  std::vector<std::string> remarks{};
  bool by_class = false;
  bool intervals = false;
  std::vector<ReportGroup> groups{};
  // What figures must have in common to be comparable: protocol, epoch rule, metrics, pretrained or
  // random weights. With more than one, every row carries the mark of its condition: A, B, ...
  std::vector<std::string> conditions{};
  ReportTable means{};
  ReportTable classes{};
  ReportTable efficiency{};
};

// The eight figures: key, title.
const std::vector<ReportColumn>& main_columns();

// Every key that a column can have: the eight figures, then the efficiency table's.
std::vector<std::string> column_keys();

// throws: Error(kUsage) for an unknown column key or published table
Report build_report(std::vector<ReportRun> runs, const ReportOptions& options = {});

// 0 -> "A", ..., 25 -> "Z", 26 -> "AA"; "" for kNoCondition
std::string condition_mark(std::size_t condition);

}  // namespace adb
