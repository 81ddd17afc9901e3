#include "reports/figures/axes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace adb {
namespace {

constexpr double kCharacter = 5.6;  // mean width of a character at the plots' 10 px

}  // namespace

double width_of(std::string_view text) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return kCharacter * static_cast<double>(characters);
}

Scale::Scale(const Axis& axis, double low, double high, double from, double to)
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

bool Scale::shows(double value) const {
  return std::isfinite(value) && (!logarithmic_ || value > 0);
}

double Scale::at(double value) const {
  const double position = ((logarithmic_ ? std::log10(value) : value) - low_) / (high_ - low_);
  return from_ + std::clamp(position, -0.2, 1.2) * (to_ - from_);
}

// Steps of 1, 2 or 5 times a power of ten; open ends grow to a whole step.
void Scale::add_linear_ticks(const Axis& axis) {
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
void Scale::add_logarithmic_ticks() {
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

void Extent::add(double value, bool logarithmic) {
  if (std::isfinite(value) && (!logarithmic || value > 0)) {
    // Twice this is still finite: the difference of two ends must be.
    constexpr double kLargest = 1e307;
    low = std::min(low, std::clamp(value, -kLargest, kLargest));
    high = std::max(high, std::clamp(value, -kLargest, kLargest));
  }
}

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
    const std::string text = short_number(tick);
    add_text(out, std::min(x.at(tick), width - width_of(text) / 2), bottom + 13, "k m", text);
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

}  // namespace adb
