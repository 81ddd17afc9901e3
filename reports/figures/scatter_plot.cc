#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "reports/figures/axes.h"

namespace adb {
namespace {

constexpr std::size_t kLabelled = 12;

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

}  // namespace adb
