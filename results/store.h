// The result store: one SQLite file, one writer, any number of readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "results/records.h"

namespace adb {

// A row that the store does not take because of what it says: other content under the key of a
// stored row, a path that leaves the run's folder, ... The store itself is well.
class RefusedRow : public Error {
 public:
  using Error::Error;
};

// Every write is one transaction that is on the disk when the call returns, or did not happen.
// Adding a row that is there already with the same content does nothing; with other content it is
// RefusedRow(kStore): no stored figure is ever overwritten. Every method throws Error(kStore),
// naming the file, when the file is damaged, full or in use for too long. Not thread-safe: one
// thread at a time.
class Store {
 public:
  // An existing store, without changing it. While this is open a writer may add rows, which later
  // calls see.
  //   throws: Error(kStore) when it is absent (it is not created), damaged, not a result store, of
  //   a newer schema, or of an older one (with the command that migrates it)
  static Store open_for_read(const std::filesystem::path& file);

  // The only writer: creates an absent store with its folder, and migrates an older one after a
  // backup beside it.
  //   throws: Error(kStore) as above, when another process writes (named by its pid), or the place
  //   is read-only
  static Store open_for_write(const std::filesystem::path& file);

  static Store in_memory();

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();  // closes; an error there is lost, so close a writer explicitly

  // Empties the write-ahead log into the file, so that the store is one file, and releases the
  // lock. Nothing but the destructor may be called afterwards.
  void close();

  const std::filesystem::path& file() const;  // ":memory:" for in_memory()
  std::int64_t schema_version() const;

  // --- writing

  // Adds a row with status running: id, attempt, host, pid, process start and environment are set
  // here.
  RunId begin_run(RunRow run, const Environment& environment);

  void append(RunId run, const EventBatch& events);

  // Adds the last events and closes the row, in one transaction. throws: Error(kStore) when it is
  // not running
  void finish_run(RunId run, const RunOutcome& outcome, const EventBatch& events = {});

  // Makes an unfinished run running again, in this process; how it had ended goes to its notes.
  // throws: Error(kStore) when it runs or is finished
  void resume_run(RunId run);

  // Removes what was recorded after `epoch`, and the efficiency figures, which are measured again.
  void drop_after(RunId run, std::int64_t epoch);

  // Runs whose process is gone (host, pid and start time) become interrupted. Runs of other hosts
  // are left alone, unless no other host can be using this store: then they are gone as well.
  // returns: their ids
  std::vector<RunId> mark_stale_runs_interrupted(bool other_hosts = false);

  // Adds a complete run of another store with its own times and process; the attempt is counted
  // anew.
  RunId import_run(RunRow run, const Environment& environment, const EventBatch& events);

  // Replaces the baseline of that name; the runs must be finished.
  void set_baseline(const std::string& name, const std::vector<RunId>& runs);
  bool remove_baseline(const std::string& name);  // returns: whether there was one

  void add_speed(const SpeedRow& speed, const Environment& environment);

  void replace_published(const std::vector<PublishedRow>& rows);

  // Removes runs with all their rows. throws: Error(kStore) when one belongs to a baseline
  void remove_runs(const std::vector<RunId>& runs);

  // --- reading

  std::vector<RunRow> find_runs(const RunFilter& filter = {}) const;  // by id
  std::optional<RunRow> newest_finished(const std::string& key) const;
  RunRow run(RunId run) const;  // throws: Error(kStore) when there is none
  Environment environment(std::int64_t id) const;

  // All rows of one run, in the order of the primary key, so equal contents come in equal order.
  std::vector<CurveRow> curves(RunId run) const;
  std::vector<MetricRow> metrics(RunId run) const;
  std::vector<MetricRow> metrics(RunId run, std::int64_t epoch) const;
  std::vector<MetricRow> mean_metrics(RunId run) const;  // means over the categories, every test
  std::vector<CountRow> counts(RunId run) const;
  std::vector<ScoreRow> scores(RunId run) const;
  std::vector<ScoreRow> scores(RunId run, std::int64_t epoch) const;
  std::vector<EfficiencyRow> efficiency(RunId run) const;
  std::vector<ArtifactRow> artifacts(RunId run) const;
  EventBatch events(RunId run) const;  // all of the above

  std::vector<SpeedRow> speeds() const;  // in the order of measuring

  std::vector<Baseline> baselines() const;  // by name
  std::optional<Baseline> baseline(const std::string& name) const;
  std::vector<PublishedRow> published() const;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace adb
