#include "datasets/synth/scene.h"

#include <algorithm>
#include <cmath>

namespace adb::synth {

double to_circle(Point p, Point centre, double radius) {
  const double x = p.x - centre.x, y = p.y - centre.y;
  return std::sqrt(x * x + y * y) - radius;
}

double to_box(Point p, Point centre, double half_width, double half_height, double corner) {
  const double x = std::abs(p.x - centre.x) - half_width + corner;
  const double y = std::abs(p.y - centre.y) - half_height + corner;
  const double ox = std::max(x, 0.0), oy = std::max(y, 0.0);
  return std::sqrt(ox * ox + oy * oy) + std::min(std::max(x, y), 0.0) - corner;
}

double to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length2 = dx * dx + dy * dy;
  const double t = length2 > 0 ? clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0, 1) : 0;
  const double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;
  return std::sqrt(x * x + y * y);
}

Blob::Blob(Stream& stream, Point centre, double radius, double irregular)
    : centre_(centre),
      radius_(radius),
      stretch_(stream.uniform(1.0, 1.7)),
      irregular_(irregular),
      pose_(centre, stream.uniform()),
      key_(key_of(stream)) {}

double Blob::distance(Point p) const {
  const Point q = pose_.local(p);
  const double x = q.x / stretch_, y = q.y * stretch_;
  const double r = std::sqrt(x * x + y * y);
  if (r > 3 * radius_) {
    return r - radius_;
  }
  const double scale = 1.6 / radius_;
  return r - radius_ * (1 + irregular_ * fractal(key_, q.x * scale, q.y * scale, 3));
}

Stroke::Stroke(
    Stream& stream, Point start, double direction, double length, double wander, double width)
    : width_(width), low_(start), high_(start) {
  constexpr double kStep = 3;
  points_.push_back(start);
  for (double done = 0; done < length; done += kStep) {
    direction += stream.uniform(-wander, wander);
    start = {start.x + kStep * cosine(direction), start.y + kStep * sine(direction)};
    points_.push_back(start);
    low_ = {std::min(low_.x, start.x), std::min(low_.y, start.y)};
    high_ = {std::max(high_.x, start.x), std::max(high_.y, start.y)};
  }
}

double Stroke::distance(Point p) const {
  constexpr double kFar = 4;  // only the border region matters
  const double reach = width_ + kFar;
  if (p.x < low_.x - reach || p.x > high_.x + reach || p.y < low_.y - reach ||
      p.y > high_.y + reach) {
    return kFar;
  }
  double nearest = kFar;
  for (std::size_t k = 0; k + 1 < points_.size(); ++k) {
    const double middle = (static_cast<double>(k) + 0.5) / static_cast<double>(points_.size() - 1);
    const double half = 0.5 * width_ * (0.35 + 0.65 * bump(2 * middle - 1));
    nearest = std::min(nearest, to_segment(p, points_[k], points_[k + 1]) - half);
  }
  return nearest;
}

}  // namespace adb::synth
