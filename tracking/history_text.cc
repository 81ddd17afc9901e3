// Histories as text, Markdown and JSON.
#include <algorithm>

#include <fmt/format.h>

#include "tracking/history.h"
#include "tracking/outputs.h"

namespace adb {
namespace {

std::string name_of(const History& history) {
  return plain_text(fmt::format("{}: {}{}{}",
                                describe(history.cell),
                                history.metric,
                                history.category.empty() ? "" : " of ",
                                history.category));
}

std::string commit_text(const std::string& commit) {
  const bool dirty = commit.ends_with("+dirty");
  return plain_text(commit.substr(0, std::min<std::size_t>(commit.size(), 12))) +
         (dirty && commit.size() > 12 ? "+dirty" : "");
}

std::size_t num_moved(const TrackReport& report) {
  return static_cast<std::size_t>(
      std::count_if(report.histories.begin(), report.histories.end(), moved));
}

}  // namespace

std::string point_text(const History& history, double value) {
  Judgement judgement;
  judgement.kind = history.kind;
  judgement.unit = history.unit;
  return figure_text(judgement, value);
}

std::string move_text(const History& history, const ChangePoint& move) {
  const auto change = history.kind == FigureKind::kQuality
                          ? fmt::format("{:+.2f} points", 100 * (move.after - move.before))
                          : fmt::format("x {:.3f}", move.after / move.before);
  return fmt::format(
      "{} -> {} ({})", point_text(history, move.before), point_text(history, move.after), change);
}

std::string track_text(const TrackReport& report) {
  std::string text;
  for (const auto& history : report.histories) {
    for (const auto& move : history.moves) {
      const auto& at = history.points[move.index];
      text += fmt::format("{}: {} at commit {} ({} of {}, {}), p {:.2g}\n",
                          name_of(history),
                          move_text(history, move),
                          commit_text(at.commit),
                          move.index + 1,
                          history.points.size(),
                          at.date,
                          move.p);
    }
  }
  for (const auto& history : report.histories) {
    if (!moved(history)) {
      text += fmt::format("{}: {} over {} commits\n",
                          name_of(history),
                          point_text(history, history.points.back().value),
                          history.points.size());
    }
  }
  for (const auto& note : report.notes) {
    text += fmt::format("note: {}\n", plain_text(note));
  }
  return text + fmt::format("\n{} series, {} moved\n", report.histories.size(), num_moved(report));
}

std::string track_markdown(const TrackReport& report) {
  std::string text = fmt::format(
      "### adbench track: {} of {} series moved\n\n", num_moved(report), report.histories.size());
  text += "| series | commits | newest | moved at | change |\n|---|--:|--:|---|---|\n";
  for (const bool first : {true, false}) {
    for (const auto& history : report.histories) {
      if (moved(history) != first) {
        continue;
      }
      std::string places;
      std::string changes;
      for (const auto& move : history.moves) {
        const char* separator = places.empty() ? "" : "<br>";
        places += separator + escape_markdown(commit_text(history.points[move.index].commit));
        changes += separator + escape_markdown(move_text(history, move));
      }
      text += fmt::format("| {} | {} | {} | {} | {} |\n",
                          escape_markdown(name_of(history)),
                          history.points.size(),
                          escape_markdown(point_text(history, history.points.back().value)),
                          places,
                          changes);
    }
  }
  for (const auto& note : report.notes) {
    text += fmt::format("\n- {}", escape_markdown(note));
  }
  return text + "\n";
}

Json track_json(const TrackReport& report) {
  Json histories = Json::array();
  for (const auto& history : report.histories) {
    Json points = Json::array();
    for (const auto& point : history.points) {
      points.push_back({{"commit", point.commit},
                        {"date", point.date},
                        {"value", point.value},
                        {"runs", point.runs}});
    }
    Json moves = Json::array();
    for (const auto& move : history.moves) {
      moves.push_back({{"index", move.index},
                       {"commit", history.points[move.index].commit},
                       {"before", move.before},
                       {"after", move.after},
                       {"p", move.p}});
    }
    histories.push_back({{"method", history.cell.method},
                         {"dataset", history.cell.dataset},
                         {"setting", history.cell.setting},
                         {"protocol", history.cell.protocol},
                         {"category", history.category},
                         {"metric", history.metric},
                         {"unit", history.unit},
                         {"points", points},
                         {"moves", moves}});
  }
  return {{"series", histories}, {"notes", report.notes}};
}

}  // namespace adb
