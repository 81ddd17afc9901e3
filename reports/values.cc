#include "reports/values.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/csv.h"
#include "core/text.h"
#include "reports/layout.h"

namespace adb {
namespace {

std::string_view kind_text(RowKind kind) {
  switch (kind) {
    case RowKind::kMeasured:
      return "measured";
    case RowKind::kLastEpoch:
      return "last_epoch";
    case RowKind::kPublished:
      return "published";
    case RowKind::kDifference:
      return "difference";
  }
  fail(ErrorKind::kInternal, "row kind {} has no name", static_cast<int>(kind));
}

// --- CSV

// Quoted when needed. A text that a spreadsheet would take for a formula gets an apostrophe in
// front.
std::string csv_text(const std::string& text) {
  std::string field = text;
  if (!field.empty() && std::string_view("=+-@\t\r").find(field[0]) != std::string_view::npos &&
      field != "-") {
    field.insert(field.begin(), '\'');
  }
  return csv_field(field);
}

template <class Numbers>
std::string list(const Numbers& numbers) {
  return fmt::format("{}", fmt::join(numbers, " "));
}

// What is printed in front of the figures of every row.
std::vector<std::pair<std::string, std::string>> csv_facts(const Report& report,
                                                           const std::string& table,
                                                           const ReportRow& row) {
  const ReportGroup& group = report.groups[row.group];
  std::vector<std::string> options;
  for (const auto& option : group.changed_options) {
    options.push_back(describe_option(option));
  }
  std::vector<std::string> remarks = group.departures;
  if (!group.note.empty()) {
    remarks.push_back(group.note);
  }
  return {
      {"suite", report.suite},
      {"table", table},
      {"kind", std::string(kind_text(row.kind))},
      {"condition", condition_mark(group.condition)},
      {"dataset", group.dataset},
      {"setting", group.setting},
      {"method", group.method},
      {"label", group.label},
      {"class", row.category.empty() ? "mean" : row.category},
      {"protocol", fmt::format("{} {}", group.protocol, group.protocol_version)},
      {"epoch_rule", group.epoch_rule},
      {"epochs", list(row.kind == RowKind::kLastEpoch ? group.last_epochs : group.reported_epochs)},
      {"metric_mode", group.metrics.mode},
      {"metric_version", std::to_string(group.metrics.version)},
      {"fpr_limit", fmt::format("{}", group.metrics.fpr_limit)},
      {"eval_size", group.metrics.eval_size},
      {"seeds", list(group.seeds)},
      {"weights", describe_weights(group.weights)},
      {"data_manifest", list(group.data_manifests)},
      {"changed_options", join(options, "; ")},
      {"missing", join(group.problems, "; ")},
      {"remarks", join(remarks, "; ")}};
}

std::string csv_figure(const Figure& figure, const ReportColumn& column, RowKind kind) {
  switch (figure.state) {
    case Figure::State::kMissing:
      return "-";
    case Figure::State::kUndefined:
      return "n/a";
    case Figure::State::kValue:
      break;
  }
  if (kind == RowKind::kPublished) {
    return figure.printed;
  }
  return fmt::format("{:.6f}",
                     kind == RowKind::kDifference ? figure.value : figure.value * column.factor);
}

// The efficiency columns that stand beside those of `table`: none beside themselves.
const std::vector<ReportColumn>& efficiency_beside(const Report& report, const ReportTable& table) {
  static const std::vector<ReportColumn> none;
  return &table == &report.efficiency ? none : report.efficiency.columns;
}

// The efficiency figures of a group stand in its row of measured means, in the stored unit that
// their keys name.
void add_csv_efficiency(const Report& report,
                        const ReportTable& table,
                        const ReportRow& row,
                        std::vector<std::string>& fields) {
  const auto found = std::find_if(report.efficiency.rows.begin(),
                                  report.efficiency.rows.end(),
                                  [&](const ReportRow& candidate) {
                                    return row.kind == RowKind::kMeasured && row.category.empty() &&
                                           candidate.kind == RowKind::kMeasured &&
                                           candidate.group == row.group;
                                  });
  for (std::size_t i = 0; i < efficiency_beside(report, table).size(); ++i) {
    const bool there =
        found != report.efficiency.rows.end() && found->figures[i].state == Figure::State::kValue;
    fields.push_back(there ? fmt::format("{:.17g}", found->figures[i].value) : "");
  }
}

void add_csv(const Report& report,
             const std::string& name,
             const ReportTable& table,
             bool header,
             std::string& out) {
  for (const auto& row : table.rows) {
    const auto facts = csv_facts(report, name, row);
    if (std::exchange(header, false)) {
      std::vector<std::string> titles;
      for (const auto& [title, value] : facts) {
        titles.push_back(title);
      }
      for (const auto& column : table.columns) {
        titles.push_back(column.key);
        titles.push_back(column.key + " sd");
        if (report.intervals) {
          titles.push_back(column.key + " low");
          titles.push_back(column.key + " high");
        }
      }
      for (const auto& column : efficiency_beside(report, table)) {
        titles.push_back(column.key);
      }
      titles.emplace_back("undefined");
      out += join(titles, ",") + '\n';
    }
    std::vector<std::string> fields;
    std::vector<std::string> reasons;
    for (const auto& [title, value] : facts) {
      fields.push_back(csv_text(value));
    }
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Figure& figure = row.figures[i];
      fields.push_back(csv_figure(figure, table.columns[i], row.kind));
      fields.push_back(
          figure.sd.has_value() ? fmt::format("{:.6f}", *figure.sd * table.columns[i].factor) : "");
      if (report.intervals) {
        const auto bound = [&](double value) {
          return fmt::format("{:.6f}", value * table.columns[i].factor);
        };
        fields.push_back(figure.interval ? bound(figure.interval->first) : "");
        fields.push_back(figure.interval ? bound(figure.interval->second) : "");
      }
      if (figure.state == Figure::State::kUndefined) {
        reasons.push_back(fmt::format("{}: {}", table.columns[i].key, figure.reason));
      }
    }
    add_csv_efficiency(report, table, row, fields);
    fields.push_back(csv_text(join(reasons, "; ")));
    out += join(fields, ",") + '\n';
  }
}

// --- JSON

Json json_of(const Figure& figure, const ReportColumn& column, RowKind kind) {
  Json json = {{"value", nullptr}, {"reason", nullptr}};
  if (figure.state == Figure::State::kUndefined) {
    json["reason"] = figure.reason;
  } else if (figure.state == Figure::State::kMissing) {
    json["reason"] = "not there";
  } else if (kind == RowKind::kPublished || kind == RowKind::kDifference) {
    json["value"] = figure.value / column.factor;
  } else {
    json["value"] = figure.value;
  }
  if (figure.sd.has_value()) {
    json["sd"] = *figure.sd;
  }
  if (figure.interval.has_value()) {
    json["interval"] = {figure.interval->first, figure.interval->second};
  }
  if (!figure.printed.empty()) {
    json["printed"] = figure.printed;
  }
  return json;
}

Json json_of(const Report& report, const ReportTable& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json figures = Json::object();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      figures[table.columns[i].key] = json_of(row.figures[i], table.columns[i], row.kind);
    }
    const ReportGroup& group = report.groups[row.group];
    rows.push_back({{"kind", kind_text(row.kind)},
                    {"group", row.group},
                    {"label", group.label},
                    {"method", group.method},
                    {"dataset", group.dataset},
                    {"setting", group.setting},
                    {"class", row.category.empty() ? Json(nullptr) : Json(row.category)},
                    {"figures", figures}});
  }
  Json columns = Json::array();
  for (const auto& column : table.columns) {
    columns.push_back(column.key);
  }
  return {{"columns", columns}, {"rows", rows}};
}

Json json_of(const ReportGroup& group) {
  Json options = Json::array();
  for (const auto& option : group.changed_options) {
    options.push_back({{"path", option.path},
                       {"value", option.value},
                       {"default", option.default_value},
                       {"origin", option.origin}});
  }
  return {
      {"label", group.label},
      {"method", group.method},
      {"method_version", group.method_version},
      {"dataset", group.dataset},
      {"setting", group.setting},
      {"classes", group.classes},
      {"protocol", group.protocol},
      {"protocol_version", group.protocol_version},
      {"epoch_rule", group.epoch_rule},
      {"epochs", group.epochs},
      {"reported_epochs", group.reported_epochs},
      {"last_epochs", group.last_epochs},
      {"seeds", group.seeds},
      {"metric_mode", group.metrics.mode},
      {"metric_version", group.metrics.version},
      {"fpr_limit", group.metrics.fpr_limit},
      {"eval_size", group.metrics.eval_size},
      {"weights",
       {{"name", group.weights.name},
        {"source", group.weights.source},
        {"resolved", group.weights.resolved}}},
      {"data_manifests", group.data_manifests},
      {"textures", group.textures},
      {"changed_options", options},
      {"external", group.external},
      {"devices", group.devices},
      {"images", group.images},
      {"labels_changed", group.labels_changed},
      {"components_vanished", group.components_vanished},
      {"missing", group.problems},
      {"note", group.note},
      {"departures", group.departures},
      {"condition",
       group.condition == kNoCondition ? Json(nullptr) : Json(condition_mark(group.condition))}};
}

}  // namespace

std::string report_csv(const Report& report) {
  std::string out;
  add_csv(report, "mean", report.means, true, out);
  add_csv(report, "class", report.classes, report.means.rows.empty(), out);
  if (report.means.columns.empty()) {  // a suite's table of costs, in the units that it shows
    add_csv(report, "efficiency", report.efficiency, true, out);
  }
  return out;
}

Json report_json(const Report& report) {
  Json conditions = Json::object();
  for (std::size_t i = 0; i < report.conditions.size(); ++i) {
    conditions[condition_mark(i)] = report.conditions[i];
  }
  Json groups = Json::array();
  for (const auto& group : report.groups) {
    groups.push_back(json_of(group));
  }
  return {{"suite", report.suite.empty() ? Json(nullptr) : Json(report.suite)},
          {"title", report.title},
          {"remarks", report.remarks},
          {"conditions", conditions},
          {"groups", groups},
          {"means", json_of(report, report.means)},
          {"classes", json_of(report, report.classes)},
          {"efficiency", json_of(report, report.efficiency)}};
}

}  // namespace adb
