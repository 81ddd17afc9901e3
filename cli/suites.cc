#include "cli/suites.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/text.h"
#include "datasets/catalog.h"
#include "results/published.h"

namespace adb {
namespace {

[[noreturn]] void unknown(const std::string& place,
                          const char* what,
                          const std::string& name,
                          const std::set<std::string>& known) {
  throw Error(ErrorKind::kConfig,
              fmt::format("{}: {}", place, unknown_name(what, name, {known.begin(), known.end()})));
}

const SuiteCell& cell_of(const Suite& suite, const SuiteRow& row) {
  return *std::find_if(suite.cells.begin(), suite.cells.end(), [&](const SuiteCell& cell) {
    return cell.name == row.cell;
  });
}

void check_suite(const Suite& suite, const std::vector<PublishedRow>& published) {
  const auto keys = column_keys();
  for (const auto& column : suite.columns) {
    if (std::find(keys.begin(), keys.end(), column.text) == keys.end()) {
      unknown(column.place, "column", column.text, {keys.begin(), keys.end()});
    }
  }
  std::set<std::string> tables;
  for (const auto& row : published) {
    tables.insert(row.table_id);
  }
  for (const auto& id : suite.published) {
    if (!tables.contains(id.text)) {
      unknown(id.place, "published table", id.text, tables);
    }
  }
  for (const auto& row : suite.rows) {
    std::set<std::string> variants;
    for (const auto& candidate : published) {
      const bool shown =
          std::any_of(suite.published.begin(), suite.published.end(), [&](const PlacedText& id) {
            return id.text == candidate.table_id;
          });
      if (shown && candidate.method == cell_of(suite, row).method &&
          candidate.dataset == suite.dataset) {
        variants.insert(candidate.variant);
      }
    }
    if (!row.published.empty() && !variants.contains(row.published)) {
      unknown(row.place, "published row", row.published, variants);
    }
  }
}

// What readers must know before they compare a suite's figures.
std::vector<std::string> remarks_of(const Suite& suite,
                                    const std::vector<PublishedRow>& published,
                                    const std::vector<NamedRow>& rows,
                                    const std::string& metric_mode) {
  std::string first = fmt::format("{}: {}", suite.name, suite.title);
  std::set<std::string> sources;
  for (const auto& row : published) {
    for (const auto& id : suite.published) {
      if (row.table_id == id.text) {
        sources.insert(row.source);
      }
    }
  }
  if (!sources.empty()) {
    first += fmt::format("; published figures: {}, as printed",
                         join({sources.begin(), sources.end()}, "; "));
  }
  std::vector<std::string> remarks = {first};
  if (suite.published.empty()) {
    return remarks;
  }
  std::set<std::string> others;
  bool beside = false;
  for (const auto& row : rows) {
    beside = beside || row.dataset == suite.dataset;
    if (row.dataset != suite.dataset) {
      others.insert(row.dataset);
    }
  }
  for (const auto& other : others) {
    remarks.push_back(fmt::format(
        "The published figures are of {}: none stand beside those of {}.", suite.dataset, other));
  }
  const bool from_grid =
      std::any_of(suite.columns.begin(), suite.columns.end(), [](const PlacedText& column) {
        return column.text == "pixel.f1_max" || column.text == "pixel.aupro";
      });
  if (beside && from_grid && metric_mode != "ader") {
    remarks.emplace_back(
        "Published pixel F1-max and AU-PRO, and with them mAD, come from grid approximations "
        "(metric mode ader).");
  }
  return remarks;
}

// The keys of the stored runs that belong to a row.
std::vector<std::string> keys_of(const std::vector<RunRow>& runs,
                                 const Cell& cell,
                                 const std::vector<std::string>& categories) {
  std::set<std::string> keys;
  for (const auto& run : runs) {
    if (run_matches(run, cell, categories)) {
      keys.insert(run.key);
    }
  }
  return {keys.begin(), keys.end()};
}

}  // namespace

std::vector<Suite> open_suites(const std::vector<std::string>& names) {
  const auto share = share_folder();
  const auto catalogue = method_catalogue();
  const auto published = read_published(share / "published");
  std::vector<Suite> suites;
  for (const auto& name : names) {
    const bool twice = std::any_of(
        suites.begin(), suites.end(), [&](const Suite& suite) { return suite.name == name; });
    if (!twice) {
      suites.push_back(read_suite(share, name, catalogue.methods));
      check_suite(suites.back(), published);
    }
  }
  return suites;
}

std::string suite_reports(const Store& store,
                          const Selection& selection,
                          const PlanSources& sources,
                          ReportFormat format,
                          const SuiteReportOptions& wanted) {
  ADB_CHECK(format != ReportFormat::kCsv || selection.suites.size() == 1,
            ErrorKind::kUsage,
            "--format csv: the columns of several suites differ; give one --suite");
  const auto published = read_published(sources.share / "published");
  const auto drafts = draft_cells(selection, sources);
  Selection own_selection;  // the suites without the user's changes
  own_selection.suites = selection.suites;
  const auto own_drafts = draft_cells(own_selection, sources);
  RunFilter filter;
  for (const auto& draft : drafts) {
    filter.methods.push_back(draft.cell.method->name);
  }
  const auto stored = store.find_runs(filter);
  std::vector<Report> reports;
  for (std::size_t s = 0; s < selection.suites.size(); ++s) {
    const auto& suite = selection.suites[s];
    ReportOptions options;
    options.suite = suite.name;
    options.title = suite.title;
    options.by_class = options.per_class = suite.by_class;
    options.metric_mode = wanted.metric_mode;
    options.intervals = wanted.intervals;
    options.published = published;
    for (const auto& id : suite.published) {
      options.published_tables.push_back(id.text);
    }
    for (const auto& column : suite.columns) {
      options.metrics.push_back(column.text);
    }
    RunFilter members;
    for (const auto& draft : drafts) {
      if (draft.suite != s) {
        continue;
      }
      const auto& row = suite.rows[draft.row];
      const auto& own =
          *std::find_if(own_drafts.begin(), own_drafts.end(), [&](const CellDraft& candidate) {
            return candidate.suite == s && candidate.row == draft.row;
          });
      NamedRow named;
      named.keys = keys_of(stored, draft.cell, selection.categories);
      members.keys.insert(members.keys.end(), named.keys.begin(), named.keys.end());
      named.label = row.label;
      named.published_variant = row.published;
      named.note = row.note;
      named.departures = departures(draft.cell, own.cell);
      if (!row.differs.empty()) {
        named.departures.push_back(row.differs);
      }
      named.wants_pretrained = !draft.cell.method->weights_option.empty() &&
                               !own.cell.weights.random() &&
                               draft.cell.options.at("weights") != "random";
      named.method = draft.cell.method->name;
      named.dataset = dataset_name(draft.cell.dataset);
      named.setting = draft.cell.setting;
      options.rows.push_back(std::move(named));
    }
    options.remarks = remarks_of(suite, published, options.rows, wanted.metric_mode);
    // No keys would mean every run of the store.
    reports.push_back(build_report(
        members.keys.empty() ? std::vector<ReportRun>() : read_report_runs(store, members),
        options));
  }
  if (format == ReportFormat::kJson) {
    Json suites = Json::array();
    for (const auto& report : reports) {
      suites.push_back(report_json(report));
    }
    return json_document({{"suites", suites}});
  }
  std::string text;
  for (const auto& report : reports) {
    text += text.empty() ? "" : "\n";
    text += render_report(report, format);
  }
  return text;
}

}  // namespace adb
