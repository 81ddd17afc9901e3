// The parts of the page; internal to reports/html.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/figures/plot.h"
#include "reports/groups.h"
#include "reports/html/page.h"
#include "reports/layout.h"

namespace adb {

// What all parts see. groups[i] and report.groups[i] are the same runs.
struct PageView {
  const PageInput* input = nullptr;
  std::vector<Group> groups{};
  Report report{};

  const PageRun& more(const ReportRun& run) const;
};

// Sorts the runs of `input`, which must outlive the view. throws: Error(kUsage) as build_report
PageView view_of(PageInput& input);

// Groups of one data set and setting; `condition` too where figures are compared.
struct Place {
  std::string dataset{};
  std::string setting{};
  std::vector<std::size_t> groups{};
};
std::vector<Place> places_of(const PageView& view);
std::string place_title(const Place& place);

// The groups of a place by condition: only those compare.
std::vector<std::vector<std::size_t>> comparable_groups(const PageView& view, const Place& place);

// Reasons of undefined figures, numbered in the order in which they appear.
class NoteList {
 public:
  std::size_t number_of(const std::string& reason);
  const std::vector<std::string>& reasons() const { return reasons_; }

 private:
  std::vector<std::string> reasons_{};
};

// " data-method=..." and so on: what the filters look at.
std::string filter_attributes(const ReportGroup& group);

// The method's name with a link to its runs and the mark of its condition.
std::string group_name(const PageView& view, std::size_t group);

// "<td ...>": figure with spread, rank and the value to sort by.
std::string figure_cell(
    const Figure& figure, const ReportColumn& column, RowKind kind, Rank rank, NoteList& notes);

std::string in_figure(const std::string& svg);  // "<figure>...</figure>"

std::string leaderboard_section(const PageView& view, NoteList& notes);
std::string class_section(const PageView& view, NoteList& notes);
std::string cost_section(const PageView& view);
std::string efficiency_section(const PageView& view, NoteList& notes);
std::string training_section(const PageView& view);
std::string class_curve_section(const PageView& view);

// The runs with their provenance; curves of at most `curve_bytes` go with them.
std::string run_section(const PageView& view, std::size_t curve_bytes);

// Test images of at most `bytes`; "" when there are none.
std::string image_section(const PageView& view, std::size_t bytes);

// Runs of one method that differ in nothing but the size of the input (and what follows from it).
struct SizeSeries {
  std::string name{};
  std::vector<std::pair<double, std::size_t>> groups{};  // size and group, at two sizes at least
};

// Of a place: lists of series that compare.
std::vector<std::vector<SizeSeries>> size_series(const PageView& view, const Place& place);

// One figure over the size, a line for each series.
//   column: of the table of means
LinePlot size_plot(const PageView& view, const std::vector<SizeSeries>& list, std::size_t column);

std::string resolution_section(const PageView& view);  // "" when nothing was run at two sizes

// The measured row of a group in a table of means or costs.
const ReportRow& measured_row(const ReportTable& table, std::size_t group);

// A mean metric or a curve of a group over its epochs: the mean of the runs that have it, at the
// epochs where all finished ones have it. points in percent for metrics.
std::vector<PlotPoint> mean_over_runs(const PageView& view,
                                      std::size_t group,
                                      const std::string& key);

}  // namespace adb
