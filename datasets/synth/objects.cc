// Objects lying free on a ground: gear, screw.
// Draws from a stream stand in braces or in statements of their own: their order is then fixed by
// the language.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "datasets/synth/scene.h"

namespace adb::synth {
namespace {

// A milled gear with hub, keyway and five holes, in any rotation on a dark belt.
constexpr std::array<std::string_view, 4> kGearDefects = {
    "broken_tooth", "scratch", "oil", "blocked_hole"};

Scene make_gear(Stream look, std::string_view defect, Stream flaw) {
  constexpr int kTeeth = 20, kHoles = 5;
  constexpr double kTip = 96, kRoot = 80, kHub = 22, kHoleRing = 53, kHole = 13;
  const Point centre = {128 + look.uniform(-6, 6), 128 + look.uniform(-6, 6)};
  const Pose pose{centre, look.uniform()};
  const std::uint32_t key = key_of(look);
  const double tone = look.uniform(0.94, 1.06), turned = look.uniform(0.06, 0.11);
  const Rgb steel = {0.60 * tone, 0.61 * tone, 0.63 * tone};

  const auto broken = static_cast<double>(flaw.below(kTeeth));
  const double teeth = flaw.uniform() < 0.6 ? 1 : 2,
               kept = flaw.uniform(0, 0.65);  // of the tooth's height
  const double around = flaw.uniform();
  const double out = flaw.uniform(32, 70);
  const Point spot = pose.world({out * cosine(around), out * sine(around)});
  const Stroke scratch{
      flaw, spot, flaw.uniform(), flaw.uniform(14, 60), 0.02, flaw.uniform(1.6, 3.2)};
  const double sign = flaw.uniform() < 0.6 ? 1 : -1;
  const double mark = sign * flaw.uniform(0.14, 0.36);
  const Blob oil{flaw, spot, size_in(flaw, 6, 20), 0.4};
  const double dark = flaw.uniform(0.22, 0.65);
  const auto blocked = static_cast<double>(flaw.below(kHoles));
  std::array<Point, kHoles> holes;
  for (int k = 0; k < kHoles; ++k) {
    const double turn = static_cast<double>(k) / kHoles;
    holes[static_cast<std::size_t>(k)] = {kHoleRing * cosine(turn), kHoleRing * sine(turn)};
  }
  const double fill = flaw.uniform(0.35, 1.0);  // how far towards a full hole

  const auto ground_at = [=](Point p) {  // with the gear's shadow
    const double shadow = smooth_step(112, 78, to_circle({p.x - 7, p.y - 9}, centre, 0));
    return Rgb{0.20, 0.22, 0.24} *
           ((1 + 0.10 * fractal(key + 1, p.x / 3, p.y / 3, 2)) * (1 - 0.45 * shadow));
  };
  return [=](Point p) {
    const Point q = pose.local(p);
    const double r = std::sqrt(q.x * q.x + q.y * q.y), angle = angle_of(q.x, q.y);

    // Teeth: flanks where the profile passes through zero.
    const double tooth = fraction(angle * kTeeth) - 0.5;  // -0.5 .. 0.5 across a tooth
    const double flank =
        (0.25 + 0.10 * (kTip - r) / (kTip - kRoot)) - std::abs(tooth);  // wider at the root
    const double tooth_width = 2 * 3.14159265 * r / kTeeth;
    double tip = kTip;
    if (defect == "broken_tooth") {
      const double index = fraction(angle - broken / kTeeth) * kTeeth;
      if (index < teeth) {
        tip = kRoot + kept * (kTip - kRoot) + 2.5 * noise(key + 3, q.x / 4, q.y / 4);
      }
    }
    double body = std::max(r - tip, -flank * tooth_width);
    body = std::min(body, r - kRoot);
    // Openings: hub with keyway, holes.
    double opening = std::min(r - kHub, to_box(q, {0, kHub}, 5, 6, 1));
    for (int k = 0; k < kHoles; ++k) {
      const Point at = holes[static_cast<std::size_t>(k)];
      const bool is_blocked = defect == "blocked_hole" && static_cast<double>(k) == blocked;
      opening = std::min(opening, to_circle(q, at, is_blocked ? kHole * (1 - fill) : kHole));
    }
    const double solid = std::max(body, -opening);

    if (solid > 0.5) {
      return ground_at(p);
    }
    // Turned surface: rings of tool marks, reflecting in two opposite sectors.
    const double rings = noise(key + 5, r * 1.1, 0.5) + 0.5 * noise(key + 6, r * 2.3, angle * 6);
    const double world_angle = angle_of(p.x - centre.x, p.y - centre.y);
    const double glint = bump(4.2 * (fraction(2 * (world_angle + 0.13)) - 0.5));
    double light = 0.86 + turned * rings + 0.26 * glint;
    if (r < 34 || (r > 70 && r < 73)) {
      light -= 0.14;  // hub and groove lie deeper
    }
    light *= 1 - 0.35 * bump((solid + 1.2) / 2.6) + 0.16 * bump((solid + 3.6) / 1.6);  // chamfer
    Rgb colour = steel * light;
    if (defect == "scratch") {
      colour = colour + mark * cover(scratch.distance(p));
    } else if (defect == "oil") {
      const double film = smooth_step(1, -2.5, oil.distance(p));
      colour = mix(colour, Rgb{0.17, 0.13, 0.09} * (1 + 0.5 * rings * turned), dark * film);
    }
    return solid < -0.5 ? colour : mix(ground_at(p), colour, cover(solid));
  };
}

// A wood screw seen from the side, in any direction.
constexpr std::array<std::string_view, 4> kScrewDefects = {
    "thread_flat", "bent_tip", "scratched_neck", "rust"};

Scene make_screw(Stream look, std::string_view defect, Stream flaw) {
  constexpr double kHead = -88, kNeck = -68, kThread = -30, kTaper = 66,
                   kTip = 92;  // along the axis
  const Point centre = {128 + look.uniform(-8, 8), 128 + look.uniform(-8, 8)};
  const Pose pose{centre, look.uniform()};
  const std::uint32_t key = key_of(look);
  const double tone = look.uniform(0.94, 1.06),
               turn = look.uniform();  // `turn`: where the thread starts
  const Rgb metal = {0.64 * tone, 0.60 * tone, 0.50 * tone};

  const double flat_at = flaw.uniform(kThread + 12, kTaper - 8), flat_length = flaw.uniform(7, 26);
  const double flat_side = flaw.uniform() < 0.5 ? 1 : -1, flat_depth = flaw.uniform(0.45, 1.0);
  const double bend_side = flaw.uniform() < 0.5 ? 1 : -1, bend = flaw.uniform(5, 15);
  const double bend_from = flaw.uniform(52, 76);
  const Stroke scratch{flaw,
                       pose.world({flaw.uniform(kNeck, kThread - 14), flaw.uniform(-7, 7)}),
                       flaw.uniform(),
                       flaw.uniform(9, 26),
                       0.02,
                       flaw.uniform(1.6, 3.2)};
  const double sign = flaw.uniform() < 0.5 ? 1 : -1;
  const double mark = sign * flaw.uniform(0.16, 0.38);
  const Blob rust{
      flaw, pose.world({flaw.uniform(-84, 70), flaw.uniform(-6, 6)}), size_in(flaw, 4, 13), 0.5};

  // Distance to the screw's outline, and how light falls there.
  const auto shape = [=](Point q, double* shade) {
    if (defect == "bent_tip" && q.x > bend_from) {
      const double t = (q.x - bend_from) / (kTip - bend_from);
      q.y -= bend_side * bend * t * t;
    }
    // Thread: ridges that lean, higher than the core.
    const double phase = fraction(q.x / 7.4 + q.y / 46 + turn);
    double ridge = 1 - std::abs(2 * phase - 1);  // 0 .. 1
    ridge = ridge * ridge;
    if (defect == "thread_flat" && q.y * flat_side > -4) {
      const double inside =
          smooth_step(flat_length / 2 + 2, flat_length / 2 - 2, std::abs(q.x - flat_at));
      ridge = mix(ridge, 0.12, inside * flat_depth);
    }
    const double taper = q.x < kTaper ? 1 : clamp((kTip - q.x) / (kTip - kTaper), 0, 1);
    const double core = 9.0 * taper;
    const double threaded = core + 6.5 * ridge * (0.35 + 0.65 * taper);
    double d;
    if (q.x < kNeck) {  // head, widening towards its flat end
      const double half = 12 + 15 * smooth_step(kNeck, kHead + 4, q.x);
      d = std::max(std::abs(q.y) - half, std::max(kHead - q.x, q.x - kNeck));
      *shade = 1 - 0.5 * (q.y / half) * (q.y / half);
      *shade +=
          0.25 * bump((q.y + 0.35 * half) / (0.3 * half)) - 0.25 * bump((q.x - kHead - 5) / 2.5);
    } else if (q.x < kThread) {
      d = std::abs(q.y) - 10.5;
      *shade = 1 - 0.6 * (q.y / 10.5) * (q.y / 10.5) + 0.35 * bump((q.y + 4) / 3.5);
    } else {
      d = std::max(std::abs(q.y) - threaded, q.x - kTip);
      const double y = q.y / std::max(threaded, 1.0);
      *shade = (1 - 0.55 * y * y + 0.30 * bump((y + 0.35) / 0.35)) * (0.62 + 0.55 * ridge);
    }
    return d;
  };
  const auto ground_at = [=](Point p) {  // with the screw's shadow
    double unused = 0;
    const double shadow = smooth_step(5, -4, shape(pose.local({p.x - 5, p.y - 7}), &unused));
    return Rgb{0.72, 0.74, 0.76} *
           ((1 + 0.025 * fractal(key + 1, p.x / 2, p.y / 2, 2)) * (1 - 0.28 * shadow));
  };
  return [=](Point p) {
    double shade = 1;
    const Point q = pose.local(p);
    const double d = shape(q, &shade);
    if (d > 0.5) {
      return ground_at(p);
    }
    const double speckle = fractal(key + 2, q.x / 2.5, q.y / 2.5, 2);
    Rgb colour = metal * (shade * (1 + 0.06 * speckle));
    if (defect == "scratched_neck") {
      colour = colour + mark * cover(scratch.distance(p));
    } else if (defect == "rust") {
      const double inside = cover(rust.distance(p) / 1.4);
      colour =
          mix(colour, Rgb{0.47, 0.25, 0.12} * (0.55 + 0.5 * shade + 0.3 * speckle), 0.85 * inside);
    }
    return d < -0.5 ? colour : mix(ground_at(p), colour, cover(d));
  };
}

}  // namespace

Category gear() {
  return {"gear", false, "milled gear on a dark belt, any rotation", kGearDefects, make_gear};
}
Category screw() {
  return {"screw", false, "wood screw from the side, any direction", kScrewDefects, make_screw};
}

}  // namespace adb::synth
