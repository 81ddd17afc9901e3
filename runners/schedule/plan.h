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

namespace adb {

// "a.b=c" of the command line or a line of a YAML file.
struct Setting {
  std::string path;  // "OPTION" for every method that has it, or "METHOD.OPTION"
  Json value;
  std::string place;  // "--set", "exp.yaml:4:5"
};

// "lr=0.01" -> {path, value, "--set"}. throws: Error(kUsage)
Setting parse_setting(const std::string& text);

// What the user asked for.
struct Selection {
  std::vector<std::string> methods;   // names; "all": every method but `null`
  std::vector<std::string> datasets;  // names or paths; empty: the sample data set
  std::filesystem::path data_root;
  std::vector<std::string> categories;
  std::string setting;  // multi | single, "" for the protocol's
  std::vector<std::int64_t> seeds = {42};
  std::string protocol;  // "": sample for the sample data set, else paper
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
  std::string missing;   // why the cell cannot run, "" when it can
  std::size_t data = 0;  // index in Plan::data
};

struct Plan {
  std::vector<Dataset> data;  // restricted to the selected categories
  std::vector<Cell> cells;
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

// strict: missing data or weights throw (`run`); else their cells are marked `missing` (`plan`).
//   throws: Error(kUsage) for unknown names, options and values; Error(kConfig) of a file; with
//   strict also Error(kData), Error(kWeights)
Plan make_plan(const Selection& selection, const PlanSources& sources, bool strict);

}  // namespace adb
