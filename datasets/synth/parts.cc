// Objects in a holder, nearly aligned: capsule, board.
// Draws from a stream stand in braces or in statements of their own: their order is then fixed by
// the language.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "datasets/synth/scene.h"

namespace adb::synth {
namespace {

// Rows of 5 x 7 dots.
struct Glyph {
  char letter;
  std::array<std::uint8_t, 7> rows;
};
constexpr std::array<Glyph, 8> kGlyphs = {{{'A', {14, 17, 17, 31, 17, 17, 17}},
                                           {'D', {30, 17, 17, 17, 17, 17, 30}},
                                           {'B', {30, 17, 17, 30, 17, 17, 30}},
                                           {'5', {31, 16, 30, 1, 1, 17, 14}},
                                           {'0', {14, 17, 19, 21, 25, 17, 14}},
                                           {'2', {14, 17, 1, 6, 8, 16, 31}},
                                           {'R', {30, 17, 17, 30, 20, 18, 17}},
                                           {'1', {4, 12, 4, 4, 4, 4, 14}}}};

// Ink of a text of dots of `dot` units whose upper left corner is `at`, 0 .. 1; letters advance by
// six dots.
double print(std::string_view text, Point at, double dot, Point p) {
  const double u = (p.x - at.x) / dot, v = (p.y - at.y) / dot;
  if (u < -1 || v < -1 || v > 8 || u > 6 * static_cast<double>(text.size())) {
    return 0;
  }
  double ink = 0;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      const int column = static_cast<int>(floor_of(u)) + dx;
      const int row = static_cast<int>(floor_of(v)) + dy;
      if (column < 0 || row < 0 || row >= 7 || column / 6 >= static_cast<int>(text.size()) ||
          column % 6 == 5) {
        continue;
      }
      for (const Glyph& glyph : kGlyphs) {
        if (glyph.letter == text[static_cast<std::size_t>(column / 6)] &&
            (glyph.rows[static_cast<std::size_t>(row)] >> (4 - column % 6) & 1) != 0) {
          const Point middle = {at.x + (column + 0.5) * dot, at.y + (row + 0.5) * dot};
          ink = std::max(ink, cover(to_box(p, middle, 0.52 * dot, 0.52 * dot, 0)));
        }
      }
    }
  }
  return ink;
}

// A two-part capsule with print, lying nearly level.
constexpr std::array<std::string_view, 4> kCapsuleDefects = {
    "crack", "misprint", "squeeze", "speck"};

Scene make_capsule(Stream look, std::string_view defect, Stream flaw) {
  constexpr double kHalf = 66, kRadius = 36, kSeam = 4;
  const Pose pose{{128 + look.uniform(-7, 7), 128 + look.uniform(-9, 9)},
                  look.uniform(-0.03, 0.03)};
  const std::uint32_t key = key_of(look);
  const double tone = look.uniform(0.95, 1.05);
  const Rgb cap = {0.20 * tone, 0.42 * tone, 0.34 * tone},
            body = {0.88 * tone, 0.82 * tone, 0.66 * tone};
  const double text_shift = look.uniform(-3, 3);

  const Stroke crack{flaw,
                     pose.world({flaw.uniform(-80, 50), flaw.uniform(-18, 14)}),
                     flaw.uniform(),
                     flaw.uniform(16, 62),
                     0.06,
                     flaw.uniform(1.5, 3.0)};
  const double crack_tone = flaw.uniform(0.15, 0.5);
  const std::int64_t print_fault = flaw.below(3);  // missing, smeared, shifted
  const double slip_x = flaw.uniform(4, 9), slip_y = flaw.uniform(-7, 7);
  const double squeeze_at = flaw.uniform(-62, 62), squeeze_width = flaw.uniform(14, 34);
  const double squeeze_side = flaw.uniform() < 0.5 ? 1 : -1, squeeze_depth = flaw.uniform(4, 11);
  std::vector<Blob> specks;
  const std::int64_t num_specks = 1 + flaw.below(3);
  for (std::int64_t k = 0; k < num_specks; ++k) {
    const Point at = pose.world({flaw.uniform(-80, 80), flaw.uniform(-22, 22)});
    specks.push_back(Blob{flaw, at, size_in(flaw, 2.6, 8), 0.4});
  }
  const double speck_tone = flaw.uniform(0.35, 0.9);

  const auto ground_at = [=](Point p) {
    const double shadow =
        to_segment(pose.local({p.x - 3, p.y - 8}), {-kHalf, 0}, {kHalf, 0}) - kRadius;
    return Rgb{0.80, 0.80, 0.79} * ((1 + 0.02 * fractal(key + 1, p.x / 2.2, p.y / 2.2, 2)) *
                                    (1 - 0.30 * smooth_step(12, -8, shadow)));
  };
  return [=](Point p) {
    const Point q = pose.local(p);
    double radius = q.x < kSeam ? kRadius : kRadius - 1.8;  // the cap overlaps the body
    double dented = 0;
    if (defect == "squeeze") {
      dented =
          bump((q.x - squeeze_at) / squeeze_width) * smooth_step(0, kRadius, q.y * squeeze_side);
      radius -= squeeze_depth * dented;
    }
    const double d = to_segment(q, {-kHalf, 0}, {kHalf, 0}) - radius;
    if (d > 0.5) {
      return ground_at(p);
    }

    const double y = q.y / kRadius;
    const double depth = clamp(-d / kRadius, 0, 1);  // 0 at the border, 1 on the axis
    double light = 0.62 + 0.42 * std::sqrt(depth) - 0.12 * y;
    light -= 0.45 * dented * (0.35 + 0.65 * squeeze_side * y);
    Rgb colour = mix(cap, body, cover(kSeam - q.x)) * light;
    colour = colour * (1 - 0.18 * bump((q.x - kSeam) / 2.2));

    Point left = {-62 + text_shift, -12}, right = {24 + text_shift, -12};
    double faded = 1;
    if (defect == "misprint") {
      if (print_fault == 0) {
        faded = 0.12;
      } else if (print_fault == 2) {
        left = {left.x + slip_x, left.y + slip_y};
      }
    }
    double ink = print("ADB", left, 2.9, q);
    if (defect == "misprint" && print_fault == 1) {
      ink = std::max(ink, 0.55 * print("ADB", {left.x + slip_x, left.y + 1}, 2.9, q));
    }
    colour = mix(colour, Rgb{0.90, 0.90, 0.86} * light, 0.8 * ink * faded);
    colour = mix(colour, Rgb{0.25, 0.25, 0.28} * light, 0.8 * print("50", right, 2.9, q));
    const double gloss =
        bump((q.y + 15 + 6 * dented) / 5) * smooth_step(kHalf + 14, kHalf - 6, std::abs(q.x));
    colour = colour + 0.22 * gloss;

    if (defect == "crack") {
      colour = mix(colour, Rgb{0.10, 0.09, 0.08}, (1 - crack_tone) * cover(crack.distance(p)));
    } else if (defect == "speck") {
      for (const Blob& speck : specks) {
        colour = mix(colour, Rgb{0.22, 0.15, 0.10}, speck_tone * cover(speck.distance(p)));
      }
    }
    return d < -0.5 ? colour : mix(ground_at(p), colour, cover(d));
  };
}

// A populated circuit board: one layout, placed with small tolerances.
constexpr std::array<std::string_view, 4> kBoardDefects = {
    "missing_part", "open_track", "solder_bridge", "shifted_part"};

struct Part {
  Point at;
  bool upright;
  bool capacitor;
};
constexpr std::array<Part, 7> kParts = {{{{52, 60}, false, false},
                                         {{52, 84}, false, false},
                                         {{204, 70}, true, true},
                                         {{204, 120}, true, false},
                                         {{60, 196}, false, true},
                                         {{118, 206}, false, false},
                                         {{196, 190}, true, false}}};
struct Track {
  Point a, b;
};
constexpr std::array<Track, 14> kTracks = {{{{20, 60}, {42, 60}},
                                            {{62, 60}, {96, 100}},
                                            {{20, 84}, {42, 84}},
                                            {{62, 84}, {96, 112}},
                                            {{160, 100}, {204, 58}},
                                            {{204, 82}, {204, 108}},
                                            {{204, 132}, {204, 178}},
                                            {{160, 136}, {196, 178}},
                                            {{96, 124}, {48, 150}},
                                            {{48, 150}, {48, 196}},
                                            {{72, 196}, {106, 206}},
                                            {{130, 206}, {160, 148}},
                                            {{204, 202}, {236, 226}},
                                            {{204, 58}, {236, 30}}}};

constexpr Point kChip = {128, 118};
constexpr int kPins = 6;  // a side
constexpr double kPinPitch = 12;

// Each of these draws one thing over the colour of a point `q` of the board.
Rgb draw_pins(Rgb colour, std::uint32_t key, Point q) {
  for (int side = -1; side <= 1; side += 2) {
    for (int k = 0; k < kPins; ++k) {
      const Point at = {kChip.x + side * 34, kChip.y + (k - 2.5) * kPinPitch};
      const double d = to_box(q, at, 8, 3.2, 1);
      if (d < 0.5) {
        const double shine =
            0.72 + 0.22 * bump((q.y - at.y + 1) / 2.2) + 0.08 * noise(key + 4, q.x, q.y);
        colour = mix(colour, Rgb{0.80, 0.81, 0.82} * shine, cover(d));
      }
    }
  }
  return colour;
}

Rgb draw_chip(Rgb colour, std::uint32_t key, Point q) {
  const double d = to_box(q, kChip, 28, 40, 2);
  if (d > 5) {
    return colour;
  }
  constexpr Rgb kInk = {0.62, 0.62, 0.60};
  Rgb plastic = Rgb{0.13, 0.13, 0.14} * (1 + 0.12 * noise(key + 5, q.x / 1.5, q.y / 1.5));
  plastic = mix(plastic, kInk, 0.8 * print("ADB", {kChip.x - 17, kChip.y - 18}, 2, q));
  plastic = mix(plastic, kInk, 0.8 * print("R2015", {kChip.x - 22, kChip.y + 4}, 1.5, q));
  plastic = mix(plastic, {0.05, 0.05, 0.05}, cover(to_circle(q, {kChip.x - 20, kChip.y - 32}, 3)));
  return mix(mix(colour, colour * 0.55, smooth_step(5, 0, d)), plastic, cover(d));
}

Rgb draw_pads(Rgb colour, const Part& part, std::uint32_t key, Point q) {
  for (int end = -1; end <= 1; end += 2) {
    const Point pad = {part.at.x + (part.upright ? 0 : end * 11),
                       part.at.y + (part.upright ? end * 11 : 0)};
    const double d = to_box(q, pad, part.upright ? 8 : 5, part.upright ? 5 : 8, 1);
    if (d < 0.5) {
      colour = mix(
          colour, Rgb{0.74, 0.74, 0.72} * (1 + 0.1 * noise(key + 7, q.x / 2, q.y / 2)), cover(d));
    }
  }
  return colour;
}

// `l`: the point in the part's own coordinates.
Rgb draw_part(Rgb colour, bool capacitor, Point l) {
  const double d = to_box(l, {0, 0}, 14, 7, 1);
  if (d > 3) {
    return colour;
  }
  Rgb face = capacitor ? Rgb{0.62, 0.46, 0.30} : Rgb{0.10, 0.10, 0.12};
  face = mix(face, Rgb{0.82, 0.82, 0.80}, cover(9 - std::abs(l.x)));  // metal ends
  if (!capacitor) {
    face = mix(face, {0.75, 0.75, 0.75}, 0.8 * print("10", {-7, -4}, 1.15, l));
  }
  const double shaded = 1 + 0.25 * bump((l.y + 3.5) / 3);
  return mix(mix(colour, colour * 0.6, smooth_step(3, 0, d)), face * shaded, cover(d));
}

Scene make_board(Stream look, std::string_view defect, Stream flaw) {
  const Pose pose{{look.uniform(-4, 4), look.uniform(-4, 4)}, look.uniform(-0.004, 0.004)};
  const std::uint32_t key = key_of(look);
  const double tone = look.uniform(0.93, 1.07);
  const Rgb mask = {0.08 * tone, 0.34 * tone, 0.22 * tone};
  std::array<Point, kParts.size()> offset;  // placement tolerance of every part
  for (Point& each : offset) {
    each = {look.uniform(-1.0, 1.0), look.uniform(-1.0, 1.0)};
  }

  const auto part_index =
      static_cast<std::size_t>(flaw.below(static_cast<std::int64_t>(kParts.size())));
  const auto track_index =
      static_cast<std::size_t>(flaw.below(static_cast<std::int64_t>(kTracks.size())));
  const double cut_at = flaw.uniform(0.25, 0.75), cut = flaw.uniform(1.6, 5);
  const auto bridge = static_cast<double>(flaw.below(kPins - 1));
  const double bridge_side = flaw.uniform() < 0.5 ? -1 : 1, bridge_size = flaw.uniform(2.6, 5.5);
  const double shift_x = flaw.uniform(-1, 1), shift_y = flaw.uniform(-1, 1);
  const double twist = flaw.uniform(0.04, 0.11);

  return [=](Point p) {
    const Point q = pose.local(p);
    const double weave = 0.03 * (noise(key + 1, q.x / 2.4, 0.3) + noise(key + 2, 0.7, q.y / 2.4));
    Rgb colour = mask * (1 + weave + 0.05 * fractal(key + 3, q.x / 30, q.y / 30, 2));
    // Tracks under the solder mask, vias at their ends.
    for (std::size_t k = 0; k < kTracks.size(); ++k) {
      const Track& track = kTracks[k];
      double d = to_segment(q, track.a, track.b) - 2.4;
      if (d > 6) {
        continue;
      }
      if (defect == "open_track" && k == track_index) {
        const Point middle = {mix(track.a.x, track.b.x, cut_at), mix(track.a.y, track.b.y, cut_at)};
        const double gap = to_circle(q, middle, cut + 1.4) + 0.8 * noise(key + 9, q.x / 2, q.y / 2);
        colour = mix(colour, Rgb{0.44, 0.38, 0.25}, 0.55 * cover(gap));  // bare substrate
        d = std::max(d, -gap);
      }
      colour = mix(colour, Rgb{0.22 * tone, 0.52 * tone, 0.33 * tone}, 0.85 * cover(d));
      for (const Point& via : {track.a, track.b}) {
        const double r = to_circle(q, via, 0);
        colour = mix(colour, {0.78, 0.66, 0.36}, cover(r - 4.4));
        colour = mix(colour, {0.07, 0.07, 0.06}, cover(r - 1.9));
      }
    }
    colour = draw_pins(colour, key, q);
    if (defect == "solder_bridge") {
      const Point at = {kChip.x + bridge_side * 36, kChip.y + (bridge - 2) * kPinPitch};
      const double d =
          std::min(to_segment(q, {at.x, at.y - 5}, {at.x, at.y + 5}) - 0.6 * bridge_size,
                   to_circle(q, at, bridge_size));
      const double shine =
          0.70 + 0.28 * bump((q.x - at.x + 1.5) / 3) + 0.06 * noise(key + 6, q.x / 2, q.y / 2);
      colour = mix(colour, Rgb{0.78, 0.79, 0.80} * shine, cover(d));
    }
    colour = draw_chip(colour, key, q);
    // Small parts on their pads.
    for (std::size_t k = 0; k < kParts.size(); ++k) {
      const Part& part = kParts[k];
      if (to_circle(q, part.at, 26) > 0) {
        continue;
      }
      colour = draw_pads(colour, part, key, q);
      if (defect == "missing_part" && k == part_index) {
        continue;
      }
      Point at = {part.at.x + offset[k].x, part.at.y + offset[k].y};
      double angle = part.upright ? 0.25 : 0;
      if (defect == "shifted_part" && k == part_index) {
        at = {at.x + 3.5 * shift_x, at.y + 3.5 * shift_y};
        angle += twist;
      }
      colour = draw_part(colour, part.capacitor, Pose{at, angle}.local(q));
    }
    return colour;
  };
}

}  // namespace

Category capsule() {
  return {"capsule", false, "printed two-part capsule", kCapsuleDefects, make_capsule};
}
Category board() {
  return {"board", false, "populated circuit board, fixed layout", kBoardDefects, make_board};
}

}  // namespace adb::synth
