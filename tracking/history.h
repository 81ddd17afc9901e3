// The figures of a store over the commits of the code that made them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "results/store.h"
#include "tracking/change_points.h"
#include "tracking/verdict.h"

namespace adb {

struct HistoryPoint {
  std::string commit{};  // as stored, with "+dirty"; "unknown" for none
  std::string date{};    // when its newest run ended
  double value = 0;      // quality: mean over classes and seeds; costs: median over runs
  std::size_t runs = 0;
};

// One figure of one cell.
struct History {
  CellName cell{};
  std::string category{};
  std::string metric{};
  FigureKind kind = FigureKind::kQuality;
  std::string unit{};
  std::vector<HistoryPoint> points{};  // oldest first
  std::vector<ChangePoint> moves{};    // change points larger than the minimum effect
};

struct TrackOptions {
  std::vector<std::string> metrics{};  // keys of quality or costs; none given means all
  std::string category{};              // one class; "" for all together
  // Commits, oldest first; others are left out. None given: in the order of their first runs.
  std::vector<std::string> commits{};
  double alpha = kChangeAlpha;
  double min_effect = 0.003;  // quality: smaller moves are none
  double min_ratio = 1.05;    // time and memory: likewise
};

struct TrackReport {
  std::vector<History> histories{};  // by cell and metric
  std::vector<std::string> notes{};  // what was left out
};

// A point needs what the newest commit has: protocol, data, metric setting, weights and, for costs,
// machine. Commits with other seeds or classes than most are left out, because their means do not
// compare. All that is left out is noted.
TrackReport track(const Store& store, const RunFilter& filter, const TrackOptions& options);

std::string track_text(const TrackReport& report);
std::string track_markdown(const TrackReport& report);
Json track_json(const TrackReport& report);

// One page without scripts and without network: a drawing for each history, those that moved first,
// every point with its commit, every move with the commit where it happened.
std::string track_page(const TrackReport& report);

// "54.01" and the like, with unit.
std::string point_text(const History& history, double value);

// "54.01 -> 49.10 (-4.91 points)" or "(x 1.25)".
std::string move_text(const History& history, const ChangePoint& move);

bool moved(const History& history);

}  // namespace adb
