// Plots as SVG text, for the page and for files of their own. Every drawn thing has a class and no
// colour: the page's style sheet colours it, light or dark, and standalone_svg adds the colours of
// paper. Equal input gives equal bytes; values that are not finite are left out, never printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adb {

// Text as it may stand in HTML and SVG, in attributes too: & < > " ' as entities, control
// characters as '?'. Invalid UTF-8 becomes '?', byte by byte.
std::string escape_markup(std::string_view text);

// A number for a tick or a label: at most four significant digits, no exponent between 1e-4 and
// 1e6.
std::string short_number(double value);

inline constexpr std::size_t kPlotColours = 8;  // series beyond start again, with another dash

struct PlotPoint {
  double x = 0;
  double y = 0;
};

struct Axis {
  std::string title{};
  bool logarithmic = false;  // values <= 0 are then left out
  bool whole = false;        // ticks at whole numbers only: epochs
  std::optional<double> low{};
  std::optional<double> high{};  // without: from the values
};

// A line; where a point is not finite it is interrupted.
struct Line {
  std::string name{};
  std::vector<PlotPoint> points{};
  std::vector<PlotPoint> marks{};  // points to ring: the reported epoch
  std::size_t style = 0;           // colour and dash
};

struct LinePlot {
  std::string title{};
  Axis x{};
  Axis y{};
  std::vector<Line> lines{};
  std::optional<double> rule{};  // a vertical line: the reported epoch, a false-positive limit
  int width = 300;               // of the view box; the page scales it
  int height = 200;
  bool legend = false;  // the names below the plot; without, they are tooltips
};

std::string line_plot(const LinePlot& plot);

struct ScatterPoint {
  std::string label{};
  double x = 0;
  double y = 0;
  std::optional<double> spread{};  // standard deviation of y
  std::size_t shape = 0;           // circle, square, triangle, diamond: the machine
  bool front = false;              // on the Pareto front
};

struct ScatterPlot {
  std::string title{};
  Axis x{};
  Axis y{};
  std::vector<ScatterPoint> points{};
  int width = 360;
  int height = 260;
};

// Sets `front` of the points that no other one beats: smaller x and larger y are better. Of equal
// points all are on it.
void mark_pareto_front(std::vector<ScatterPoint>& points);

// Points with their labels (all when there are at most twelve, else those of the front), and a line
// through the front.
std::string scatter_plot(const ScatterPlot& plot);

struct Histogram {
  double low = 0;
  double high = 0;
  std::vector<std::int64_t> normal{};     // counts of equal bins from low to high
  std::vector<std::int64_t> anomalous{};  // as many
};

// Two histograms in one frame, normal filled and anomalous outlined, each scaled to its own number
// of images.
std::string histogram_plot(const Histogram& histogram, const std::string& title);

// A list of names with the look of their lines.
std::string legend(const std::vector<Line>& lines, int width);

// An SVG of this file as a document of its own: with its name space, its colours and a white
// ground.
std::string standalone_svg(const std::string& svg);

// "<svg ...>" of that view box, with a title that screen readers say.
std::string open_svg(int width, int height, std::string_view title, std::string_view kind);

}  // namespace adb
