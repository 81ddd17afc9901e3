#include "runners/schedule/events.h"

#include "runners/wire/wire.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kInternal;
const std::string kWhere = "worker event";

const Json& at(const Json& json, const char* key) {
  return json_at(json, key, kWhere, kKind);
}
std::string text(const Json& json, const char* key) {
  return json_string(at(json, key), kWhere, kKind);
}
std::int64_t integer(const Json& json, const char* key) {
  return json_int(at(json, key), kWhere, kKind);
}
double number(const Json& json, const char* key) {
  return json_number(at(json, key), kWhere, kKind);
}

void add_curves(const Json& curves, std::int64_t epoch, EventBatch* batch) {
  for (const auto& [name, value] : curves.items()) {
    batch->curves.push_back({epoch, name, json_number(value, kWhere, kKind)});
  }
}

void add_metrics(const Json& metrics,
                 std::int64_t epoch,
                 const std::string& category,
                 const MetricSetting& setting,
                 EventBatch* batch) {
  for (const auto& [key, metric] : metrics.items()) {
    MetricRow row{epoch, category, key, {}, {}, setting};
    if (const auto& value = at(metric, "value"); !value.is_null()) {
      row.value = json_number(value, kWhere, kKind);
    } else {
      row.reason = text(metric, "reason");
    }
    batch->metrics.push_back(std::move(row));
  }
}

void add_evaluation(const Json& event, const MetricSetting& setting, EventBatch* batch) {
  const auto epoch = integer(event, "epoch");
  add_curves(at(event, "curves"), epoch, batch);
  add_metrics(at(event, "mean"), epoch, "", setting, batch);
  for (const auto& one : at(event, "categories")) {
    const auto category = text(one, "category");
    add_metrics(at(one, "metrics"), epoch, category, setting, batch);
    for (const auto& [name, count] : at(one, "counts").items()) {
      batch->counts.push_back({category, name, setting.eval_size, json_int(count, kWhere, kKind)});
    }
    for (const auto& score : at(one, "scores")) {
      batch->scores.push_back({epoch,
                               category,
                               text(score, "sample"),
                               json_bool(at(score, "anomalous"), kWhere, kKind),
                               number(score, "score"),
                               number(score, "ader_score")});
    }
  }
}

}  // namespace

EventBatch rows_of_event(const Json& event, const MetricSetting& setting) {
  EventBatch batch;
  const auto name = text(event, "event");
  if (name == wire::kEpoch) {
    add_curves(at(event, "curves"), integer(event, "epoch"), &batch);
  } else if (name == wire::kEvaluation) {
    add_evaluation(event, setting, &batch);
  } else if (name == wire::kArtifact) {
    batch.artifacts.push_back({text(event, "kind"),
                               integer(event, "epoch"),
                               text(event, "category"),
                               text(event, "path"),
                               text(event, "sha256"),
                               integer(event, "bytes")});
  } else if (name == wire::kEfficiency) {
    for (const auto& figure : at(event, "figures")) {
      EfficiencyRow row{text(figure, "key"), {}, text(figure, "unit"), text(figure, "note")};
      if (const auto& value = at(figure, "value"); !value.is_null()) {
        row.value = json_number(value, kWhere, kKind);
      }
      batch.efficiency.push_back(std::move(row));
    }
  }
  return batch;
}

bool empty(const EventBatch& batch) {
  return batch == EventBatch{};
}

}  // namespace adb
