// The flags that say how cells are run, shared by `run` and `submit`.
#pragma once

#include <filesystem>
#include <string>

#include "cli/command.h"
#include "runners/schedule/runner.h"

namespace adb {

struct RunFlags {
  SelectionFlags selection;
  std::filesystem::path store;
  RunOptions options;
  std::string devices = "auto", max_rss, timeout;
};

// Everything but --store, --out and what only makes sense for one of the commands.
void add_run_flags(CLI::App& app, RunFlags* flags);

// Checks the values and sets what they mean in `options`; devices are left for later.
//   throws: Error(kUsage) naming the flag
void check_run_flags(RunFlags* flags);

}  // namespace adb
