// What the store knows of cells before they run: attempts that stopped half way, and how long such
// cells took.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "results/store.h"
#include "runners/schedule/plan.h"
#include "runners/schedule/slots.h"

namespace adb {

class Attempts {
 public:
  //   fresh: new attempts whatever there is
  Attempts(const Store& store, bool fresh) : store_(store), fresh_(fresh) {}

  // The attempt that goes on at `place`: the newest, when it neither finished nor runs. One that
  // was started with other threads, or on another kind of device, would get other bits and does
  // not.
  std::optional<RunRow> half_way(const Cell& cell, const DeviceSlot& place) const;

  // throws: Error(kUsage) when the newest attempt has a checkpoint that cannot go on at `place`
  void refuse_other_threads(const Cell& cell, const DeviceSlot& place) const;

  // A name for the run's folder in `runs`, relative to the store's folder, that no run of the cell
  // has and that is not there: removed runs may have left theirs.
  std::string free_folder(const Cell& cell, const std::filesystem::path& runs) const;

  // Training time of each cell, from the newest finished run of the same method, data set and
  // setting and its time for an epoch; -1 when there is none.
  std::map<const Cell*, double> expected_seconds(const std::vector<Cell>& cells) const;

  std::filesystem::path store_folder() const;

 private:
  std::optional<RunRow> newest_unfinished(const Cell& cell) const;
  const Store& store_;
  bool fresh_;
};

}  // namespace adb
