#include <algorithm>
#include <map>

#include "reports/figures/parts.h"

namespace adb {

std::string resolution_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  const std::size_t column = metric_column(view.report.means, options.metric);
  const ReportColumn& metric = view.report.means.columns[column];
  // A line for each set of runs that differ in nothing but the size (and what follows from it).
  std::map<std::string, std::vector<std::pair<double, std::size_t>>> lines;
  for (const std::size_t group : place.groups) {
    RunRow run = view.groups[group].runs.front()->run;
    if (!run.options.contains("image_size") || !run.options["image_size"].is_number()) {
      continue;
    }
    const double size = run.options["image_size"].get<double>();
    run.options.erase("image_size");
    const ReportGroup& shown = view.report.groups[group];
    lines[canonical_json({run.method,
                          run.method_version,
                          run.protocol,
                          run.protocol_version,
                          run.epoch_rule,
                          run.options,
                          run.weights.resolved,
                          run.classes,
                          shown.metrics.mode,
                          shown.metrics.version,
                          shown.metrics.fpr_limit})]
        .emplace_back(size, group);
  }
  LinePlot plot{.title = fmt::format("{} by input size, {}", metric.title, place_title(place)),
                .x = {.title = "input size (px)", .whole = true},
                .y = {.title = metric.title + " (%)"},
                .width = 420,
                .height = 280,
                .legend = true};
  for (auto& [key, sizes] : lines) {
    std::sort(sizes.begin(), sizes.end());
    Line line{.name = view.groups[sizes[0].second].runs.front()->run.method_title,
              .style = plot.lines.size()};
    for (const auto& [size, group] : sizes) {
      const auto row =
          std::find_if(view.report.means.rows.begin(),
                       view.report.means.rows.end(),
                       [&](const ReportRow& candidate) {
                         return candidate.group == group && candidate.kind == RowKind::kMeasured;
                       });
      if (row->figures[column].state == Figure::State::kValue) {
        line.points.push_back({size, row->figures[column].value * metric.factor});
      }
    }
    if (line.points.size() > 1) {
      line.marks = line.points;
      plot.lines.push_back(std::move(line));
    }
  }
  ADB_CHECK(!plot.lines.empty(),
            ErrorKind::kUsage,
            "no method was run at more than one input size: run it with --set image_size=N");
  return line_plot(plot);
}

}  // namespace adb
