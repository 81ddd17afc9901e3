// Runs the cells of a plan: one worker process per cell, events into the store, and every way of
// ending recorded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results/store.h"
#include "runners/schedule/plan.h"
#include "runners/schedule/stop.h"

namespace adb {

struct RunOptions {
  std::filesystem::path worker;  // the adbench-worker program
  std::filesystem::path folder;  // of all run folders
  std::vector<std::string> devices = {"cpu"};
  std::int64_t slots = 1;          // CPU workers at a time, each with its own cores
  std::int64_t ranks = 1;          // processes of each job, which share its slot's cores
  std::int64_t threads = 0;        // of one process, 0: its share of the cores
  double timeout_s = 0;            // of one job, 0: none
  std::int64_t max_rss_bytes = 0;  // of one worker, 0: none
  std::int64_t retries = 0;        // of a job that crashed, hung or ran out of memory
  bool fresh = false;              // new attempts, also of finished cells
  bool fail_fast = false;
  std::string feature_cache = "auto";
  std::string save_maps = "none";
  std::string metric_mode = "exact";
  double fpr_limit = 0.3;
  double checkpoint_every_s = 300;
  bool json_events = false;  // events as JSON lines on stdout
  std::string libtorch;      // version, for the record
};

struct RunSummary {
  std::int64_t finished = 0;          // now
  std::int64_t skipped = 0;           // finished before
  std::int64_t failed = 0;            // failed, timed out, crashed, out of memory
  std::int64_t interrupted = 0;       // stopped, and go on with the same command
  std::int64_t not_started = 0;       // waited when a stop or the first failure ended the run
  std::int64_t unsaved = 0;           // of the failed: could not save when they were asked to stop
  bool unclean = false;               // a second signal stopped workers before they had saved
  std::vector<std::string> failures;  // one line each
};

// Cells that are finished are skipped, those that stopped half way go on, longest first by what
// they took before. A job that fails in any way is recorded with its reason and the rest goes on.
//   throws: Error(kUsage), before anything starts, when a half-way run cannot go on with these
//   threads; Error(kStore) when the store cannot be written: nothing more is started then and
//   nothing that was acknowledged is lost
RunSummary run_cells(const Plan& plan,
                     const RunOptions& options,
                     Store& store,
                     const StopRequests& stop);

}  // namespace adb
