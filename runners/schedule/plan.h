// From a selection on the command line to cells: one per (method, options, data set, setting, class
// set, seed).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "datasets/dataset.h"
#include "results/records.h"
#include "runners/schedule/catalogue.h"
#include "runners/schedule/setting.h"
#include "runners/schedule/suite.h"

namespace adb {

// "lr=0.01" -> {path, value, "--set"}. throws: Error(kUsage)
Setting parse_setting(const std::string& text);

// The data set that is drawn by formulas, and stands where none is named.
inline constexpr const char* kSampleName = "sample";

// What the user asked for. With suites these name the cells, and everything else here, where given,
// replaces what a suite says: a setting overrides a cell's option, `methods` leaves other methods'
// cells out.
struct Selection {
  std::vector<Suite> suites;
  std::vector<std::string> methods;  // names; "all": every method but `null`
  std::vector<std::string>
      datasets;  // names or paths; empty: the suite's, else the sample data set
  std::filesystem::path data_root;
  std::vector<std::string> categories;
  std::string setting;  // multi | single, "" for the protocol's
  std::vector<std::int64_t> seeds = {42};
  std::string protocol;  // "": the suite's, else sample for the sample data set, else paper
  std::vector<Setting> settings;
  std::filesystem::path weights_folder;
  std::filesystem::path textures;
};

struct Cell {
  const MethodInfo* method = nullptr;
  Protocol protocol;
  std::string dataset;
  std::string setting;
  std::vector<std::string> classes;
  std::int64_t seed = 42;
  Json options;                   // all, resolved
  Json changed = Json::object();  // those that differ from the method's defaults
  std::vector<ChangedOption>
      origins;  // those that differ from the protocol's recipe, with their places
  Weights weights;
  std::filesystem::path weights_file;  // "" for random
  std::string textures;  // hash of the texture folder, "procedural", or "" when none are used
  std::filesystem::path textures_folder;
  std::vector<std::int64_t> tests;
  std::string data_manifest;
  std::string key;       // "" while data or weights are missing
  std::string missing;   // why the cell cannot run, and the cure; "" when it can
  std::string lacks;     // the same in two words: "data missing"
  std::string row;       // "SUITE, LABEL" of the first row that it belongs to
  std::size_t data = 0;  // index in Plan::data
};

// A row of a suite's table, and the cells that belong to it. Rows may share cells.
struct PlanRow {
  std::size_t suite = 0;           // index in Selection::suites
  std::size_t row = 0;             // index in Suite::rows
  std::vector<std::size_t> cells;  // indices in Plan::cells
};

struct Plan {
  std::vector<Dataset> data;  // restricted to the selected categories
  std::vector<Cell> cells;    // each once
  std::vector<PlanRow> rows;  // of the suites, in their order
};

// A cell before data and weights are looked at. Its `dataset` is as it was asked for (a name or a
// path), `weights` says what is wanted; classes, seed, data and key are not set.
struct CellDraft {
  Cell cell;
  std::size_t suite = 0, row = 0;  // as in PlanRow; 0 without suites
};

// Epochs after which to test: e in 1..E with floor(n e / E) > floor(n (e - 1) / E), n = min(E,
// max_tests).
std::vector<std::int64_t> test_epochs(std::int64_t epochs, std::int64_t max_tests);

// How a plan finds what it needs.
struct PlanSources {
  std::filesystem::path share;
  const Registry<MethodInfo>* methods = nullptr;
  const Registry<WeightsInfo>* weights = nullptr;
  std::filesystem::path sample_folder;  // where the sample data set is, or will be made
  // Makes the sample data set in that folder; empty: a plan only, which must not write.
  std::function<void(const std::filesystem::path&)> make_sample;
};

// One draft for each data set and method, or for each data set and row of the suites.
//   throws: Error(kUsage) for unknown names, options and values; Error(kConfig) of a file
std::vector<CellDraft> draft_cells(const Selection& selection, const PlanSources& sources);

// Whether a stored run is one of the draft's cells, judged by what the store says: method, data
// set, protocol, setting and all options agree, and the weights are those that are wanted.
bool run_matches(const RunRow& run, const Cell& draft, const std::vector<std::string>& categories);

// How the draft of a row differs from the same row without the user's flags: "protocol smoke",
// "epochs 2 instead of 100". Options that only the protocols' recipes set differently are not
// listed.
std::vector<std::string> departures(const Cell& asked, const Cell& own);

// strict: missing data or weights throw (`run`); else their cells are marked `missing` (`plan`).
//   throws: Error(kUsage) for unknown names, options and values; Error(kConfig) of a file; with
//   strict also Error(kData), Error(kWeights)
Plan make_plan(const Selection& selection, const PlanSources& sources, bool strict);

}  // namespace adb
