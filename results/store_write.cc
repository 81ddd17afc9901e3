// The writing half of Store.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/hash.h"
#include "results/process.h"
#include "results/store_impl.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

Json to_json(const Environment& environment) {
  return {{"host", environment.host},
          {"cpu", environment.cpu},
          {"gpu", environment.gpu},
          {"compiler", environment.compiler},
          {"libraries", environment.libraries},
          {"code_commit", environment.code_commit},
          {"build_type", environment.build_type}};
}

Json to_json(const Weights& weights) {
  return {{"name", weights.name}, {"source", weights.source}, {"resolved", weights.resolved}};
}

Json to_json(const std::vector<ChangedOption>& options) {
  Json list = Json::array();
  for (const auto& option : options) {
    list.push_back({{"path", option.path},
                    {"value", option.value},
                    {"default", option.default_value},
                    {"origin", option.origin}});
  }
  return list;
}

void require_finite(double value,
                    std::string_view what,
                    const std::string& name,
                    std::int64_t epoch) {
  ADB_CHECK(std::isfinite(value),
            ErrorKind::kNumeric,
            "{} '{}' of epoch {} is {}; only finite numbers are stored",
            what,
            name,
            epoch,
            value);
}

// An artifact's path is joined to the run's folder later: it must stay inside.
void require_inside(const std::string& path, std::string_view what) {
  const fs::path parsed(path);
  bool inside = !path.empty() && parsed.is_relative();
  for (const auto& part : parsed) {
    inside = inside && part != "..";
  }
  if (!inside) {
    throw RefusedRow(ErrorKind::kStore,
                     fmt::format("{} '{}' must be a relative path without '..'", what, path));
  }
}

std::size_t count_columns(std::string_view columns) {
  return static_cast<std::size_t>(std::count(columns.begin(), columns.end(), ',')) + 1;
}

// Inserts rows into one table. A row that is there with the same content is left alone, one with
// other content under the same key is an error.
class RowWriter {
 public:
  RowWriter(SQLite::Database& database, const std::string& table, const std::string& columns)
      : table_(table),
        insert_(database,
                fmt::format("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
                            table,
                            columns,
                            placeholders(count_columns(columns)))),
        find_(database, find_sql(table, columns)) {}

  template <class... Values>
  void write(const Values&... values) {
    insert_.reset();
    bind_all(insert_, values...);
    if (insert_.exec() == 1) {
      return;
    }
    find_.reset();
    bind_all(find_, values...);
    if (!find_.executeStep()) {
      throw RefusedRow(ErrorKind::kStore,
                       fmt::format("table '{}' holds another value already; stored figures are "
                                   "not overwritten: {}",
                                   table_,
                                   insert_.getExpandedSQL()));
    }
    find_.reset();
  }

 private:
  static std::string find_sql(const std::string& table, const std::string& columns) {
    std::vector<std::string> tests;
    for (const auto& column : split(columns, ',')) {
      tests.push_back(column + " IS ?");
    }
    return fmt::format("SELECT 1 FROM {} WHERE {}", table, join(tests, " AND "));
  }

  std::string table_;
  SQLite::Statement insert_;
  SQLite::Statement find_;
};

void insert_events(SQLite::Database& database, RunId run, const EventBatch& events) {
  if (!events.curves.empty()) {
    RowWriter writer(database, "curve", "run, epoch, name, value");
    for (const auto& row : events.curves) {
      require_finite(row.value, "curve", row.name, row.epoch);
      writer.write(run, row.epoch, row.name, row.value);
    }
  }
  if (!events.metrics.empty()) {
    RowWriter writer(database,
                     "metric",
                     "run, epoch, category, key, value, reason, metric_version, metric_mode, "
                     "fpr_limit, eval_size");
    for (const auto& row : events.metrics) {
      require_finite(row.value.value_or(0), "metric", row.key, row.epoch);
      if (row.value.has_value() != row.reason.empty()) {
        throw RefusedRow(ErrorKind::kStore,
                         fmt::format("metric '{}' of epoch {} needs either a value or the reason "
                                     "why it is undefined",
                                     row.key,
                                     row.epoch));
      }
      writer.write(run,
                   row.epoch,
                   row.category,
                   row.key,
                   row.value,
                   null_if_empty(row.reason),
                   row.setting.version,
                   row.setting.mode,
                   row.setting.fpr_limit,
                   row.setting.eval_size);
    }
  }
  if (!events.counts.empty()) {
    RowWriter writer(database, "category_count", "run, category, name, eval_size, value");
    for (const auto& row : events.counts) {
      writer.write(run, row.category, row.name, row.eval_size, row.value);
    }
  }
  if (!events.scores.empty()) {
    RowWriter writer(
        database, "image_score", "run, epoch, category, sample, anomalous, score, ader_score");
    for (const auto& row : events.scores) {
      require_finite(row.score, "score of image", row.sample, row.epoch);
      require_finite(row.ader_score.value_or(0), "ader score of image", row.sample, row.epoch);
      writer.write(
          run, row.epoch, row.category, row.sample, row.anomalous, row.score, row.ader_score);
    }
  }
  if (!events.efficiency.empty()) {
    RowWriter writer(database, "efficiency", "run, key, value, unit, note");
    for (const auto& row : events.efficiency) {
      ADB_CHECK(std::isfinite(row.value.value_or(0)),
                ErrorKind::kNumeric,
                "efficiency figure '{}' is not finite",
                row.key);
      writer.write(run, row.key, row.value, row.unit, row.note);
    }
  }
  if (!events.artifacts.empty()) {
    RowWriter writer(database, "artifact", "run, path, kind, epoch, category, sha256, bytes");
    for (const auto& row : events.artifacts) {
      require_inside(row.path, "artifact");
      writer.write(run, row.path, row.kind, row.epoch, row.category, row.sha256, row.bytes);
    }
  }
}

}  // namespace

std::int64_t insert_environment(SQLite::Database& database, const Environment& environment) {
  const std::string hash = sha256(canonical_json(to_json(environment)));
  RowWriter writer(database,
                   "environment",
                   "hash, host, cpu, gpu, compiler, libraries, code_commit, build_type");
  writer.write(hash,
               environment.host,
               environment.cpu,
               environment.gpu,
               environment.compiler,
               canonical_json(environment.libraries),
               environment.code_commit,
               environment.build_type);
  SQLite::Statement query(database, "SELECT id FROM environment WHERE hash = ?");
  query.bind(1, hash);
  query.executeStep();
  return query.getColumn(0).getInt64();
}

namespace {

RunId insert_run(SQLite::Database& database, const RunRow& run) {
  if (!run.folder.empty()) {
    require_inside(run.folder, "run folder");
  }
  SQLite::Statement last(database, "SELECT coalesce(max(attempt), 0) FROM run WHERE key = ?");
  last.bind(1, run.key);
  last.executeStep();
  const std::int64_t attempt = last.getColumn(0).getInt64() + 1;
  SQLite::Statement insert(database,
                           fmt::format("INSERT INTO run ({}) VALUES ({})",
                                       kRunColumns,
                                       placeholders(count_columns(kRunColumns))));
  bind_all(insert,
           run.key,
           attempt,
           run.method,
           run.method_title,
           run.method_version,
           run.dataset,
           run.setting,
           canonical_json(run.classes),
           run.seed,
           run.protocol,
           run.protocol_version,
           canonical_json(run.protocol_config),
           run.epoch_rule,
           canonical_json(run.options),
           canonical_json(to_json(run.changed_options)),
           canonical_json(to_json(run.weights)),
           run.data_manifest,
           run.textures,
           std::string(to_text(run.status)),
           run.reason,
           run.host,
           run.pid,
           run.process_start,
           run.started_at,
           null_if_empty(run.finished_at),
           run.environment,
           run.folder,
           run.threads,
           run.device,
           run.epochs,
           run.reported_epoch,
           run.last_epoch,
           run.external,
           run.notes);
  insert.exec();
  return RunId{database.getLastInsertRowid()};
}

}  // namespace

RunId Store::begin_run(RunRow run, const Environment& environment) {
  const ProcessIdentity self = this_process();
  run.status = RunStatus::kRunning;
  run.reason.clear();
  run.finished_at.clear();
  run.host = self.host;
  run.pid = self.pid;
  run.process_start = self.start;
  if (run.started_at.empty()) {
    run.started_at = utc_now();
  }
  return impl_->write([&](SQLite::Database& open) {
    run.environment = insert_environment(open, environment);
    return insert_run(open, run);
  });
}

void Store::append(RunId run, const EventBatch& events) {
  impl_->write([&](SQLite::Database& open) { insert_events(open, run, events); });
}

void Store::finish_run(RunId run, const RunOutcome& outcome, const EventBatch& events) {
  ADB_CHECK(
      outcome.status != RunStatus::kRunning, ErrorKind::kInternal, "a run cannot end as running");
  impl_->write([&](SQLite::Database& open) {
    insert_events(open, run, events);
    SQLite::Statement update(
        open,
        "UPDATE run SET status = ?, reason = ?, reported_epoch = ?, last_epoch = ?, "
        "finished_at = ? WHERE id = ? AND status = 'running'");
    bind_all(update,
             std::string(to_text(outcome.status)),
             outcome.reason,
             outcome.reported_epoch,
             outcome.last_epoch,
             utc_now(),
             run);
    ADB_CHECK(update.exec() == 1,
              ErrorKind::kStore,
              "store '{}': run {} is not running, so it cannot end",
              impl_->file.string(),
              to_int(run));
  });
}

void Store::resume_run(RunId run) {
  const ProcessIdentity self = this_process();
  impl_->write([&](SQLite::Database& open) {
    SQLite::Statement update(
        open,
        "UPDATE run SET notes = notes || iif(notes = '', '', '; ') || status || ' at ' || "
        "finished_at || ': ' || reason, "
        "status = 'running', reason = '', finished_at = NULL, reported_epoch = NULL, "
        "last_epoch = NULL, host = ?, pid = ?, process_start = ? "
        "WHERE id = ? AND status NOT IN ('running', 'finished')");
    bind_all(update, self.host, self.pid, self.start, run);
    ADB_CHECK(update.exec() == 1,
              ErrorKind::kStore,
              "store '{}': run {} is running or finished, so it cannot resume",
              impl_->file.string(),
              to_int(run));
  });
}

void Store::drop_after(RunId run, std::int64_t epoch) {
  impl_->write([&](SQLite::Database& open) {
    for (const char* table : {"curve", "metric", "image_score", "artifact"}) {
      SQLite::Statement remove(open,
                               fmt::format("DELETE FROM {} WHERE run = ? AND epoch > ?", table));
      bind_all(remove, run, epoch);
      remove.exec();
    }
    SQLite::Statement remove(open, "DELETE FROM efficiency WHERE run = ?");
    bind_all(remove, run);
    remove.exec();
  });
}

std::vector<RunId> Store::mark_stale_runs_interrupted(bool other_hosts) {
  const ProcessIdentity self = this_process();
  const auto running = find_runs({.statuses = {RunStatus::kRunning}});
  return impl_->write([&](SQLite::Database& open) {
    std::vector<RunId> stale;
    for (const auto& run : running) {
      const bool gone = other_hosts && run.host != self.host;
      if (!gone && !is_gone({.host = run.host, .pid = run.pid, .start = run.process_start})) {
        continue;
      }
      SQLite::Statement update(
          open, "UPDATE run SET status = 'interrupted', reason = ?, finished_at = ? WHERE id = ?");
      bind_all(update,
               fmt::format("process {} on {} ended without closing the run", run.pid, run.host),
               utc_now(),
               run.id);
      update.exec();
      stale.push_back(run.id);
    }
    return stale;
  });
}

RunId Store::import_run(RunRow run, const Environment& environment, const EventBatch& events) {
  ADB_CHECK(
      run.status != RunStatus::kRunning, ErrorKind::kStore, "a running run cannot be imported");
  return impl_->write([&](SQLite::Database& open) {
    run.environment = insert_environment(open, environment);
    const RunId id = insert_run(open, run);
    insert_events(open, id, events);
    return id;
  });
}

void Store::set_baseline(const std::string& name, const std::vector<RunId>& runs) {
  ADB_CHECK(!name.empty(), ErrorKind::kUsage, "a baseline needs a name");
  for (const RunId id : runs) {
    ADB_CHECK(run(id).status == RunStatus::kFinished,
              ErrorKind::kStore,
              "store '{}': run {} is not finished, so it cannot be a baseline",
              impl_->file.string(),
              to_int(id));
  }
  impl_->write([&](SQLite::Database& open) {
    SQLite::Statement remove(open, "DELETE FROM baseline WHERE name = ?");
    bind_all(remove, name);
    remove.exec();
    RowWriter writer(open, "baseline", "name, run, created_at");
    const std::string now = utc_now();
    for (const RunId id : runs) {
      writer.write(name, id, now);
    }
  });
}

bool Store::remove_baseline(const std::string& name) {
  return impl_->write([&](SQLite::Database& open) {
    SQLite::Statement remove(open, "DELETE FROM baseline WHERE name = ?");
    bind_all(remove, name);
    return remove.exec() > 0;
  });
}

void Store::replace_published(const std::vector<PublishedRow>& rows) {
  impl_->write([&](SQLite::Database& open) {
    open.exec("DELETE FROM published");
    RowWriter writer(
        open,
        "published",
        "table_id, dataset, method, variant, class, metric, value, printed, unit, source");
    for (const auto& row : rows) {
      writer.write(row.table_id,
                   row.dataset,
                   row.method,
                   row.variant,
                   row.category,
                   row.metric,
                   row.value,
                   row.printed,
                   row.unit,
                   row.source);
    }
  });
}

void Store::remove_runs(const std::vector<RunId>& runs) {
  std::set<RunId> kept;
  for (const auto& baseline : baselines()) {
    kept.insert(baseline.runs.begin(), baseline.runs.end());
  }
  impl_->write([&](SQLite::Database& open) {
    for (const RunId id : runs) {
      ADB_CHECK(!kept.contains(id),
                ErrorKind::kStore,
                "store '{}': run {} belongs to a baseline and is kept",
                impl_->file.string(),
                to_int(id));
      SQLite::Statement remove(open, "DELETE FROM run WHERE id = ?");
      bind_all(remove, id);
      remove.exec();
    }
    open.exec("DELETE FROM environment WHERE id NOT IN (SELECT environment FROM run)");
  });
}

}  // namespace adb
