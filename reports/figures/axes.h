// Axes, frame and text of the plots; internal to reports/figures.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/plot.h"

namespace adb {

// Of a text at the plots' 10 px, about, in view units.
double width_of(std::string_view text);

// One axis: from values to view units.
class Scale {
 public:
  Scale(const Axis& axis, double low, double high, double from, double to);

  bool shows(double value) const;
  double at(double value) const;
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  void add_linear_ticks(const Axis& axis);
  void add_logarithmic_ticks();

  bool logarithmic_;
  double from_;
  double to_;
  double low_ = 0;
  double high_ = 1;
  std::vector<double> ticks_{};
};

// The least and the largest of the values that an axis can show.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value, bool logarithmic);
};

// The inside of the axes.
struct Frame {
  double left = 38;
  double right = 8;
  double top = 20;
  double bottom = 32;
};

void add_text(
    std::string& out, double x, double y, std::string_view classes, std::string_view text);

void add_axes(std::string& out,
              const Frame& frame,
              int width,
              int height,
              const Scale& x,
              const Scale& y,
              const Axis& x_axis,
              const Axis& y_axis,
              std::string_view title);

}  // namespace adb
