// The figures over the input size.
#include <algorithm>
#include <map>
#include <set>

#include "reports/html/sections.h"

namespace adb {
namespace {

constexpr const char* kSize = "image_size";

// What figures must have in common but for the evaluation size, which follows the input's.
std::string condition_at_any_size(ReportGroup group) {
  group.metrics.eval_size = MetricSetting{}.eval_size;
  return condition_of(group);
}

}  // namespace

std::vector<std::vector<SizeSeries>> size_series(const PageView& view, const Place& place) {
  std::map<std::string, std::map<std::string, SizeSeries>> by_condition;
  for (const std::size_t group : place.groups) {
    const ReportGroup& shown = view.report.groups[group];
    const auto& figures = measured_row(view.report.means, group).figures;
    if (std::none_of(figures.begin(), figures.end(), [](const Figure& figure) {
          return figure.state == Figure::State::kValue;
        })) {
      continue;
    }
    const RunRow& run = view.groups[group].runs.front()->run;
    Json options = run.options;
    if (!options.contains(kSize) || !options[kSize].is_number()) {
      continue;
    }
    const double size = options[kSize].get<double>();
    options.erase(kSize);
    by_condition[condition_at_any_size(shown)][canonical_json({run.method,
                                                               run.method_version,
                                                               options,
                                                               run.weights.resolved,
                                                               run.classes,
                                                               shown.data_manifests,
                                                               run.textures,
                                                               run.external})]
        .groups.emplace_back(size, group);
  }
  std::vector<std::vector<SizeSeries>> lists;
  for (auto& [condition, by_key] : by_condition) {
    std::vector<SizeSeries> list;
    std::vector<ReportGroup> names;
    for (auto& [key, series] : by_key) {
      std::sort(series.groups.begin(), series.groups.end());
      if (series.groups.front().first == series.groups.back().first) {
        continue;  // one size
      }
      names.push_back(view.report.groups[series.groups.front().second]);
      names.back().label = view.groups[series.groups.front().second].runs.front()->run.method_title;
      std::erase_if(names.back().changed_options,
                    [](const ChangedOption& option) { return option.path == kSize; });
      list.push_back(std::move(series));
    }
    make_labels_unique(names);
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i].name = names[i].label;
    }
    if (!list.empty()) {
      lists.push_back(std::move(list));
    }
  }
  return lists;
}

LinePlot size_plot(const PageView& view, const std::vector<SizeSeries>& list, std::size_t column) {
  const ReportTable& means = view.report.means;
  const ReportColumn& metric = means.columns[column];
  LinePlot plot{.title = metric.title, .x = {.title = "input size (px)", .whole = true}};
  for (const auto& series : list) {
    Line line{.name = series.name, .style = plot.lines.size()};
    for (const auto& [size, group] : series.groups) {
      const Figure& figure = measured_row(means, group).figures[column];
      if (figure.state == Figure::State::kValue) {
        line.points.push_back({size, figure.value * metric.factor});
      }
    }
    line.marks = line.points;
    plot.lines.push_back(std::move(line));
  }
  return plot;
}

std::string resolution_section(const PageView& view) {
  std::string out;
  for (const auto& place : places_of(view)) {
    for (const auto& list : size_series(view, place)) {
      std::string plots;
      std::vector<Line> names;
      for (std::size_t column = 0; column < view.report.means.columns.size(); ++column) {
        const LinePlot plot = size_plot(view, list, column);
        names = plot.lines;
        plots += in_figure(line_plot(plot));
      }
      out += fmt::format("<h3>{}</h3>{}<div class=\"plots\">{}</div>",
                         escape_markup(place_title(place)),
                         legend(names, 900),
                         plots);
    }
  }
  return out.empty() ? ""
                     : "<section id=\"resolution\"><h2>Input size</h2><p>Means over classes and "
                       "seeds in percent; the runs of a line differ in nothing but the side of "
                       "the input and the size at which they are evaluated.</p>" +
                           out + "</section>";
}

}  // namespace adb
