// Quality against cost, curves over training, and curves of classes.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/text.h"
#include "reports/html/sections.h"

namespace adb {
namespace {

constexpr std::size_t kComparedLines = kPlotColours;  // in one plot
constexpr std::size_t kClassRuns = 8;                 // whose class curves are shown

std::size_t column_of(const ReportTable& table, const std::string& key) {
  const auto found = std::find_if(table.columns.begin(),
                                  table.columns.end(),
                                  [&](const ReportColumn& column) { return column.key == key; });
  return static_cast<std::size_t>(found - table.columns.begin());
}

// What quality is shown by: mAD, or the last column when the report has no mAD.
std::size_t quality_column(const ReportTable& means) {
  return std::min(column_of(means, "mad"), means.columns.size() - 1);
}

// Groups by quality, the best first; those without a figure are left out.
std::vector<std::size_t> best_groups(const PageView& view,
                                     std::vector<std::size_t> groups,
                                     std::size_t limit) {
  const ReportTable& means = view.report.means;
  const std::size_t quality = quality_column(means);
  const auto figure = [&](std::size_t group) -> const Figure& {
    return measured_row(means, group).figures[quality];
  };
  std::erase_if(groups,
                [&](std::size_t group) { return figure(group).state != Figure::State::kValue; });
  std::stable_sort(groups.begin(), groups.end(), [&](std::size_t a, std::size_t b) {
    return figure(a).value > figure(b).value;
  });
  groups.resize(std::min(groups.size(), limit));
  return groups;
}

std::string condition_title(const PageView& view, const std::vector<std::size_t>& groups) {
  return view.report.conditions.size() > 1
             ? fmt::format(" [{}]", condition_mark(view.report.groups[groups[0]].condition))
             : "";
}

std::string cost_plot(const PageView& view,
                      const std::vector<std::size_t>& groups,
                      const std::vector<std::string>& machines,
                      std::size_t column) {
  const ReportTable& costs = view.report.efficiency;
  const ReportTable& means = view.report.means;
  const std::size_t quality = quality_column(means);
  const ReportColumn& cost = costs.columns[column];
  const ReportColumn& gain = means.columns[quality];
  ScatterPlot plot;
  plot.title = fmt::format("{} over {}", gain.title, cost.title);
  plot.x = {.title = fmt::format("{} ({})", cost.title, cost.unit), .logarithmic = true};
  plot.y = {.title = gain.title + " (%)"};
  for (const std::size_t group : groups) {
    const Figure& x = measured_row(costs, group).figures[column];
    const Figure& y = measured_row(means, group).figures[quality];
    const double shown = x.value * cost.factor;
    if (x.state != Figure::State::kValue || y.state != Figure::State::kValue || shown <= 0) {
      continue;
    }
    const std::string machine = join(view.report.groups[group].devices, " and ");
    plot.points.push_back(
        {.label = view.report.groups[group].label,
         .x = shown,
         .y = y.value * gain.factor,
         .spread = y.sd.has_value() ? std::optional(*y.sd * gain.factor) : std::nullopt,
         .shape = static_cast<std::size_t>(std::find(machines.begin(), machines.end(), machine) -
                                           machines.begin())});
  }
  if (plot.points.size() < 2) {
    return "";  // one point says nothing that the table does not
  }
  mark_pareto_front(plot.points);
  return in_figure(scatter_plot(plot));
}

std::string legend_name(const PageView& view, std::size_t group) {
  const ReportGroup& shown = view.report.groups[group];
  return view.report.conditions.size() > 1
             ? fmt::format("{} [{}]", shown.label, condition_mark(shown.condition))
             : shown.label;
}

// One plot a metric, a line for each of the groups.
std::string training_plots(const PageView& view, const std::vector<std::size_t>& groups) {
  std::string out;
  std::vector<Line> names;
  for (const auto& column : view.report.means.columns) {
    LinePlot plot;
    plot.title = column.title;
    plot.x = {.title = "epoch", .whole = true};
    std::size_t style = 0;
    for (const std::size_t group : groups) {
      Line line{.name = legend_name(view, group),
                .points = mean_over_runs(view, group, column.key),
                .style = style++};
      // Marked where all seeds report the same epoch; each seed's own is in the runs' curves.
      const auto& reported = view.report.groups[group].reported_epochs;
      for (const auto& point : line.points) {
        if (std::all_of(reported.begin(), reported.end(), [&](std::int64_t epoch) {
              return static_cast<double>(epoch) == point.x;
            })) {
          line.marks.push_back(point);
        }
      }
      plot.lines.push_back(std::move(line));
    }
    if (std::all_of(plot.lines.begin(), plot.lines.end(), [](const Line& line) {
          return line.points.size() < 2;
        })) {
      continue;  // no course to show
    }
    names = plot.lines;
    out += in_figure(line_plot(plot));
  }
  return out.empty() ? "" : legend(names, 900) + "<div class=\"plots\">" + out + "</div>";
}

struct CurveKind {
  const char* title;
  Polyline CategoryCurves::*line;
  const char* x;
  const char* y;
};
constexpr CurveKind kCurveKinds[] = {
    {"image ROC", &CategoryCurves::image_roc, "false-positive rate", "true-positive rate"},
    {"image PR", &CategoryCurves::image_pr, "recall", "precision"},
    {"pixel ROC", &CategoryCurves::pixel_roc, "false-positive rate", "true-positive rate"},
    {"pixel PR", &CategoryCurves::pixel_pr, "recall", "precision"},
    {"PRO", &CategoryCurves::pixel_pro, "false-positive rate", "region overlap"},
};

std::vector<PlotPoint> points_of(const Polyline& line) {
  std::vector<PlotPoint> points;
  points.reserve(line.size());
  for (const auto& point : line) {
    points.push_back({point[0], point[1]});
  }
  return points;
}

struct NamedCurves {
  std::string name;
  const CategoryCurves* curves;
};

std::string class_plots(const std::string& category, const std::vector<NamedCurves>& runs) {
  std::string plots;
  std::vector<Line> names;
  for (const CurveKind& kind : kCurveKinds) {
    LinePlot plot;
    plot.title = kind.title;
    plot.x = {.title = kind.x, .low = 0.0};
    plot.y = {.title = kind.y, .low = 0.0};
    // The precision of pixels may be low throughout, the overlap ends at the limit.
    if (kind.line != &CategoryCurves::pixel_pr) {
      plot.y.high = 1.0;
    }
    if (kind.line != &CategoryCurves::pixel_pro) {
      plot.x.high = 1.0;
    }
    plot.width = 220;
    plot.height = 200;
    std::size_t style = 0;
    bool any = false;
    for (const auto& run : runs) {
      plot.lines.push_back(
          {.name = run.name, .points = points_of(run.curves->*kind.line), .style = style++});
      any = any || !plot.lines.back().points.empty();
    }
    names = plot.lines;
    if (any) {
      plots += in_figure(line_plot(plot));
    }
  }
  for (const auto& run : runs) {
    const ScoreHistogram& scores = run.curves->scores;
    if (!scores.normal.empty() || !scores.anomalous.empty()) {
      plots += in_figure(histogram_plot({.low = scores.low,
                                         .high = scores.high,
                                         .normal = scores.normal,
                                         .anomalous = scores.anomalous},
                                        "image scores, " + run.name));
    }
  }
  return fmt::format("<details><summary>{}</summary>{}<div class=\"plots\">{}</div></details>",
                     escape_markup(category),
                     legend(names, 900),
                     plots);
}

}  // namespace

const ReportRow& measured_row(const ReportTable& table, std::size_t group) {
  return *std::find_if(table.rows.begin(), table.rows.end(), [&](const ReportRow& row) {
    return row.group == group && row.kind == RowKind::kMeasured;
  });
}

std::vector<PlotPoint> mean_over_runs(const PageView& view,
                                      std::size_t group,
                                      const std::string& key) {
  std::map<std::int64_t, Values> by_epoch;
  std::size_t runs = 0;
  for (const ReportRun* run : view.groups[group].runs) {
    if (!finished(*run)) {
      continue;
    }
    ++runs;
    for (const auto& row : view.more(*run).means) {
      if (row.key == key && row.setting == view.groups[group].setting && row.value.has_value()) {
        by_epoch[row.epoch].push_back(*row.value);
      }
    }
  }
  std::vector<PlotPoint> points;
  for (const auto& [epoch, values] : by_epoch) {
    if (values.size() == runs) {
      points.push_back({static_cast<double>(epoch), mean_of(values) * 100});
    }
  }
  return points;
}

std::string cost_section(const PageView& view) {
  static constexpr const char* kCosts[] = {"time_per_image_ms",
                                           "peak_device_memory_bytes",
                                           "peak_memory_bytes",
                                           "parameters",
                                           "train_s"};
  const ReportTable& costs = view.report.efficiency;
  std::string out;
  for (const auto& place : places_of(view)) {
    for (const auto& groups : comparable_groups(view, place)) {
      std::vector<std::string> machines;
      for (const std::size_t group : groups) {
        if (!view.report.groups[group].devices.empty()) {
          add_once(machines, join(view.report.groups[group].devices, " and "));
        }
      }
      std::string plots;
      for (const char* key : kCosts) {
        if (const std::size_t column = column_of(costs, key); column < costs.columns.size()) {
          plots += cost_plot(view, groups, machines, column);
        }
      }
      if (plots.empty()) {
        continue;
      }
      static constexpr const char* kShapes[] = {"circle", "square", "triangle", "diamond"};
      std::vector<std::string> legend_parts;
      for (std::size_t i = 0; i < machines.size(); ++i) {
        legend_parts.push_back(
            (machines.size() > 1 ? std::string(kShapes[i % 4]) + ": " : std::string()) +
            machines[i]);
      }
      out += fmt::format("<h3>{}{}</h3><p>{}</p><div class=\"plots\">{}</div>",
                         escape_markup(place_title(place)),
                         condition_title(view, groups),
                         escape_markup(join(legend_parts, "; ")),
                         plots);
    }
  }
  return out.empty() ? ""
                     : "<section id=\"cost\"><h2>Quality against cost</h2><p>Filled points joined "
                       "by a dashed line: the Pareto front, where nothing is both cheaper and "
                       "better. Bars: standard deviation over seeds. Logarithmic costs; a cost "
                       "of 0 has no place there.</p>" +
                           out + "</section>";
}

std::string training_section(const PageView& view) {
  std::string out;
  for (const auto& place : places_of(view)) {
    for (const auto& groups : comparable_groups(view, place)) {
      const auto shown = best_groups(view, groups, kComparedLines);
      const std::string plots = training_plots(view, shown);
      if (plots.empty()) {
        continue;
      }
      const std::string limit =
          shown.size() < groups.size()
              ? fmt::format("<p>Rows shown: {} of {}, the best.</p>", shown.size(), groups.size())
              : "";
      out += fmt::format("<h3>{}{}</h3>{}{}",
                         escape_markup(place_title(place)),
                         condition_title(view, groups),
                         limit,
                         plots);
    }
  }
  return out.empty()
             ? ""
             : "<section id=\"training\"><h2>Over training</h2><p>Mean over classes and seeds in "
               "percent at every test; a ring marks the reported epoch. Losses and single seeds "
               "are with the <a href=\"#runs\">runs</a>.</p>" +
                   out + "</section>";
}

std::string class_curve_section(const PageView& view) {
  std::string out;
  for (const auto& place : places_of(view)) {
    std::vector<std::string> classes;
    std::map<std::string, std::vector<NamedCurves>> by_class;
    for (const std::size_t group : best_groups(view, place.groups, place.groups.size())) {
      // The first seed that left curves stands for its group.
      std::set<std::string> seen;
      for (const auto& replicate : view.groups[group].replicates) {
        for (const ReportRun* run : replicate.runs) {
          for (const auto& curves : view.more(*run).classes) {
            auto& lines = by_class[curves.category];
            if (lines.size() < kClassRuns && seen.insert(curves.category).second) {
              add_once(classes, curves.category);
              lines.push_back(
                  {.name = fmt::format("{}, seed {}", legend_name(view, group), replicate.seed),
                   .curves = &curves});
            }
          }
        }
      }
    }
    if (classes.empty()) {
      continue;
    }
    out += fmt::format("<h3>{}</h3>", escape_markup(place_title(place)));
    for (const auto& category : classes) {
      out += class_plots(category, by_class[category]);
    }
  }
  return out.empty() ? ""
                     : fmt::format(
                           "<section id=\"curves\"><h2>ROC, PR and PRO curves</h2><p>At the "
                           "reported epoch, the first seed of at most {} methods. Score "
                           "histograms: normal images grey, anomalous ones outlined, each scaled "
                           "to its largest bin.</p>{}</section>",
                           kClassRuns,
                           out);
}

}  // namespace adb
