#include "reports/figures/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace adb {
namespace {

constexpr double kCharacter = 5.6;  // mean width of a character at the plots' 10 px, in view units
constexpr std::size_t kLabelled = 12;

// Number of bytes of the valid UTF-8 sequence at the start of `text`, 0 when there is none.
// Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

double width_of(std::string_view text) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return kCharacter * static_cast<double>(characters);
}

// One axis: from values to view units.
class Scale {
 public:
  Scale(const Axis& axis, double low, double high, double from, double to)
      : logarithmic_(axis.logarithmic), from_(from), to_(to) {
    low = axis.low.value_or(low);
    high = axis.high.value_or(high);
    if (!(low <= high)) {  // no value at all
      low = logarithmic_ ? 1 : 0;
      high = logarithmic_ ? 10 : 1;
    }
    if (logarithmic_) {
      low_ = std::log10(low);
      high_ = std::log10(high);
      const double margin = std::max(0.08 * (high_ - low_), 0.15);
      low_ -= margin;
      high_ += margin;
      add_logarithmic_ticks();
      return;
    }
    low_ = low;
    high_ = high;
    if (low_ == high_) {
      const double margin = low_ == 0 || axis.whole ? 1 : 0.05 * std::abs(low_);
      low_ -= axis.low.has_value() ? 0 : margin;
      high_ += margin;
    }
    add_linear_ticks(axis);
  }

  bool shows(double value) const { return std::isfinite(value) && (!logarithmic_ || value > 0); }

  double at(double value) const {
    const double position = ((logarithmic_ ? std::log10(value) : value) - low_) / (high_ - low_);
    return from_ + std::clamp(position, -0.2, 1.2) * (to_ - from_);
  }

  const std::vector<double>& ticks() const { return ticks_; }

 private:
  // Steps of 1, 2 or 5 times a power of ten; open ends grow to a whole step.
  void add_linear_ticks(const Axis& axis) {
    const double rough = (high_ - low_) / 4;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    double step = power;
    for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
      step = factor * power;
      if (step >= rough * 0.999) {
        break;
      }
    }
    step = axis.whole ? std::max(1.0, std::round(step)) : step;
    if (!axis.low.has_value()) {
      low_ = std::floor(low_ / step + 1e-9) * step;
    }
    if (!axis.high.has_value()) {
      high_ = std::ceil(high_ / step - 1e-9) * step;
    }
    const double first = std::ceil(low_ / step - 1e-9);
    for (int i = 0; i < 12; ++i) {
      const double tick = (first + i) * step;
      if (tick > high_ + 1e-9 * step) {
        break;
      }
      ticks_.push_back(tick == 0 ? 0 : tick);  // never "-0"
    }
  }

  // Powers of ten when there are at least two of them, else 1, 2 and 5 times such.
  void add_logarithmic_ticks() {
    const auto add = [&](const std::vector<double>& factors) {
      ticks_.clear();
      for (int power = static_cast<int>(std::floor(low_)); power <= high_; ++power) {
        for (const double factor : factors) {
          const double tick = factor * std::pow(10, power);
          if (std::log10(tick) >= low_ && std::log10(tick) <= high_) {
            ticks_.push_back(tick);
          }
        }
      }
    };
    add({1});
    if (ticks_.size() < 3) {
      add({1, 2, 5});
    }
    if (ticks_.size() < 2) {
      add({1, 2, 3, 4, 5, 6, 7, 8, 9});
    }
  }

  bool logarithmic_;
  double from_;
  double to_;
  double low_ = 0;
  double high_ = 1;
  std::vector<double> ticks_{};
};

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value, bool logarithmic) {
    if (std::isfinite(value) && (!logarithmic || value > 0)) {
      // Twice this is still finite: the difference of two ends must be.
      constexpr double kLargest = 1e307;
      low = std::min(low, std::clamp(value, -kLargest, kLargest));
      high = std::max(high, std::clamp(value, -kLargest, kLargest));
    }
  }
};

// The inside of the axes.
struct Frame {
  double left = 38;
  double right = 8;
  double top = 20;
  double bottom = 32;
};

void add_text(
    std::string& out, double x, double y, std::string_view classes, std::string_view text) {
  fmt::format_to(std::back_inserter(out),
                 "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>",
                 x,
                 y,
                 classes,
                 escape_markup(text));
}

void add_axes(std::string& out,
              const Frame& frame,
              int width,
              int height,
              const Scale& x,
              const Scale& y,
              const Axis& x_axis,
              const Axis& y_axis,
              std::string_view title) {
  const double bottom = height - frame.bottom;
  const double right = width - frame.right;
  add_text(out, frame.left, 12, "t", title);
  std::string grid;
  for (const double tick : y.ticks()) {
    fmt::format_to(
        std::back_inserter(grid), "M{:.1f} {:.1f}H{:.1f}", frame.left, y.at(tick), right);
    add_text(out, frame.left - 4, y.at(tick) + 3, "k e", short_number(tick));
  }
  for (const double tick : x.ticks()) {
    fmt::format_to(std::back_inserter(grid), "M{:.1f} {:.1f}v3", x.at(tick), bottom);
    add_text(out, x.at(tick), bottom + 13, "k m", short_number(tick));
  }
  fmt::format_to(std::back_inserter(out), "<path class=\"g\" d=\"{}\"/>", grid);
  fmt::format_to(std::back_inserter(out),
                 "<path class=\"a\" d=\"M{0:.1f} {1:.1f}V{2:.1f}H{3:.1f}\"/>",
                 frame.left,
                 frame.top,
                 bottom,
                 right);
  add_text(out, (frame.left + right) / 2, height - 5, "k m", x_axis.title);
  if (!y_axis.title.empty()) {
    fmt::format_to(std::back_inserter(out),
                   "<text class=\"k m\" transform=\"translate(9 {:.1f}) rotate(-90)\">{}</text>",
                   (frame.top + bottom) / 2,
                   escape_markup(y_axis.title));
  }
}

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

std::string shape_path(std::size_t shape, double x, double y) {
  switch (shape % 4) {
    case 1:
      return fmt::format("M{:.1f} {:.1f}h7v7h-7z", x - 3.5, y - 3.5);
    case 2:
      return fmt::format("M{:.1f} {:.1f}l4.5 8h-9z", x, y - 5);
    case 3:
      return fmt::format("M{:.1f} {:.1f}l5 5l-5 5l-5 -5z", x, y - 5);
    default:
      return fmt::format("M{:.1f} {:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4, y);
  }
}

// Where labels of points go: right of the point, or left of it near the edge, moved up or down
// until no other label is under it.
class Labels {
 public:
  Labels(double right, double top, double bottom) : right_(right), top_(top), bottom_(bottom) {}

  void block(double x, double y, double w, double h) { taken_.push_back({x, y, w, h}); }

  void add(std::string& out, double x, double y, const std::string& text) {
    const double width = width_of(text);
    for (const double shift : {0.0, -9.0, 9.0, -17.0, 17.0, -25.0, 25.0}) {
      for (const bool left : {x + 8 + width > right_, x + 8 + width <= right_}) {
        const Box box = {left ? x - 8 - width : x + 8, y + shift - 5, width, 9};
        if (box.x < 0 || box.x + box.w > right_ + 6 || box.y < top_ || box.y + box.h > bottom_ ||
            std::any_of(
                taken_.begin(), taken_.end(), [&](const Box& other) { return meet(box, other); })) {
          continue;
        }
        taken_.push_back(box);
        add_text(out, left ? x - 8 : x + 8, y + shift + 3, left ? "k e" : "k", text);
        return;
      }
    }
  }

 private:
  struct Box {
    double x, y, w, h;
  };
  static bool meet(const Box& a, const Box& b) {
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  }

  double right_;
  double top_;
  double bottom_;
  std::vector<Box> taken_{};
};

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length > 1) {
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return out;
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e6)) {
    return fmt::format("{:.1e}", value);
  }
  return size >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string open_svg(int width, int height, std::string_view title, std::string_view kind) {
  return fmt::format("<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
                     kind,
                     width,
                     height,
                     escape_markup(title));
}

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

void mark_pareto_front(std::vector<ScatterPoint>& points) {
  for (auto& point : points) {
    point.front = std::isfinite(point.x) && std::isfinite(point.y) &&
                  std::none_of(points.begin(), points.end(), [&](const ScatterPoint& other) {
                    return other.x <= point.x && other.y >= point.y &&
                           (other.x < point.x || other.y > point.y);
                  });
  }
}

std::string scatter_plot(const ScatterPlot& plot) {
  Extent x_extent;
  Extent y_extent;
  for (const auto& point : plot.points) {
    x_extent.add(point.x, plot.x.logarithmic);
    for (const double sign : {-1.0, 0.0, 1.0}) {
      y_extent.add(point.y + sign * point.spread.value_or(0), plot.y.logarithmic);
    }
  }
  Frame frame;
  frame.left += plot.y.title.empty() ? 0 : 10;
  const Scale x(plot.x, x_extent.low, x_extent.high, frame.left, plot.width - frame.right);
  const Scale y(plot.y, y_extent.low, y_extent.high, plot.height - frame.bottom, frame.top);
  std::string out = open_svg(plot.width, plot.height, plot.title, "plot");
  add_axes(out, frame, plot.width, plot.height, x, y, plot.x, plot.y, plot.title);

  std::vector<const ScatterPoint*> shown;
  std::vector<const ScatterPoint*> front;
  for (const auto& point : plot.points) {
    if (x.shows(point.x) && y.shows(point.y)) {
      shown.push_back(&point);
      if (point.front) {
        front.push_back(&point);
      }
    }
  }
  std::sort(front.begin(), front.end(), [](const ScatterPoint* a, const ScatterPoint* b) {
    return std::pair(a->x, a->y) < std::pair(b->x, b->y);
  });
  if (front.size() > 1) {
    std::string path;
    for (const ScatterPoint* point : front) {
      path +=
          fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x.at(point->x), y.at(point->y));
    }
    fmt::format_to(std::back_inserter(out), "<path class=\"f\" d=\"{}\"/>", path);
  }
  Labels labels(plot.width, frame.top, plot.height - frame.bottom);
  for (const ScatterPoint* point : shown) {
    const double px = x.at(point->x);
    const double py = y.at(point->y);
    labels.block(px - 4, py - 4, 8, 8);
    if (point->spread.has_value() && *point->spread > 0 && y.shows(point->y - *point->spread)) {
      fmt::format_to(std::back_inserter(out),
                     "<path class=\"s\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>",
                     px,
                     y.at(point->y - *point->spread),
                     y.at(point->y + *point->spread));
      const double top = y.at(point->y + *point->spread);
      labels.block(px - 1, top, 2, y.at(point->y - *point->spread) - top);
    }
    fmt::format_to(std::back_inserter(out),
                   "<path class=\"{}\" d=\"{}\"><title>{}: {}, {}</title></path>",
                   point->front ? "p q" : "p",
                   shape_path(point->shape, px, py),
                   escape_markup(point->label),
                   short_number(point->x),
                   short_number(point->y));
  }
  for (const ScatterPoint* point : shown) {
    if (point->front || shown.size() <= kLabelled) {
      labels.add(out, x.at(point->x), y.at(point->y), point->label);
    }
  }
  return out + "</svg>";
}

std::string histogram_plot(const Histogram& histogram, const std::string& title) {
  constexpr int kWidth = 300;
  constexpr int kHeight = 120;
  Frame frame;
  frame.left = 8;
  frame.top = 20;
  frame.bottom = 20;
  const double bottom = kHeight - frame.bottom;
  std::string out = open_svg(kWidth, kHeight, title, "plot hist");
  add_text(out, frame.left, 12, "t", title);
  const Axis axis{.low = histogram.low, .high = histogram.high};
  const Scale x(axis, histogram.low, histogram.high, frame.left, kWidth - frame.right);
  const auto bars = [&](const std::vector<std::int64_t>& counts, std::string_view look) {
    const auto highest = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    if (highest <= 0) {
      return;
    }
    const double step = (kWidth - frame.left - frame.right) / static_cast<double>(counts.size());
    std::string path = fmt::format("M{:.1f} {:.1f}", frame.left, bottom);
    for (const std::int64_t count : counts) {
      const double share =
          static_cast<double>(std::max<std::int64_t>(count, 0)) / static_cast<double>(highest);
      fmt::format_to(
          std::back_inserter(path), "V{:.1f}h{:.2f}", bottom - share * (bottom - frame.top), step);
    }
    fmt::format_to(
        std::back_inserter(out), "<path class=\"{}\" d=\"{}V{:.1f}z\"/>", look, path, bottom);
  };
  bars(histogram.normal, "n");
  bars(histogram.anomalous, "x");
  fmt::format_to(std::back_inserter(out),
                 "<path class=\"a\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
                 frame.left,
                 bottom,
                 kWidth - frame.right);
  for (const double tick : x.ticks()) {
    add_text(out, x.at(tick), bottom + 13, "k m", short_number(tick));
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

std::string standalone_svg(const std::string& svg) {
  // The palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), yellow darkened for lines.
  static constexpr std::array<const char*, kPlotColours> kColours = {
      "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b08900", "#4db3e6", "#222222", "#8a5a2b"};
  std::string style =
      "<style>text{font:10px 'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#222}"
      ".t{font-weight:bold}.k{fill:#444}.e{text-anchor:end}.m{text-anchor:middle}"
      "path{fill:none}.g{stroke:#ddd;stroke-width:.6}.a{stroke:#444;stroke-width:.8}"
      ".r{stroke:#777;stroke-dasharray:2 2}.l{stroke-width:1.4;stroke-linejoin:round}"
      ".d1{stroke-dasharray:5 3}.d2{stroke-dasharray:1.5 2.5}.o{fill:#fff;stroke-width:1.4}"
      ".f{stroke:#0072b2;stroke-width:1;stroke-dasharray:4 3}.s{stroke:#888}"
      ".p{fill:#fff;stroke:#444}.q{fill:#0072b2;stroke:#0072b2}.n{fill:#bbb}"
      ".x{stroke:#d55e00;stroke-width:1.3}.w{stroke:#222;stroke-width:3}";
  for (std::size_t i = 0; i < kColours.size(); ++i) {
    style += fmt::format(".c{}{{stroke:{}}}", i, kColours[i]);
  }
  style += "</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
  const auto head = svg.find('>');
  std::string out = svg;
  out.insert(head + 1, style);
  // Its natural size in points is that of the view box.
  const auto box = svg.find("viewBox=\"0 0 ");
  if (box != std::string::npos) {
    const auto begin = box + 13;
    const auto space = svg.find(' ', begin);
    const auto end = svg.find('"', begin);
    out.insert(box,
               fmt::format("width=\"{}\" height=\"{}\" ",
                           svg.substr(begin, space - begin),
                           svg.substr(space + 1, end - space - 1)));
  }
  out.insert(4, " xmlns=\"http://www.w3.org/2000/svg\"");
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + out + "\n";
}

}  // namespace adb
