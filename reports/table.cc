#include "reports/table.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/text.h"
#include "reports/bootstrap.h"
#include "reports/groups.h"

namespace adb {
namespace {

// --- figures of one replicate

enum class Epoch { kReported, kLast };

std::optional<std::int64_t> epoch_of(const RunRow& run, Epoch which) {
  return which == Epoch::kReported ? run.reported_epoch : run.last_epoch;
}

auto place_of(const MetricRow& row) {
  return std::tie(row.epoch, row.category, row.key);
}

bool before(const MetricRow& a, const MetricRow& b) {
  return place_of(a) < place_of(b);
}

// The run's metrics must be sorted.
Figure stored_figure(const ReportRun& run,
                     const MetricSetting& setting,
                     Epoch which,
                     const std::string& category,
                     const std::string& key) {
  const auto epoch = epoch_of(run.run, which);
  if (!finished(run) || !epoch.has_value()) {
    return {};
  }
  const auto wanted = std::tie(*epoch, category, key);
  auto row = std::partition_point(run.metrics.begin(),
                                  run.metrics.end(),
                                  [&](const MetricRow& other) { return place_of(other) < wanted; });
  for (; row != run.metrics.end() && place_of(*row) == wanted; ++row) {
    if (row->setting == setting) {
      return row->value.has_value() ? value_figure(*row->value) : undefined_figure(row->reason);
    }
  }
  return {};
}

class Figures {
 public:
  Figures(const Group& group, const Replicate& replicate, Epoch which)
      : group_(group), replicate_(replicate), which_(which) {}

  // Of one class, or of the mean over all for "".
  Figure at(const std::string& category, const std::string& key) const {
    return category.empty() ? mean(key) : of_class(category, key);
  }

 private:
  Figure of_class(const std::string& category, const std::string& key) const {
    for (const ReportRun* run : replicate_.runs) {
      if (std::find(run->run.classes.begin(), run->run.classes.end(), category) ==
          run->run.classes.end()) {
        continue;
      }
      const Figure figure = stored_figure(*run, group_.setting, which_, category, key);
      if (figure.state == Figure::State::kMissing && run->run.classes.size() == 1) {
        return stored_figure(*run, group_.setting, which_, "", key);  // the mean over one class
      }
      return figure;
    }
    return {};
  }

  Figure mean(const std::string& key) const {
    const bool any_finished = std::any_of(replicate_.runs.begin(),
                                          replicate_.runs.end(),
                                          [](const ReportRun* run) { return finished(*run); });
    if (!any_finished) {
      return {};
    }
    const bool covers_all =
        replicate_.runs.size() == 1 && replicate_.runs[0]->run.classes == group_.classes;
    if (covers_all) {
      const Figure stored = stored_figure(*replicate_.runs[0], group_.setting, which_, "", key);
      if (stored.state != Figure::State::kMissing) {
        return stored;
      }
    }
    return key == "mad" ? mean_of_means() : mean_over_classes(key);
  }

  Figure mean_over_classes(const std::string& key) const {
    Values values;
    std::vector<std::string> missing;
    for (const auto& category : group_.classes) {
      const Figure figure = of_class(category, key);
      if (figure.state == Figure::State::kUndefined) {
        return undefined_figure(fmt::format("class {}: {}", category, figure.reason));
      }
      if (figure.state == Figure::State::kMissing) {
        missing.push_back(category);
      } else {
        values.push_back(figure.value);
      }
    }
    if (values.empty()) {
      return {};
    }
    if (!missing.empty()) {
      return undefined_figure(fmt::format("no figure of class {}", join(missing, ", ")));
    }
    return value_figure(mean_of(values));
  }

  // The mean of the seven means (metrics card, section 1), all unrounded.
  Figure mean_of_means() const {
    Values values;
    for (const auto& column : main_columns()) {
      if (column.key == "mad") {
        continue;
      }
      const Figure figure = mean(column.key);
      if (figure.state != Figure::State::kValue) {
        return figure;
      }
      values.push_back(figure.value);
    }
    return value_figure(mean_of(values));
  }

  const Group& group_;
  const Replicate& replicate_;
  Epoch which_;
};

// Mean and deviation over the seeds that have the figure; undefined where one of them is.
// bootstrap: nullptr without intervals
Figure over_seeds(const Group& group,
                  Epoch which,
                  const std::string& category,
                  const std::string& key,
                  Bootstrap* bootstrap) {
  Values values;
  for (const auto& replicate : group.replicates) {
    const Figure figure = Figures(group, replicate, which).at(category, key);
    if (figure.state == Figure::State::kUndefined) {
      return undefined_figure(group.replicates.size() == 1
                                  ? figure.reason
                                  : fmt::format("seed {}: {}", replicate.seed, figure.reason));
    }
    if (figure.state == Figure::State::kValue) {
      values.push_back(figure.value);
    }
  }
  Figure figure = mean_figure(values);
  if (bootstrap != nullptr) {
    figure.interval = bootstrap->interval(values);
  }
  return figure;
}

PublishedFigures select_published(const ReportOptions& options) {
  PublishedFigures selected;
  for (const auto& id : options.published_tables) {
    std::set<std::string> known;
    for (const auto& row : options.published) {
      known.insert(row.table_id);
      if (row.table_id == id) {
        selected.emplace(std::tuple(row.dataset, row.method, row.variant, row.category, row.metric),
                         row);
      }
    }
    if (!known.contains(id)) {
      throw Error(ErrorKind::kUsage,
                  unknown_name("published table", id, {known.begin(), known.end()}));
    }
  }
  return selected;
}

// The name under which a column's figure is published; "" when it never is. The papers' counter of
// multiply-accumulates counts normalisations too.
std::string published_key(const ReportColumn& column) {
  if (column.unit == "%") {
    return column.key;
  }
  return column.key == "parameters"                 ? "parameters"
         : column.key == "macs_with_norms"          ? "macs"
         : column.key == "train_s"                  ? "train_time"
         : column.key == "peak_device_memory_bytes" ? "train_memory"
                                                    : "";
}

std::string published_unit(const ReportColumn& column) {
  return column.unit == "%"     ? "percent"
         : column.unit == "M"   ? "million"
         : column.unit == "G"   ? "billion"
         : column.unit == "MiB" ? "MB"  // papers print what the GPU's tool shows, in MiB
                                : column.unit;
}

// Times and memory are those of a machine: the published ones are of another.
bool same_on_any_machine(const ReportColumn& column) {
  return column.unit == "%" || column.unit == "M" || column.unit == "G";
}

// The columns of the quality tables, and the keys of the efficiency table.
struct Columns {
  std::vector<ReportColumn> quality{};
  std::vector<std::string> efficiency{};
};

Columns columns_of(const ReportOptions& options) {
  if (options.metrics.empty()) {
    return {main_columns(), {}};
  }
  Columns columns;
  const auto known = column_keys();
  for (const auto& key : options.metrics) {
    const auto found = std::find_if(main_columns().begin(),
                                    main_columns().end(),
                                    [&](const ReportColumn& column) { return column.key == key; });
    if (found != main_columns().end()) {
      columns.quality.push_back(*found);
    } else if (std::find(known.begin(), known.end(), key) != known.end()) {
      columns.efficiency.push_back(key);
    } else {
      throw Error(ErrorKind::kUsage, unknown_name("metric", key, known));
    }
  }
  return columns;
}

// What each group's figures may be compared with.
void find_conditions(Report& report) {
  const auto find = [&](ReportGroup& group, bool any_weights) {
    if (group.seeds.empty()) {  // no figures, so none to compare
      group.condition = kNoCondition;
      return;
    }
    const std::string condition = condition_of(group);
    const auto found = std::find_if(
        report.conditions.begin(), report.conditions.end(), [&](const std::string& known) {
          return any_weights ? known.starts_with(condition) : known == condition;
        });
    group.condition = static_cast<std::size_t>(found - report.conditions.begin());
    if (found == report.conditions.end()) {
      report.conditions.push_back(condition);
    }
  };
  // A method without pretrained parts stands beside those with and without pretraining: it takes
  // the first mark that agrees in the rest.
  for (const bool any_weights : {false, true}) {
    for (auto& group : report.groups) {
      if (group.weights.resolved.empty() == any_weights) {
        find(group, any_weights);
      }
    }
  }
}

}  // namespace

void add_published(const PublishedFigures& published,
                   const ReportGroup& group,
                   const std::vector<ReportColumn>& columns,
                   std::vector<ReportRow>& rows) {
  if (group.setting != "multi") {
    return;  // the published tables are of the multi-class setting
  }
  const ReportRow measured = rows.back();
  ReportRow printed{
      .kind = RowKind::kPublished, .group = measured.group, .category = measured.category};
  ReportRow difference{
      .kind = RowKind::kDifference, .group = measured.group, .category = measured.category};
  bool any = false;
  bool differs = false;
  std::set<std::string> tables;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Figure shown;
    Figure change;
    const auto found = published.find({group.dataset,
                                       group.method,
                                       group.published_variant,
                                       measured.category,
                                       published_key(columns[i])});
    if (found != published.end() && found->second.unit == published_unit(columns[i])) {
      any = true;
      tables.insert(found->second.table_id);
      shown = value_figure(found->second.value);
      shown.printed = found->second.printed;
      if (measured.figures[i].state == Figure::State::kValue && same_on_any_machine(columns[i])) {
        differs = true;
        change = value_figure(measured.figures[i].value * columns[i].factor - found->second.value);
      }
    }
    printed.figures.push_back(shown);
    difference.figures.push_back(change);
  }
  if (any) {
    printed.published_table = join({tables.begin(), tables.end()}, ", ");
    rows.push_back(std::move(printed));
    if (differs) {
      rows.push_back(std::move(difference));
    }
  }
}

const std::vector<ReportColumn>& main_columns() {
  static const std::vector<ReportColumn> columns = {
      {.key = "image.auroc", .title = "image AUROC", .unit = "%", .factor = 100},
      {.key = "image.ap", .title = "image AP", .unit = "%", .factor = 100},
      {.key = "image.f1_max", .title = "image F1-max", .unit = "%", .factor = 100},
      {.key = "pixel.auroc", .title = "pixel AUROC", .unit = "%", .factor = 100},
      {.key = "pixel.ap", .title = "pixel AP", .unit = "%", .factor = 100},
      {.key = "pixel.f1_max", .title = "pixel F1-max", .unit = "%", .factor = 100},
      {.key = "pixel.aupro", .title = "pixel AU-PRO", .unit = "%", .factor = 100},
      {.key = "mad", .title = "mAD", .unit = "%", .factor = 100},
  };
  return columns;
}

std::vector<std::string> column_keys() {
  std::vector<std::string> keys;
  for (const auto& column : main_columns()) {
    keys.push_back(column.key);
  }
  const auto efficiency = efficiency_keys();
  keys.insert(keys.end(), efficiency.begin(), efficiency.end());
  return keys;
}

std::string condition_mark(std::size_t condition) {
  if (condition == kNoCondition) {
    return "";
  }
  std::string mark(1, static_cast<char>('A' + condition % 26));
  for (condition /= 26; condition > 0; condition /= 26) {
    --condition;
    mark.insert(mark.begin(), static_cast<char>('A' + condition % 26));
  }
  return mark;
}

std::vector<ReportRun> read_report_runs(const Store& store, const RunFilter& filter) {
  std::map<std::string, RunRow> cells;
  for (auto& run : store.find_runs(filter)) {
    const auto rank = [](const RunRow& row) {
      return std::pair(row.status == RunStatus::kFinished, row.attempt);
    };
    const auto known = cells.find(run.key);
    if (known == cells.end() || rank(known->second) < rank(run)) {
      std::string key = run.key;
      cells.insert_or_assign(std::move(key), std::move(run));
    }
  }
  std::map<std::int64_t, Environment> environments;
  std::vector<ReportRun> runs;
  for (auto& [key, run] : cells) {
    ReportRun found;
    if (run.status == RunStatus::kFinished && run.reported_epoch.has_value()) {
      found.metrics = store.metrics(run.id, *run.reported_epoch);
      if (run.last_epoch.has_value() && run.last_epoch != run.reported_epoch) {
        const auto last = store.metrics(run.id, *run.last_epoch);
        found.metrics.insert(found.metrics.end(), last.begin(), last.end());
      }
      found.counts = store.counts(run.id);
      found.efficiency = store.efficiency(run.id);
    }
    if (!environments.contains(run.environment)) {
      environments[run.environment] = store.environment(run.environment);
    }
    found.environment = environments[run.environment];
    found.run = std::move(run);
    runs.push_back(std::move(found));
  }
  std::sort(runs.begin(), runs.end(), [](const ReportRun& a, const ReportRun& b) {
    return a.run.id < b.run.id;
  });
  return runs;
}

Report build_report(std::vector<ReportRun> runs, const ReportOptions& options) {
  std::sort(runs.begin(), runs.end(), [](const ReportRun& a, const ReportRun& b) {
    return std::pair(a.run.id, a.run.key) < std::pair(b.run.id, b.run.key);
  });
  for (auto& run : runs) {
    if (!std::is_sorted(run.metrics.begin(), run.metrics.end(), before)) {
      std::stable_sort(run.metrics.begin(), run.metrics.end(), before);
    }
  }
  const PublishedFigures published = select_published(options);
  const std::vector<Group> groups = groups_of(runs, options);
  const Columns columns = columns_of(options);
  Report report;
  report.suite = options.suite;
  report.title = options.title;
  report.remarks = options.remarks;
  report.by_class = options.by_class;
  report.intervals = options.intervals;
  report.means.columns = report.classes.columns = columns.quality;
  for (const auto& group : groups) {
    report.groups.push_back(describe(group));
  }
  find_conditions(report);
  make_labels_unique(report.groups);

  Bootstrap bootstrap;
  const auto add_row =
      [&](ReportTable& table, std::size_t i, RowKind kind, const std::string& category) {
        ReportRow row{.kind = kind, .group = i, .category = category};
        const Epoch which = kind == RowKind::kLastEpoch ? Epoch::kLast : Epoch::kReported;
        for (const auto& column : table.columns) {
          row.figures.push_back(over_seeds(
              groups[i], which, category, column.key, options.intervals ? &bootstrap : nullptr));
        }
        table.rows.push_back(std::move(row));
      };
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::size_t>> by_class;
  for (std::size_t i = 0; i < groups.size() && !columns.quality.empty(); ++i) {
    add_row(report.means, i, RowKind::kMeasured, "");
    add_published(published, report.groups[i], report.means.columns, report.means.rows);
    if (report.groups[i].epoch_rule == "best_pixel_auroc") {
      add_row(report.means, i, RowKind::kLastEpoch, "");
    }
  }
  if (options.per_class && !columns.quality.empty()) {
    // All methods of a class stand together, classes in the order of the data set.
    std::vector<std::tuple<std::string, std::string, std::string>> order;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      for (const auto& category : groups[i].classes) {
        const std::tuple place(report.groups[i].dataset, report.groups[i].setting, category);
        add_once(order, place);
        by_class[place].push_back(i);
      }
    }
    for (const auto& place : order) {
      for (const std::size_t i : by_class[place]) {
        add_row(report.classes, i, RowKind::kMeasured, std::get<2>(place));
        add_published(published, report.groups[i], report.classes.columns, report.classes.rows);
      }
    }
  }
  if (options.metrics.empty() || !columns.efficiency.empty()) {
    report.efficiency = efficiency_table(groups, report.groups, columns.efficiency, published);
  }
  return report;
}

}  // namespace adb
