#include "results/maintenance.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "core/files.h"
#include "core/hash.h"
#include "results/database.h"
#include "results/schema.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// --- check

void check_structure(SQLite::Database& database, std::vector<std::string>& problems) {
  SQLite::Statement integrity(database, "PRAGMA integrity_check(20)");
  while (integrity.executeStep()) {
    const std::string line = integrity.getColumn(0).getString();
    if (line != "ok") {
      problems.push_back("structure: " + line);
    }
  }
  SQLite::Statement references(database, "PRAGMA foreign_key_check");
  while (references.executeStep()) {
    problems.push_back(
        fmt::format("reference: a row of table '{}' names a row of '{}' that is not there",
                    references.getColumn(0).getString(),
                    references.getColumn(2).getString()));
  }
}

void check_schema(SQLite::Database& database,
                  std::int64_t version,
                  std::vector<std::string>& problems) {
  SQLite::Database fresh(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  migrate_database(fresh, version);
  const auto expected = schema_of(fresh);
  const auto found = schema_of(database);
  const auto only_in = [&](const auto& some, const auto& others, const std::string& what) {
    std::vector<std::string> names;
    std::set_difference(
        some.begin(), some.end(), others.begin(), others.end(), std::back_inserter(names));
    for (const auto& name : names) {
      problems.push_back(fmt::format("schema: {} {}", what, name.substr(0, name.find(':'))));
    }
  };
  only_in(expected, found, "missing or changed:");
  only_in(found, expected, "not of this schema:");
}

// The file of an artifact, or nothing when its path would leave the store's folder.
std::optional<fs::path> artifact_file(const fs::path& store,
                                      const RunRow& run,
                                      const ArtifactRow& artifact) {
  const fs::path relative = fs::path(run.folder) / artifact.path;
  if (relative.is_absolute() ||
      std::find(relative.begin(), relative.end(), "..") != relative.end()) {
    return std::nullopt;
  }
  return store.parent_path() / relative;
}

std::optional<std::string> artifact_problem(const fs::path& store,
                                            const RunRow& run,
                                            const ArtifactRow& artifact) {
  const auto file = artifact_file(store, run, artifact);
  if (!file.has_value()) {
    return "its path leaves the run's folder";
  }
  std::error_code error;
  if (!fs::is_regular_file(*file, error)) {
    return "the file is missing";
  }
  const auto size = static_cast<std::int64_t>(fs::file_size(*file, error));
  if (size != artifact.bytes) {
    return fmt::format("the file has {} bytes instead of {}", size, artifact.bytes);
  }
  try {
    if (sha256_file(*file, ErrorKind::kStore) != artifact.sha256) {
      return "the file's content has changed";
    }
  } catch (const Error& e) {
    return e.what();
  }
  return std::nullopt;
}

// --- merge

// Host, process, start and cell: two attempts never have all of them in common.
std::string origin_of(const RunRow& run) {
  return fmt::format(
      "{}\n{}\n{}\n{}\n{}", run.key, run.host, run.pid, run.process_start, run.started_at);
}

// Everything that a run says about itself, without the numbers that a store gives.
bool same_content(const Store& a, const RunRow& run_a, const Store& b, const RunRow& run_b) {
  const auto facts = [](const RunRow& run) {
    return std::tie(run.status,
                    run.reason,
                    run.finished_at,
                    run.options,
                    run.protocol_config,
                    run.changed_options,
                    run.weights,
                    run.data_manifest,
                    run.reported_epoch,
                    run.last_epoch);
  };
  return facts(run_a) == facts(run_b) &&
         a.environment(run_a.environment) == b.environment(run_b.environment) &&
         a.events(run_a.id) == b.events(run_b.id);
}

fs::path folder_of(const Store& store) {
  return fs::absolute(store.file()).parent_path();
}

// The folder of a run of `from` as `into` names it; the files are there when this returns.
std::string adopt_folder(const Store& into, const Store& from, const RunRow& run) {
  std::error_code error;
  const auto source = folder_of(from) / run.folder;
  if (run.folder.empty() || into.file() == ":memory:" || from.file() == ":memory:" ||
      !fs::is_directory(source, error)) {
    return run.folder;
  }
  const auto base = fs::weakly_canonical(folder_of(into));
  const auto inside = fs::weakly_canonical(source).lexically_relative(base);
  if (!inside.empty() && *inside.begin() != "..") {
    return inside.generic_string();
  }
  // The name tells one origin from another, so a copy that was cut short is simply made again.
  const auto name =
      fmt::format("{}-{}", source.filename().string(), sha256(origin_of(run)).substr(0, 8));
  const auto target = base / "adbench-runs" / name;
  const auto temporary = base / "adbench-runs" / ("." + name + ".tmp");
  make_folder(target.parent_path());
  fs::remove_all(temporary, error);
  fs::remove_all(target, error);
  try {
    fs::copy(source, temporary, fs::copy_options::recursive);
    for (const auto& file : files_below(temporary)) {
      flush_to_disk(temporary / file);
    }
    flush_to_disk(temporary);
    fs::rename(temporary, target);
    flush_to_disk(target.parent_path());
  } catch (const fs::filesystem_error& e) {
    fs::remove_all(temporary, error);
    fail(ErrorKind::kData,
         "cannot copy '{}' to '{}': {}",
         source.string(),
         target.string(),
         e.code().message());
  }
  return fs::path("adbench-runs") / name;
}

std::string name_of(const RunRow& run) {
  return fmt::format("cell {:.12} ({} on {}, seed {}, attempt {})",
                     run.key,
                     run.method,
                     run.dataset,
                     run.seed,
                     run.attempt);
}

}  // namespace

std::vector<std::string> check_store(const fs::path& file) {
  std::vector<std::string> problems;
  std::int64_t version = 0;
  {
    const auto database = open_database_for_read(file);
    try {
      version = database->execAndGet("PRAGMA user_version").getInt64();
      check_structure(*database, problems);
      check_schema(*database, version, problems);
    } catch (const SQLite::Exception& e) {
      problems.push_back(e.what());
    }
  }
  if (!problems.empty()) {
    return problems;  // what the rows of such a file say is not worth reading
  }
  const Store store = Store::open_for_read(file);
  try {
    for (const auto& run : store.find_runs()) {
      for (const auto& artifact : store.artifacts(run.id)) {
        if (const auto problem = artifact_problem(file, run, artifact)) {
          problems.push_back(
              fmt::format("artifact '{}' of run {}: {}", artifact.path, to_int(run.id), *problem));
        }
      }
    }
  } catch (const Error& e) {
    problems.push_back(e.what());
  }
  return problems;
}

void backup_store(const fs::path& file, const fs::path& to) {
  const auto database = open_database_for_read(file);
  copy_database(*database, to);
}

std::int64_t migrate_store(const fs::path& file) {
  const std::int64_t version = check_store_file(file);
  Store::open_for_write(file).close();
  return version;
}

MergeReport merge_stores(Store& into, const Store& from) {
  MergeReport report;
  std::multimap<std::string, RunRow> known;
  for (auto& run : into.find_runs()) {
    std::string origin = origin_of(run);
    known.emplace(std::move(origin), std::move(run));
  }
  for (auto& run : from.find_runs()) {
    if (run.status == RunStatus::kRunning || run.status == RunStatus::kInterrupted) {
      ++report.unfinished;
      continue;
    }
    if (const auto same = known.find(origin_of(run)); same != known.end()) {
      if (same_content(into, same->second, from, run)) {
        ++report.already_there;
      } else {
        report.contradictions.push_back(
            fmt::format("{} of {}: differs from the same run in {}; not added",
                        name_of(run),
                        from.file().string(),
                        into.file().string()));
      }
      continue;
    }
    const auto finished = into.newest_finished(run.key);
    if (run.status == RunStatus::kFinished && finished.has_value() &&
        into.metrics(finished->id) != from.metrics(run.id)) {
      report.contradictions.push_back(
          fmt::format("{} of {}: other metrics than attempt {} in {}; not added",
                      name_of(run),
                      from.file().string(),
                      finished->attempt,
                      into.file().string()));
      continue;
    }
    run.folder = adopt_folder(into, from, run);
    into.import_run(run, from.environment(run.environment), from.events(run.id));
    ++report.added;
  }
  return report;
}

std::vector<RunRow> remove_superseded(Store& store) {
  std::set<std::string> finished;
  for (const auto& run : store.find_runs({.statuses = {RunStatus::kFinished}})) {
    finished.insert(run.key);
  }
  std::vector<RunRow> superseded;
  std::vector<RunId> ids;
  for (auto& run : store.find_runs()) {
    const bool ended_empty =
        run.status != RunStatus::kRunning && run.status != RunStatus::kFinished;
    if (ended_empty && finished.contains(run.key)) {
      ids.push_back(run.id);
      superseded.push_back(std::move(run));
    }
  }
  store.remove_runs(ids);
  // A merged store can name one folder twice: of an attempt that failed, and of the same one when
  // it had gone on to its end.
  std::set<std::string> kept;
  for (const auto& run : store.find_runs()) {
    kept.insert(run.folder);
  }
  for (auto& run : superseded) {
    if (kept.contains(run.folder)) {
      run.folder.clear();
    }
  }
  return superseded;
}

}  // namespace adb
