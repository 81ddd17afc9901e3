// The page of trends: HTML with one inline drawing for each history.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tracking/history.h"
#include "tracking/outputs.h"

namespace adb {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 160;
constexpr double kLeft = 80;
constexpr double kRight = 12;
constexpr double kTop = 12;
constexpr double kBottom = 24;

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>adbench trends</title>
<style>
:root { color-scheme: light dark; --line: #1565c0; --move: #c62828; --grid: #8884; }
@media (prefers-color-scheme: dark) { :root { --line: #90caf9; --move: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
polyline { fill: none; stroke: var(--line); stroke-width: 1.5; }
circle { fill: var(--line); }
circle.move { fill: var(--move); }
line.move { stroke: var(--move); stroke-dasharray: 4 3; }
line.grid { stroke: var(--grid); }
text { fill: currentColor; }
table { border-collapse: collapse; }
td, th { padding: .1rem .8rem .1rem 0; text-align: left; }
</style>
</head>
<body>
)";

std::string commit_text(const std::string& commit) {
  return escape_xml(commit.substr(0, 12));
}

std::string title_of(const History& history) {
  return escape_xml(fmt::format("{}: {}{}{}",
                                describe(history.cell),
                                history.metric,
                                history.category.empty() ? "" : " of ",
                                history.category));
}

// From values to places in the drawing.
struct Scale {
  double low = 0;
  double high = 1;
  std::size_t n = 1;

  double x(std::size_t i) const {
    const double share = n < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(n - 1);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double y(double value) const {
    return kTop + (high - value) / (high - low) * (kHeight - kTop - kBottom);
  }
};

Scale scale_of(const History& history) {
  Scale scale;
  scale.n = history.points.size();
  const auto [low, high] = std::minmax_element(
      history.points.begin(), history.points.end(), [](const auto& a, const auto& b) {
        return a.value < b.value;
      });
  scale.low = low->value;
  scale.high = high->value;
  if (scale.high <= scale.low) {  // a flat line in the middle
    const double margin = scale.low == 0 ? 1 : 0.01 * std::abs(scale.low);
    scale.low -= margin;
    scale.high += margin;
  }
  return scale;
}

std::string drawing(const History& history) {
  const auto scale = scale_of(history);
  auto svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
                         kWidth,
                         kHeight,
                         title_of(history));
  for (const double value : {scale.low, scale.high}) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        kLeft,
        kWidth - kRight,
        scale.y(value),
        kLeft - 6,
        scale.y(value) + 4,
        escape_xml(point_text(history, value)));
  }
  for (const auto& move : history.moves) {
    const double x = (scale.x(move.index - 1) + scale.x(move.index)) / 2;
    svg += fmt::format(
        "<line class=\"move\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
        x,
        kTop,
        kHeight - kBottom,
        kHeight - 8,
        commit_text(history.points[move.index].commit));
  }
  std::string line;
  std::string marks;
  for (std::size_t i = 0; i < history.points.size(); ++i) {
    const auto& point = history.points[i];
    const bool move = std::any_of(history.moves.begin(),
                                  history.moves.end(),
                                  [&](const ChangePoint& one) { return one.index == i; });
    line += fmt::format("{:.1f},{:.1f} ", scale.x(i), scale.y(point.value));
    marks += fmt::format(
        "<circle{} cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}: {} ({})</title></circle>\n",
        move ? " class=\"move\"" : "",
        scale.x(i),
        scale.y(point.value),
        commit_text(point.commit),
        escape_xml(point_text(history, point.value)),
        escape_xml(point.date));
  }
  return svg + fmt::format("<polyline points=\"{}\"/>\n{}</svg>\n", line, marks);
}

std::string values(const History& history) {
  std::string text =
      "<details><summary>values</summary><table><tr><th>commit</th><th>date</th><th>value</th>"
      "<th>runs</th></tr>\n";
  for (const auto& point : history.points) {
    text += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        commit_text(point.commit),
                        escape_xml(point.date),
                        escape_xml(point_text(history, point.value)),
                        point.runs);
  }
  return text + "</table></details>\n";
}

}  // namespace

std::string track_page(const TrackReport& report) {
  std::string text = kHead;
  const auto count = std::count_if(report.histories.begin(), report.histories.end(), moved);
  text += fmt::format(
      "<h1>Trends</h1>\n<p>{} of {} series moved. A dashed line names the commit "
      "whose figures are the first at the new level.</p>\n",
      count,
      report.histories.size());
  for (const bool first : {true, false}) {
    for (const auto& history : report.histories) {
      if (moved(history) != first) {
        continue;
      }
      text += fmt::format("<h2>{}</h2>\n", title_of(history));
      for (const auto& move : history.moves) {
        const auto& at = history.points[move.index];
        text += fmt::format("<p>Moved at commit <code>{}</code> ({}): {}, p {:.2g}</p>\n",
                            commit_text(at.commit),
                            escape_xml(at.date),
                            escape_xml(move_text(history, move)),
                            move.p);
      }
      text += drawing(history) + values(history);
    }
  }
  if (!report.notes.empty()) {
    text += "<h2>Left out</h2>\n<ul>\n";
    for (const auto& note : report.notes) {
      text += fmt::format("<li>{}</li>\n", escape_xml(note));
    }
    text += "</ul>\n";
  }
  return text + "</body>\n</html>\n";
}

}  // namespace adb
