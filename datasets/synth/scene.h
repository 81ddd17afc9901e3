// What every category of the generator is made of: shapes, and a scene that gives the colour of a
// point.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/seed.h"
#include "datasets/synth/noise.h"

namespace adb::synth {

// All scenes are drawn on a square of 256 x 256 units; an image of another size samples it finer or
// coarser.
inline constexpr double kUnits = 256;

// Light reaching the camera, about 0 .. 1.
struct Rgb {
  double r = 0, g = 0, b = 0;
};

inline Rgb operator*(const Rgb& c, double k) {
  return {c.r * k, c.g * k, c.b * k};
}
inline Rgb operator*(const Rgb& a, const Rgb& b) {
  return {a.r * b.r, a.g * b.g, a.b * b.b};
}
inline Rgb operator+(const Rgb& c, double k) {
  return {c.r + k, c.g + k, c.b + k};
}
inline Rgb mix(const Rgb& a, const Rgb& b, double t) {
  return {mix(a.r, b.r, t), mix(a.g, b.g, t), mix(a.b, b.b, t)};
}

struct Point {
  double x = 0, y = 0;
};

// Turned by an angle (turns) and moved; local() takes a point of the image to the object's own
// coordinates.
struct Pose {
  Pose(Point centre, double turns) : centre_(centre), cos_(cosine(turns)), sin_(sine(turns)) {}
  Point local(Point p) const {
    const double x = p.x - centre_.x, y = p.y - centre_.y;
    return {cos_ * x + sin_ * y, cos_ * y - sin_ * x};
  }
  Point world(Point p) const {
    return {centre_.x + cos_ * p.x - sin_ * p.y, centre_.y + sin_ * p.x + cos_ * p.y};
  }

 private:
  Point centre_;
  double cos_, sin_;
};

// Signed distances in units: negative inside.
double to_circle(Point p, Point centre, double radius);
double to_box(Point p, Point centre, double half_width, double half_height, double corner);
double to_segment(Point p, Point a, Point b);  // unsigned

// How much of a pixel lies inside a shape whose border is `distance` away: 1 inside, 0 outside, a
// soft edge of one unit.
inline double cover(double distance) {
  return clamp(0.5 - distance, 0, 1);
}

// A spot with an irregular border.
class Blob {
 public:
  Blob(Stream& stream, Point centre, double radius, double irregular);
  double distance(Point p) const;  // approximately in units, negative inside
  Point centre() const { return centre_; }
  double radius() const { return radius_; }

 private:
  Point centre_;
  double radius_, stretch_, irregular_;
  Pose pose_;
  std::uint32_t key_;
};

// A line that wanders, thinning out towards its ends.
class Stroke {
 public:
  // From `start` in a direction (turns), `length` units; `wander` is the change of direction per
  // step of three units, at most (turns); `width` in units at the middle.
  Stroke(Stream& stream, Point start, double direction, double length, double wander, double width);
  double distance(Point p) const;  // to the border of the line, negative inside
  const std::vector<Point>& points() const { return points_; }

 private:
  std::vector<Point> points_;
  double width_;
  Point low_, high_;  // bounding box
};

// The colour of a point of the image, in units. Called from one thread; holds everything it needs.
using Scene = std::function<Rgb(Point)>;

struct Category {
  std::string_view name;
  bool is_texture;
  std::string_view look;  // one line, for people
  std::span<const std::string_view> defects;
  // Draws one specimen. `look` decides pose, colours and material, `flaw` the defect; the same
  // `look` without a defect ("") gives the flawless twin. Keeps `defect`, one of `defects`.
  Scene (*make)(Stream look, std::string_view defect, Stream flaw);
};

// Defined in textures.cc, objects.cc and parts.cc.
Category fabric();
Category brushed_metal();
Category wood();
Category terrazzo();
Category gear();
Category capsule();
Category screw();
Category board();

// Helpers of the categories.
inline std::uint32_t key_of(Stream& stream) {
  return static_cast<std::uint32_t>(stream.bits());
}
inline Point point_in(Stream& stream, double margin) {
  const double x = stream.uniform(margin, kUnits - margin);
  return {x, stream.uniform(margin, kUnits - margin)};
}
// A size between low and high, small ones more often: sizes of defects spread over an order of
// magnitude.
inline double size_in(Stream& stream, double low, double high) {
  const double u = stream.uniform();
  return low + (high - low) * u * (0.4 + 0.6 * u);
}

}  // namespace adb::synth
