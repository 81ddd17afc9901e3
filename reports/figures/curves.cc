#include <algorithm>
#include <map>

#include "reports/figures/parts.h"

namespace adb {

std::string curves_figure(const PageView& view) {
  const Place place = only_place(view);
  require_one_condition(view, place.groups);
  std::vector<LinePlot> plots;
  std::vector<Line> names;
  const auto add = [&](const std::string& title, const auto& points_of) {
    LinePlot plot{
        .title = title, .x = {.title = "epoch", .whole = true}, .width = 230, .height = 170};
    for (std::size_t i = 0; i < place.groups.size(); ++i) {
      Line line{.name = view.report.groups[place.groups[i]].label,
                .points = points_of(place.groups[i]),
                .style = i};
      const auto& reported = view.report.groups[place.groups[i]].reported_epochs;
      for (const auto& point : line.points) {
        if (!reported.empty() &&
            std::all_of(reported.begin(), reported.end(), [&](std::int64_t epoch) {
              return static_cast<double>(epoch) == point.x;
            })) {
          line.marks.push_back(point);
        }
      }
      plot.lines.push_back(std::move(line));
    }
    names = plot.lines;
    plots.push_back(std::move(plot));
  };
  for (const auto& column : view.report.means.columns) {
    add(column.title + " (%)",
        [&](std::size_t group) { return mean_over_runs(view, group, column.key); });
  }
  add("loss", [&](std::size_t group) {
    std::map<double, Values> by_epoch;
    for (const ReportRun* run : view.groups[group].runs) {
      for (const auto& row : view.more(*run).curves) {
        if (row.name == "loss") {
          by_epoch[static_cast<double>(row.epoch)].push_back(row.value);
        }
      }
    }
    std::vector<PlotPoint> points;
    for (const auto& [epoch, values] : by_epoch) {
      points.push_back({epoch, mean_of(values)});
    }
    return points;
  });
  ADB_CHECK(std::any_of(plots.begin(),
                        plots.end(),
                        [](const LinePlot& plot) {
                          return std::any_of(
                              plot.lines.begin(), plot.lines.end(), [](const Line& line) {
                                return line.points.size() > 1;
                              });
                        }),
            ErrorKind::kUsage,
            "no run has more than one test: no curve to draw");
  constexpr int kColumns = 3;
  const std::string key = legend(names, kColumns * 240);
  const int key_height = std::stoi(key.substr(key.find("viewBox=\"0 0 720 ") + 17));
  const int rows = static_cast<int>(plots.size() + kColumns - 1) / kColumns;
  const int height = rows * 180 + key_height + 6;
  std::string out =
      open_svg(kColumns * 240, height, place_title(place) + ": over training", "plot");
  out += placed(key, 8, 2, kColumns * 240, key_height);
  for (std::size_t i = 0; i < plots.size(); ++i) {
    const int column = static_cast<int>(i) % kColumns;
    const int row = static_cast<int>(i) / kColumns;
    out += placed(line_plot(plots[i]), column * 240, key_height + 6 + row * 180, 230, 170);
  }
  return out + "</svg>";
}

}  // namespace adb
