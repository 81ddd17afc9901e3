// Care of stores: check, backup, export, import, merge, clean up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "results/store.h"

namespace adb {

// Checks the file's structure, references and schema, and every artifact's presence, size and hash.
//   returns: the problems in words, none when all is well
//   throws: Error(kStore) when the file cannot be opened as a store at all
std::vector<std::string> check_store(const std::filesystem::path& file);

// A consistent copy, also while a writer is at work. throws: Error(kStore) when `to` exists or
// cannot be written
void backup_store(const std::filesystem::path& file, const std::filesystem::path& to);

// Every table as TABLE.csv and TABLE.json (an array of objects) in `folder`, numbers with 17
// digits; an undefined value is an empty CSV field and null. Files of these names are replaced.
// throws: Error(kStore), Error(kData)
void export_store(const std::filesystem::path& file, const std::filesystem::path& folder);

// A new store `file` from the JSON files that export_store left in `folder`, of the newest schema
// only: ids and bits are the same. Files of runs are not part of an export.
//   returns: the number of runs
//   throws: Error(kStore) when `file` exists or cannot be written; Error(kData) naming file and row
//   of what is absent or does not fit; no store is left then
std::int64_t import_store(const std::filesystem::path& folder, const std::filesystem::path& file);

// Brings a store to the newest schema, after a backup beside it. returns: the schema number it had
std::int64_t migrate_store(const std::filesystem::path& file);

struct MergeReport {
  std::int64_t added = 0;
  std::int64_t already_there = 0;
  std::int64_t unfinished = 0;                // running and interrupted runs of `from`, which stay
  std::vector<std::string> contradictions{};  // one line each; see merge_stores
};

// Adds the ended runs of `from` to `into`; a run that is there with the same origin (host, process,
// start, key) and content is skipped, so merging again changes nothing. Contradictions are named
// and not added: a run of the same origin with other content, and a finished run whose cell is
// finished in `into` with other metrics. Running and interrupted runs go on where they are. Files
// of a run stay where they lie below the folder of `into`; else its folder is copied to
// adbench-runs there. Baselines and published figures are not merged.
//   throws: Error(kStore); Error(kData) when files cannot be copied
MergeReport merge_stores(Store& into, const Store& from);

// Runs that no one needs: ended without result, of cells that a later attempt finished. Not those
// of baselines.
//   returns: the removed rows, with an empty folder where another run has the same; the caller may
//   delete the others
std::vector<RunRow> remove_superseded(Store& store);

}  // namespace adb
