#include <utility>

#include <fmt/format.h>

#include "reports/figures/axes.h"

namespace adb {
namespace {

std::string line_class(std::size_t style) {
  return fmt::format("l c{} d{}", style % kPlotColours, style / kPlotColours % 3);
}

std::string line_path(const std::vector<PlotPoint>& points, const Scale& x, const Scale& y) {
  std::string path;
  bool pen_down = false;
  for (const auto& point : points) {
    if (!x.shows(point.x) || !y.shows(point.y)) {
      pen_down = false;
      continue;
    }
    fmt::format_to(std::back_inserter(path),
                   "{}{:.1f} {:.1f}",
                   std::exchange(pen_down, true) ? 'L' : 'M',
                   x.at(point.x),
                   y.at(point.y));
  }
  return path;
}

// Rows of a legend at that width: name, column and row of each.
struct LegendPlace {
  double x;
  double y;
};

std::vector<LegendPlace> legend_places(const std::vector<Line>& lines, double width) {
  std::vector<LegendPlace> places;
  double x = 0;
  double y = 0;
  for (const auto& line : lines) {
    const double needed = 30 + width_of(line.name);
    if (x > 0 && x + needed > width) {
      x = 0;
      y += 15;
    }
    places.push_back({x, y});
    x += needed;
  }
  return places;
}

double legend_height(const std::vector<Line>& lines, double width) {
  const auto places = legend_places(lines, width);
  return places.empty() ? 0 : places.back().y + 15;
}

void add_legend(
    std::string& out, const std::vector<Line>& lines, double width, double left, double top) {
  const auto places = legend_places(lines, width);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double x = left + places[i].x;
    const double y = top + places[i].y + 10;
    fmt::format_to(std::back_inserter(out),
                   "<path class=\"{}\" d=\"M{:.1f} {:.1f}h16\"/>",
                   line_class(lines[i].style),
                   x,
                   y - 3);
    add_text(out, x + 20, y, "k", lines[i].name);
  }
}

}  // namespace

std::string line_plot(const LinePlot& plot) {
  Extent x_extent;
  Extent y_extent;
  for (const auto& line : plot.lines) {
    for (const auto& point : line.points) {
      x_extent.add(point.x, plot.x.logarithmic);
      y_extent.add(point.y, plot.y.logarithmic);
    }
  }
  Frame frame;
  frame.left += plot.y.title.empty() ? 0 : 10;
  const double names = plot.legend ? legend_height(plot.lines, plot.width - frame.left) + 4 : 0;
  const Scale x(plot.x, x_extent.low, x_extent.high, frame.left, plot.width - frame.right);
  const Scale y(plot.y, y_extent.low, y_extent.high, plot.height - frame.bottom, frame.top);
  std::string out = open_svg(plot.width, plot.height + static_cast<int>(names), plot.title, "plot");
  add_axes(out, frame, plot.width, plot.height, x, y, plot.x, plot.y, plot.title);
  if (plot.rule.has_value() && x.shows(*plot.rule)) {
    fmt::format_to(std::back_inserter(out),
                   "<path class=\"r\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>",
                   x.at(*plot.rule),
                   frame.top,
                   plot.height - frame.bottom);
  }
  for (const auto& line : plot.lines) {
    const std::string path = line_path(line.points, x, y);
    if (!path.empty()) {
      fmt::format_to(std::back_inserter(out),
                     "<path class=\"{}\" d=\"{}\"><title>{}</title></path>",
                     line_class(line.style),
                     path,
                     escape_markup(line.name));
    }
    // A single test is a point, not a line.
    const bool alone = line.points.size() == 1;
    for (const auto& mark : alone&& line.marks.empty() ? line.points : line.marks) {
      if (x.shows(mark.x) && y.shows(mark.y)) {
        fmt::format_to(std::back_inserter(out),
                       "<circle class=\"o c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>",
                       line.style % kPlotColours,
                       x.at(mark.x),
                       y.at(mark.y));
      }
    }
  }
  if (plot.legend) {
    add_legend(out, plot.lines, plot.width - frame.left, frame.left, plot.height);
  }
  return out + "</svg>";
}

std::string legend(const std::vector<Line>& lines, int width) {
  const int height = static_cast<int>(legend_height(lines, width));
  std::string out = fmt::format(
      "<svg class=\"plot legend\" viewBox=\"0 0 {} {}\" aria-hidden=\"true\">", width, height);
  add_legend(out, lines, width, 0, 0);
  return out + "</svg>";
}

}  // namespace adb
