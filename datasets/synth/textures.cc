// The categories without an object: woven fabric, brushed metal, wood, terrazzo.
// Draws from a stream stand in braces or in statements of their own: their order is then fixed by
// the language.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "datasets/synth/scene.h"

namespace adb::synth {
namespace {

Rgb varied(Stream& look, const Rgb& colour, double amount) {
  const double r = look.uniform(-amount, amount), g = look.uniform(-amount, amount);
  return {colour.r * (1 + r), colour.g * (1 + g), colour.b * (1 + look.uniform(-amount, amount))};
}

// Plain weave: threads of two colours, each passing over and under the others by turns.
constexpr std::array<std::string_view, 4> kFabricDefects = {
    "missing_thread", "stain", "hole", "knot"};

Scene make_fabric(Stream look, std::string_view defect, Stream flaw) {
  constexpr double kPitch = 6.4;  // units from thread to thread
  const Pose pose{{kUnits / 2 + look.uniform(-8, 8), kUnits / 2 + look.uniform(-8, 8)},
                  look.uniform(-0.008, 0.008)};
  const Rgb warp = varied(look, {0.33, 0.40, 0.52}, 0.03);
  const Rgb weft = varied(look, {0.66, 0.62, 0.54}, 0.03);
  const std::uint32_t key = key_of(look);
  const double drift = look.uniform(0.8, 2.0);

  const Blob blob{flaw,
                  point_in(flaw, 34),
                  defect == "hole"   ? size_in(flaw, 4, 15)
                  : defect == "knot" ? size_in(flaw, 4, 10)
                                     : size_in(flaw, 9, 38),
                  defect == "hole" ? 0.45 : 0.3};
  const double strength = flaw.uniform(0.12, 0.45);
  const Rgb tint = flaw.uniform() < 0.5 ? Rgb{0.55, 0.42, 0.25} : Rgb{0.30, 0.30, 0.34};
  // A broken thread is missing along a part of its run.
  const bool along = flaw.uniform() < 0.5;
  const auto missing = static_cast<std::int64_t>(flaw.below(29) - 14);
  const double gap_start = flaw.uniform(-120, 40), gap_length = flaw.uniform(40, 170);

  return [=](Point p) {
    Point q = pose.local(p);
    if (defect == "knot") {  // the bulge pushes threads aside
      const double push = 0.55 * bump(to_circle(p, blob.centre(), 0) / (2.2 * blob.radius()));
      q.x -= push * (p.x - blob.centre().x);
      q.y -= push * (p.y - blob.centre().y);
    }
    q.x += drift * noise(key, q.x / 45, q.y / 70);
    q.y += drift * noise(key + 1, q.x / 70, q.y / 45);
    const double u = q.x / kPitch, v = q.y / kPitch;
    const std::int64_t i = floor_of(u), j = floor_of(v);
    const double fu = 2 * fraction(u) - 1, fv = 2 * fraction(v) - 1;  // -1 .. 1
    bool warp_on_top = ((i + j) & 1) == 0;
    bool both = true;
    if (defect == "missing_thread") {
      const double run = along ? q.y : q.x;
      if ((along ? i : j) == missing && run > gap_start && run < gap_start + gap_length) {
        warp_on_top = !along;
        both = false;
      }
    }
    // Across the thread it is round; along it, it dives under the next one.
    const double across = warp_on_top ? fu : fv, run = warp_on_top ? fv : fu;
    const double round = 1 - 0.75 * across * across;
    const double dive = both ? 1 - 0.35 * run * run : 0.55;
    const std::int64_t thread = warp_on_top ? i : j;
    const double own = 0.9 + 0.2 * lattice(key + (warp_on_top ? 2 : 3), thread);
    const double fibre =
        warp_on_top ? noise(key + 4, q.x * 1.5, q.y / 3) : noise(key + 5, q.x / 3, q.y * 1.5);
    Rgb colour = (warp_on_top ? warp : weft) * (round * dive * own * (1 + 0.10 * fibre));
    if (defect == "stain") {
      const double amount = strength * smooth_step(4, -5, blob.distance(p));
      colour =
          mix(colour, colour * tint * 1.3, amount * (1 + 0.2 * noise(key + 6, p.x / 6, p.y / 6)));
    } else if (defect == "hole") {
      const double frayed = blob.distance(p) + 2.2 * fibre;
      colour = mix(colour, {0.06, 0.06, 0.07}, cover(frayed));
    } else if (defect == "knot") {
      const double height = bump(to_circle(p, blob.centre(), 0) / (1.4 * blob.radius()));
      const double lit = (blob.centre().x - p.x + blob.centre().y - p.y) / blob.radius();
      colour = colour * (1 + height * (0.25 + 0.22 * lit));
    }
    return colour;
  };
}

// Brushed steel: noise drawn out along one direction under a broad sheen.
constexpr std::array<std::string_view, 4> kMetalDefects = {"scratch", "dent", "rust", "smudge"};

Scene make_metal(Stream look, std::string_view defect, Stream flaw) {
  const Pose pose{{kUnits / 2, kUnits / 2 + look.uniform(-20, 20)}, look.uniform(-0.006, 0.006)};
  const std::uint32_t key = key_of(look);
  const Rgb base = varied(look, {0.56, 0.57, 0.59}, 0.012);
  const double sheen_at = look.uniform(-60, 60), sheen = look.uniform(0.05, 0.14);
  const double grain = look.uniform(0.16, 0.24);

  const Stroke scratch{flaw,
                       point_in(flaw, 30),
                       flaw.uniform(),
                       flaw.uniform(22, 130),
                       flaw.uniform(0.002, 0.02),
                       flaw.uniform(1.4, 3.4)};
  const double sign = flaw.uniform() < 0.6 ? 1 : -1;
  const double mark = sign * flaw.uniform(0.10, 0.34);
  const Point dent = point_in(flaw, 40);
  const double dent_radius = size_in(flaw, 9, 34), dent_depth = flaw.uniform(0.12, 0.38);
  std::vector<Blob> spots;
  const std::int64_t num_spots = 1 + flaw.below(4);
  const Point middle = point_in(flaw, 44);
  for (std::int64_t k = 0; k < num_spots; ++k) {
    const Point at = {middle.x + flaw.uniform(-26, 26), middle.y + flaw.uniform(-26, 26)};
    spots.push_back(Blob{flaw, at, size_in(flaw, 3, 15), 0.5});
  }
  const Blob smudge{flaw, point_in(flaw, 50), flaw.uniform(16, 40), 0.35};
  const double haze = flaw.uniform(0.08, 0.17);

  return [=](Point p) {
    double push_x = 0, push_y = 0, shade = 0;
    if (defect == "dent") {
      const double x = (p.x - dent.x) / dent_radius, y = (p.y - dent.y) / dent_radius;
      const double inside = clamp(1 - x * x - y * y, 0, 1);
      shade =
          dent_depth * 2.2 * inside * (0.8 * x + 0.9 * y);  // slope of the dent towards the light
      push_x = 5 * x * inside;
      push_y = 5 * y * inside;
    }
    const Point q = pose.local({p.x + push_x, p.y + push_y});
    const double lines =
        0.6 * fractal(key, q.x / 70, q.y / 1.3, 3) + 0.4 * fractal(key + 9, q.x / 18, q.y * 0.9, 2);
    const double broad = bump((q.y - sheen_at) / 110);
    double light = 1 + grain * lines + sheen * broad + 0.05 * noise(key + 7, q.x / 90, q.y / 40);
    light += shade;
    if (defect == "scratch") {
      light += mark * cover(scratch.distance(p));
    } else if (defect == "smudge") {
      // A film levels the lines and lightens the surface.
      const double film =
          smooth_step(6, -8, smudge.distance(p)) * (0.8 + 0.4 * noise(key + 8, p.x / 7, p.y / 5));
      light = mix(light, 1 + 0.6 * (light - 1) + haze, film);
    }
    Rgb colour = base * light;
    if (defect == "rust") {
      for (std::size_t k = 0; k < spots.size(); ++k) {
        const double inside = cover(spots[k].distance(p) / 1.5);
        if (inside > 0) {
          const double speckle = 0.7 + 0.35 * fractal(key + 11, p.x / 3.5, p.y / 3.5, 2);
          colour = mix(colour, Rgb{0.46, 0.27, 0.14} * speckle, 0.8 * inside);
        }
      }
    }
    return colour;
  };
}

// A planed board: year rings cut lengthwise, with pores.
constexpr std::array<std::string_view, 4> kWoodDefects = {"crack", "hole", "stain", "scratch"};

Scene make_wood(Stream look, std::string_view defect, Stream flaw) {
  const std::uint32_t key = key_of(look);
  const Pose pose{{look.uniform(0, 256), look.uniform(0, 256)}, look.uniform(-0.008, 0.008)};
  const Rgb light = varied(look, {0.74, 0.56, 0.37}, 0.03),
            dark = varied(look, {0.52, 0.34, 0.20}, 0.025);
  const double rings = look.uniform(0.055, 0.085), bend = look.uniform(1.2, 2.4);

  const Stroke crack{flaw,
                     {flaw.uniform(30, 226), flaw.uniform(15, 130)},
                     0.25 + flaw.uniform(-0.02, 0.02),
                     flaw.uniform(30, 150),
                     0.03,
                     flaw.uniform(1.2, 3.6)};
  const Stroke scratch{flaw,
                       point_in(flaw, 40),
                       flaw.uniform(-0.12, 0.12),
                       flaw.uniform(25, 120),
                       0.01,
                       flaw.uniform(1.4, 3.2)};
  const double paler = flaw.uniform(0.12, 0.32);
  std::vector<Point> holes;
  const Point middle = point_in(flaw, 40);
  const std::int64_t num_holes = 1 + flaw.below(3);
  for (std::int64_t k = 0; k < num_holes; ++k) {
    holes.push_back({middle.x + flaw.uniform(-30, 30), middle.y + flaw.uniform(-30, 30)});
  }
  const double hole_radius = size_in(flaw, 2.2, 9);
  const Blob blob{flaw, point_in(flaw, 44), flaw.uniform(12, 42), 0.35};
  const double strength = flaw.uniform(0.14, 0.42);

  return [=](Point p) {
    const Point q = pose.local(p);
    const double warp = bend * fractal(key, q.x / 90, q.y / 260, 3);
    const double ring = fraction(q.x * rings + warp);
    const double late =
        smooth_step(0.15, 0.9, ring) * smooth_step(1.0, 0.93, ring);  // dark late wood, sharp end
    const double fibre = fractal(key + 5, q.x / 1.6, q.y / 40, 2);
    const double pore = smooth_step(0.55, 0.8, noise(key + 6, q.x / 1.3, q.y / 14));
    Rgb colour = mix(light, dark, 0.72 * late) *
                 (1 + 0.07 * fibre + 0.05 * noise(key + 7, q.x / 60, q.y / 90));
    colour = colour * (1 - 0.22 * pore);
    if (defect == "crack") {
      colour = mix(colour, {0.13, 0.08, 0.05}, 0.9 * cover(crack.distance(p)));
    } else if (defect == "scratch") {
      colour = mix(colour, Rgb{0.86, 0.74, 0.58}, paler / 0.32 * 0.75 * cover(scratch.distance(p)));
    } else if (defect == "hole") {
      for (const Point& hole : holes) {
        const double d = to_circle(p, hole, hole_radius);
        colour = mix(colour, colour * 0.7, smooth_step(2.5, 0, d));  // splintered rim
        const double depth = clamp(-d / hole_radius + 0.3 * (hole.x - p.x) / hole_radius, 0, 1);
        colour = mix(colour, Rgb{0.16, 0.10, 0.06} * (1.2 - 0.8 * depth), cover(d));
      }
    } else if (defect == "stain") {
      const double d = blob.distance(p);
      const double rim = 0.5 * bump((d + 2.5) / 3.5);  // liquids dry darkest at the border
      colour = colour * (1 - strength * (smooth_step(2, -3, d) * 0.75 + rim));
    }
    return colour;
  };
}

// Terrazzo: stone chips of a few colours in a grey ground, polished.
constexpr std::array<std::string_view, 4> kTerrazzoDefects = {
    "crack", "chip_missing", "glue", "paint"};

struct Chip {
  double inside = 0;  // 0 .. 1
  std::uint32_t kind = 0;
};

// The chip at a point: cells with one stone each.
Chip chip_at(std::uint32_t key, Point p, double cell) {
  const double u = p.x / cell, v = p.y / cell;
  const std::int64_t i0 = floor_of(u), j0 = floor_of(v);
  double first = 1e9, second = 1e9;
  std::int64_t best_i = 0, best_j = 0;
  for (std::int64_t j = j0 - 1; j <= j0 + 1; ++j) {
    for (std::int64_t i = i0 - 1; i <= i0 + 1; ++i) {
      const double cx = static_cast<double>(i) + 0.15 + 0.7 * lattice(key + 3, i, j);
      const double cy = static_cast<double>(j) + 0.15 + 0.7 * lattice(key + 4, i, j);
      const double d = (u - cx) * (u - cx) + (v - cy) * (v - cy);  // squared
      if (d < first) {
        second = first;
        first = d;
        best_i = i;
        best_j = j;
      } else if (d < second) {
        second = d;
      }
    }
  }
  const double gap = 0.06 + 0.22 * lattice(key + 5, best_i, best_j);  // ground around the stone
  return {cover((gap - (std::sqrt(second) - std::sqrt(first))) * cell),
          static_cast<std::uint32_t>(lattice(key + 6, best_i, best_j) * 1000)};
}

Scene make_terrazzo(Stream look, std::string_view defect, Stream flaw) {
  const std::uint32_t key = key_of(look);
  const Rgb ground = varied(look, {0.70, 0.69, 0.66}, 0.015);
  const std::array<Rgb, 4> stones = {varied(look, {0.42, 0.39, 0.37}, 0.025),
                                     varied(look, {0.82, 0.80, 0.76}, 0.025),
                                     varied(look, {0.60, 0.47, 0.40}, 0.025),
                                     varied(look, {0.52, 0.55, 0.55}, 0.025)};

  std::vector<Stroke> cracks;
  const double heading = flaw.uniform();
  const double crack_width = flaw.uniform(1.3, 2.8);
  cracks.push_back(
      Stroke{flaw, point_in(flaw, 30), heading, flaw.uniform(40, 190), 0.05, crack_width});
  const std::vector<Point> trunk = cracks.front().points();
  const std::int64_t branches = flaw.below(3);
  for (std::int64_t k = 0; k < branches; ++k) {
    const auto at = static_cast<std::size_t>(flaw.below(static_cast<std::int64_t>(trunk.size())));
    const double side = flaw.uniform() < 0.5 ? 0.12 : -0.12;
    cracks.push_back(
        Stroke{flaw, trunk[at], heading + side, flaw.uniform(12, 60), 0.05, 0.75 * crack_width});
  }
  const double crack_depth = flaw.uniform(0.4, 0.85);
  const Blob pit{flaw, point_in(flaw, 36), size_in(flaw, 5, 18), 0.35};
  const Stroke glue{
      flaw, point_in(flaw, 50), flaw.uniform(), flaw.uniform(25, 100), 0.03, flaw.uniform(8, 26)};
  const double gloss = flaw.uniform(0.10, 0.32);
  const Blob paint{flaw, point_in(flaw, 36), size_in(flaw, 3.2, 13), 0.25};
  const std::int64_t hue = flaw.below(3);
  const Rgb ink = hue == 0   ? Rgb{0.62, 0.18, 0.16}
                  : hue == 1 ? Rgb{0.18, 0.27, 0.55}
                             : Rgb{0.80, 0.72, 0.30};

  return [=](Point p) {
    const Point rough = {p.x + 1.6 * noise(key + 1, p.x / 5, p.y / 5),
                         p.y + 1.6 * noise(key + 2, p.x / 5, p.y / 5)};
    const Chip large = chip_at(key, rough, 27), small = chip_at(key + 100, rough, 11);
    Rgb colour = ground * (1 + 0.06 * fractal(key + 20, p.x / 4, p.y / 4, 3));
    if (small.kind % 5 < 2 && small.inside > 0) {
      colour = mix(colour, stones[small.kind / 5 % 4], 0.8 * small.inside);
    }
    if (large.kind % 10 < 7 && large.inside > 0) {
      const double vein = fractal(key + large.kind, p.x / 9, p.y / 9, 3);
      const double own = 0.9 + 0.2 * lattice(key + 30, large.kind);
      colour = mix(colour, stones[large.kind / 10 % 4] * (own * (1 + 0.10 * vein)), large.inside);
    }
    if (defect == "crack") {
      double d = 4;
      for (const Stroke& crack : cracks) {
        d = std::min(d, crack.distance(p));
      }
      colour = mix(colour, {0.16, 0.15, 0.14}, crack_depth * cover(d));
    } else if (defect == "chip_missing") {
      const double d = pit.distance(p);
      const double wall = (p.x - pit.centre().x + p.y - pit.centre().y) / (1.5 * pit.radius());
      const double grit = 1 + 0.25 * fractal(key + 40, p.x / 3, p.y / 3, 2);
      colour =
          mix(colour, Rgb{0.36, 0.35, 0.33} * (grit * (1 + 0.35 * clamp(wall, -1, 1))), cover(d));
    } else if (defect == "glue") {
      const double film = smooth_step(1.5, -2.5, glue.distance(p));
      const double wave = 0.8 + 0.4 * noise(key + 50, p.x / 12, p.y / 12);
      colour = mix(colour, {0.93, 0.92, 0.86}, gloss * film * wave);
    } else if (defect == "paint") {
      const double d = paint.distance(p);
      colour = mix(colour, ink * (1 + 0.15 * smooth_step(0, -3, d)), 0.9 * cover(d));
    }
    return colour;
  };
}

}  // namespace

Category fabric() {
  return {"fabric", true, "plain weave in two colours", kFabricDefects, make_fabric};
}
Category brushed_metal() {
  return {"brushed_metal", true, "brushed steel sheet", kMetalDefects, make_metal};
}
Category wood() {
  return {"wood", true, "planed board", kWoodDefects, make_wood};
}
Category terrazzo() {
  return {"terrazzo", true, "polished stone tile", kTerrazzoDefects, make_terrazzo};
}

}  // namespace adb::synth
