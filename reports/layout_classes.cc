// A paper's table of classes: a line for each class, a column for each method.
#include <algorithm>
#include <map>
#include <tuple>

#include "core/text.h"
#include "reports/groups.h"
#include "reports/layout.h"

namespace adb {
namespace {

// Where the figures of a group, class and kind stand.
struct Line {
  const ReportRow* row = nullptr;
  std::size_t index = 0;         // in its table
  const Ranks* ranks = nullptr;  // of its table
};

using Lines = std::map<std::tuple<std::size_t, std::string, RowKind>, Line>;

void collect(const ReportTable& table, const Ranks& ranks, Lines& lines) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto& row = table.rows[i];
    lines[{row.group, row.category, row.kind}] = {&row, i, &ranks};
  }
}

TextCell cell_of(const Line& line,
                 const std::vector<ReportColumn>& columns,
                 RowKind kind,
                 const std::function<std::size_t(const std::string&)>& footnote) {
  TextCell cell;
  std::vector<std::string> texts;
  bool any = false;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const auto& figure = line.row->figures[column];
    any = any || figure.state != Figure::State::kMissing;
    const auto rank = line.ranks->find({line.index, column});
    cell.parts.push_back({.text = figure_text(figure, columns[column], kind, footnote),
                          .rank = rank == line.ranks->end() ? Rank::kNone : rank->second});
    texts.push_back(cell.parts.back().text);
  }
  if (!any) {
    return {.text = "-"};
  }
  cell.text = join(texts, "/");
  return cell;
}

}  // namespace

TextTable lay_out_classes(const Report& report,
                          const std::function<std::size_t(const std::string&)>& footnote) {
  TextTable table;
  const auto& columns = report.means.columns;
  std::vector<std::string> titles;
  for (const auto& column : columns) {
    titles.push_back(column.title);
  }
  std::vector<std::string> places;
  std::vector<std::string> classes;
  table.header.emplace_back("class");
  for (const auto& group : report.groups) {
    add_once(places, place_of(group));
    for (const auto& category : group.classes) {
      add_once(classes, category);
    }
    table.header.push_back(marked_label(report, group));
  }
  table.title =
      fmt::format("{}. {}: {}", printable(report.title), join(places, "; "), join(titles, " / "));
  const Ranks class_ranks = rank_figures(report, report.classes);
  const Ranks mean_ranks = rank_figures(report, report.means);
  Lines lines;
  collect(report.classes, class_ranks, lines);
  collect(report.means, mean_ranks, lines);
  classes.emplace_back("");  // the mean stands last, as in papers
  for (const auto& category : classes) {
    for (const auto& [kind, name] : {std::pair(RowKind::kMeasured, ""),
                                     std::pair(RowKind::kLastEpoch, "  last epoch"),
                                     std::pair(RowKind::kPublished, "  published"),
                                     std::pair(RowKind::kDifference, "  difference")}) {
      const std::string title = category.empty() ? "mean" : printable(category);
      std::vector<TextCell> cells = {{.text = kind == RowKind::kMeasured ? title : name}};
      bool any = kind == RowKind::kMeasured;
      for (std::size_t group = 0; group < report.groups.size(); ++group) {
        const auto line = lines.find({group, category, kind});
        if (line == lines.end()) {
          cells.push_back({.text = "-"});
          continue;
        }
        any = true;
        cells.push_back(cell_of(line->second, columns, kind, footnote));
        if (kind == RowKind::kDifference && !report.groups[group].departures.empty()) {
          cells.back().parts.push_back({.text = kDeparts});
          cells.back().text += fmt::format("/{}", kDeparts);
        }
      }
      if (any) {
        table.rows.push_back(std::move(cells));
      }
    }
  }
  return table;
}

}  // namespace adb
