// A selection resolved against catalogue, data and weights, for the commands that run cells.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "runners/schedule/runner.h"

namespace adb {

// Cells point into the catalogue, so this stays where it is made.
struct Resolved {
  MethodCatalogue catalogue;
  Registry<WeightsInfo> weights;
  Plan plan;
};

// Checks data, weights and all options of all cells: nothing may start before that. Notes on the
// data go to stderr.
//   runs_folder: where the sample data set is made
//   throws: Error(kUsage, kConfig, kData, kWeights)
std::unique_ptr<Resolved> resolve(const Selection& selection,
                                  const std::filesystem::path& runs_folder);

// Keeps the cells whose key starts with one of `keys`; an empty list keeps all.
//   throws: Error(kUsage) for a key that no cell, or several, have
void keep_cells(Plan* plan, const std::vector<std::string>& keys);

// Where runs go: `out`, or adbench-runs beside the store. The store names them relative to itself,
// so they lie in its folder, which is created.
//   throws: Error(kUsage), Error(kStore)
std::filesystem::path runs_folder(const std::filesystem::path& store,
                                  const std::filesystem::path& out);

// --devices: "auto" is every CUDA device that the worker sees, else the CPU.
std::vector<std::string> chosen_devices(const std::string& text, const MethodCatalogue& catalogue);

// The exit code that tells how a run ended, with its failures on stderr.
int end_of_run(const RunSummary& summary, const StopRequests& stop);

}  // namespace adb
