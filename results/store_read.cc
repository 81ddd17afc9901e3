// The reading half of Store.
#include <algorithm>
#include <map>
#include <utility>

#include "results/store_impl.h"

namespace adb {
namespace {

RunRow read_run(const SQLite::Statement& query, const std::string& file) {
  Fields fields(query);
  RunRow run;
  run.id = RunId{fields.integer()};
  const std::string where = fmt::format("{}: run {}", file, to_int(run.id));
  const auto json = [&](std::string_view column) {
    return parse_json(
        fields.text(), fmt::format("{}, column {}", where, column), ErrorKind::kStore);
  };
  const auto text_at = [&](const Json& object, std::string_view key) {
    return json_string(json_at(object, key, where, ErrorKind::kStore), where, ErrorKind::kStore);
  };
  run.key = fields.text();
  run.attempt = fields.integer();
  run.method = fields.text();
  run.method_title = fields.text();
  run.method_version = fields.integer();
  run.dataset = fields.text();
  run.setting = fields.text();
  for (const Json& name : json("classes")) {
    run.classes.push_back(json_string(name, where + ", column classes", ErrorKind::kStore));
  }
  run.seed = fields.integer();
  run.protocol = fields.text();
  run.protocol_version = fields.integer();
  run.protocol_config = json("protocol_config");
  run.epoch_rule = fields.text();
  run.options = json("options");
  for (const Json& option : json("changed_options")) {
    run.changed_options.push_back(
        {.path = text_at(option, "path"),
         .value = json_at(option, "value", where, ErrorKind::kStore),
         .default_value = json_at(option, "default", where, ErrorKind::kStore),
         .origin = text_at(option, "origin")});
  }
  const Json weights = json("weights");
  run.weights = {.name = text_at(weights, "name"),
                 .source = text_at(weights, "source"),
                 .resolved = text_at(weights, "resolved")};
  run.data_manifest = fields.text();
  run.textures = fields.text();
  run.status = run_status_from_text(fields.text());
  run.reason = fields.text();
  run.host = fields.text();
  run.pid = fields.integer();
  run.process_start = fields.text();
  run.started_at = fields.text();
  run.finished_at = fields.text();
  run.environment = fields.integer();
  run.folder = fields.text();
  run.threads = fields.integer();
  run.device = fields.text();
  run.epochs = fields.integer();
  run.reported_epoch = fields.optional_integer();
  run.last_epoch = fields.optional_integer();
  run.external = fields.boolean();
  run.notes = fields.text();
  return run;
}

MetricRow read_metric(Fields& fields) {
  MetricRow row;
  row.epoch = fields.integer();
  row.category = fields.text();
  row.key = fields.text();
  row.value = fields.optional_real();
  row.reason = fields.text();
  row.setting.version = fields.integer();
  row.setting.mode = fields.text();
  row.setting.fpr_limit = fields.real();
  row.setting.eval_size = fields.text();
  return row;
}

std::string metric_sql(std::string_view condition) {
  return fmt::format(
      "SELECT epoch, category, key, value, reason, metric_version, metric_mode, fpr_limit, "
      "eval_size FROM metric "
      "WHERE run = ?{} ORDER BY epoch, category, key, metric_mode, metric_version, fpr_limit, "
      "eval_size",
      condition);
}

ScoreRow read_score(Fields& fields) {
  ScoreRow row;
  row.epoch = fields.integer();
  row.category = fields.text();
  row.sample = fields.text();
  row.anomalous = fields.boolean();
  row.score = fields.real();
  row.ader_score = fields.optional_real();
  return row;
}

std::string score_sql(std::string_view condition) {
  return fmt::format(
      "SELECT epoch, category, sample, anomalous, score, ader_score FROM image_score WHERE run = "
      "?{} "
      "ORDER BY epoch, category, sample",
      condition);
}

}  // namespace

std::vector<RunRow> Store::find_runs(const RunFilter& filter) const {
  std::vector<std::string> tests;
  std::vector<std::string> texts;
  const auto add = [&](const std::string& column, const std::vector<std::string>& values) {
    if (!values.empty()) {
      tests.push_back(fmt::format("{} IN ({})", column, placeholders(values.size())));
      texts.insert(texts.end(), values.begin(), values.end());
    }
  };
  std::vector<std::string> statuses;
  for (const RunStatus status : filter.statuses) {
    statuses.emplace_back(to_text(status));
  }
  add("key", filter.keys);
  add("method", filter.methods);
  add("dataset", filter.datasets);
  add("setting", filter.settings);
  add("protocol", filter.protocols);
  add("status", statuses);
  if (!filter.seeds.empty()) {
    tests.push_back(fmt::format("seed IN ({})", fmt::join(filter.seeds, ", ")));
  }
  const std::string sql = fmt::format("SELECT id, {} FROM run{}{} ORDER BY id",
                                      kRunColumns,
                                      tests.empty() ? "" : " WHERE ",
                                      join(tests, " AND "));
  auto runs = impl_->guarded([&](SQLite::Database& open) {
    SQLite::Statement query(open, sql);
    int index = 0;
    for (const auto& text : texts) {
      query.bind(++index, text);
    }
    std::vector<RunRow> found;
    while (query.executeStep()) {
      found.push_back(read_run(query, impl_->file.string()));
    }
    return found;
  });
  if (filter.newest_per_key) {
    std::map<std::string, std::int64_t> newest;
    for (const auto& run : runs) {
      newest[run.key] = std::max(newest[run.key], run.attempt);
    }
    std::erase_if(runs, [&](const RunRow& run) { return run.attempt != newest[run.key]; });
  }
  return runs;
}

std::optional<RunRow> Store::newest_finished(const std::string& key) const {
  auto runs =
      find_runs({.keys = {key}, .statuses = {RunStatus::kFinished}, .newest_per_key = true});
  return runs.empty() ? std::nullopt : std::optional(std::move(runs.front()));
}

RunRow Store::run(RunId run) const {
  return impl_->guarded([&](SQLite::Database& open) {
    SQLite::Statement query(open, fmt::format("SELECT id, {} FROM run WHERE id = ?", kRunColumns));
    bind_all(query, run);
    ADB_CHECK(query.executeStep(),
              ErrorKind::kStore,
              "store '{}' has no run {}",
              impl_->file.string(),
              to_int(run));
    return read_run(query, impl_->file.string());
  });
}

Environment Store::environment(std::int64_t id) const {
  const auto found = impl_->rows<Environment>(
      "SELECT host, cpu, gpu, compiler, libraries, code_commit, build_type FROM environment WHERE "
      "id = ?",
      {id},
      [&](Fields& fields) {
        Environment environment;
        environment.host = fields.text();
        environment.cpu = fields.text();
        environment.gpu = fields.text();
        environment.compiler = fields.text();
        environment.libraries =
            parse_json(fields.text(),
                       fmt::format("{}: environment {}", impl_->file.string(), id),
                       ErrorKind::kStore);
        environment.code_commit = fields.text();
        environment.build_type = fields.text();
        return environment;
      });
  ADB_CHECK(!found.empty(),
            ErrorKind::kStore,
            "store '{}' has no environment {}",
            impl_->file.string(),
            id);
  return found.front();
}

std::vector<CurveRow> Store::curves(RunId run) const {
  return impl_->rows<CurveRow>(
      "SELECT epoch, name, value FROM curve WHERE run = ? ORDER BY epoch, name",
      {to_int(run)},
      [](Fields& fields) {
        CurveRow row;
        row.epoch = fields.integer();
        row.name = fields.text();
        row.value = fields.real();
        return row;
      });
}

std::vector<MetricRow> Store::metrics(RunId run) const {
  return impl_->rows<MetricRow>(metric_sql(""), {to_int(run)}, read_metric);
}

std::vector<MetricRow> Store::metrics(RunId run, std::int64_t epoch) const {
  return impl_->rows<MetricRow>(metric_sql(" AND epoch = ?"), {to_int(run), epoch}, read_metric);
}

std::vector<MetricRow> Store::mean_metrics(RunId run) const {
  return impl_->rows<MetricRow>(metric_sql(" AND category = ''"), {to_int(run)}, read_metric);
}

std::vector<CountRow> Store::counts(RunId run) const {
  return impl_->rows<CountRow>(
      "SELECT category, name, eval_size, value FROM category_count WHERE run = ? ORDER BY "
      "category, name, eval_size",
      {to_int(run)},
      [](Fields& fields) {
        CountRow row;
        row.category = fields.text();
        row.name = fields.text();
        row.eval_size = fields.text();
        row.value = fields.integer();
        return row;
      });
}

std::vector<ScoreRow> Store::scores(RunId run) const {
  return impl_->rows<ScoreRow>(score_sql(""), {to_int(run)}, read_score);
}

std::vector<ScoreRow> Store::scores(RunId run, std::int64_t epoch) const {
  return impl_->rows<ScoreRow>(score_sql(" AND epoch = ?"), {to_int(run), epoch}, read_score);
}

std::vector<EfficiencyRow> Store::efficiency(RunId run) const {
  return impl_->rows<EfficiencyRow>(
      "SELECT key, value, unit, note FROM efficiency WHERE run = ? ORDER BY key",
      {to_int(run)},
      [](Fields& fields) {
        EfficiencyRow row;
        row.key = fields.text();
        row.value = fields.optional_real();
        row.unit = fields.text();
        row.note = fields.text();
        return row;
      });
}

std::vector<ArtifactRow> Store::artifacts(RunId run) const {
  return impl_->rows<ArtifactRow>(
      "SELECT kind, epoch, category, path, sha256, bytes FROM artifact WHERE run = ? ORDER BY path",
      {to_int(run)},
      [](Fields& fields) {
        ArtifactRow row;
        row.kind = fields.text();
        row.epoch = fields.integer();
        row.category = fields.text();
        row.path = fields.text();
        row.sha256 = fields.text();
        row.bytes = fields.integer();
        return row;
      });
}

EventBatch Store::events(RunId run) const {
  return {.curves = curves(run),
          .metrics = metrics(run),
          .counts = counts(run),
          .scores = scores(run),
          .efficiency = efficiency(run),
          .artifacts = artifacts(run)};
}

std::vector<Baseline> Store::baselines() const {
  struct Member {
    std::string name;
    std::string created_at;
    RunId run;
  };
  const auto members = impl_->rows<Member>(
      "SELECT name, created_at, run FROM baseline ORDER BY name, run", {}, [](Fields& fields) {
        Member member{};
        member.name = fields.text();
        member.created_at = fields.text();
        member.run = RunId{fields.integer()};
        return member;
      });
  std::vector<Baseline> baselines;
  for (const auto& member : members) {
    if (baselines.empty() || baselines.back().name != member.name) {
      baselines.push_back({.name = member.name, .created_at = member.created_at, .runs = {}});
    }
    baselines.back().runs.push_back(member.run);
  }
  return baselines;
}

std::optional<Baseline> Store::baseline(const std::string& name) const {
  for (auto& baseline : baselines()) {
    if (baseline.name == name) {
      return baseline;
    }
  }
  return std::nullopt;
}

std::vector<PublishedRow> Store::published() const {
  return impl_->rows<PublishedRow>(
      "SELECT table_id, dataset, method, variant, class, metric, value, printed, unit, source FROM "
      "published "
      "ORDER BY table_id, dataset, method, variant, class, metric",
      {},
      [](Fields& fields) {
        PublishedRow row;
        row.table_id = fields.text();
        row.dataset = fields.text();
        row.method = fields.text();
        row.variant = fields.text();
        row.category = fields.text();
        row.metric = fields.text();
        row.value = fields.real();
        row.printed = fields.text();
        row.unit = fields.text();
        row.source = fields.text();
        return row;
      });
}

}  // namespace adb
