#include "tracking/outputs.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/text.h"

namespace adb {
namespace {

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string heading(const GateReport& report) {
  return report.exit_code == 0   ? "no regression"
         : report.exit_code == 4 ? "some cells did not run"
         : report.exit_code == 5 ? "regressed"
                                 : "cannot tell";
}

std::string interval_text(const Judgement& judgement) {
  if (!judgement.interval) {
    return "";
  }
  // A loss is shown as a negative change, so the ends change places.
  return judgement.kind == FigureKind::kQuality
             ? fmt::format("[{:+.2f}, {:+.2f}]",
                           -100 * judgement.interval->high,
                           -100 * judgement.interval->low)
             : fmt::format("[{:.3f}, {:.3f}]", judgement.interval->low, judgement.interval->high);
}

std::string markdown_row(const Judgement& judgement) {
  return fmt::format(
      "| {}{} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
      judgement.verdict == Verdict::kRegressed ? "**regressed**"
                                               : std::string(to_text(judgement.verdict)),
      judgement.warning && judgement.verdict != Verdict::kCannotTell ? " (warning)" : "",
      escape_markdown(describe(judgement.cell)),
      escape_markdown(judgement.category.empty() ? "all" : judgement.category),
      escape_markdown(judgement.metric.empty() ? "run" : judgement.metric),
      figure_text(judgement, judgement.baseline),
      figure_text(judgement, judgement.current),
      change_text(judgement),
      interval_text(judgement),
      escape_markdown(judgement.reason));
}

// Marker names must not end the comment that holds them.
std::string marker_name(const std::string& name) {
  std::string safe;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '/' || c == '_';
    safe += plain ? c : safe.ends_with('-') ? '_' : '-';
  }
  return safe;
}

}  // namespace

std::string plain_text(std::string_view text) {
  // nlohmann's writer replaces invalid UTF-8 by U+FFFD; its reader undoes the quoting.
  const auto valid =
      Json::parse(Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace))
          .get<std::string>();
  std::string plain;
  for (const char c : valid) {
    const auto byte = static_cast<unsigned char>(c);
    plain += c == '\n' || c == '\r' || c == '\t' ? ' ' : byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return plain;
}

std::string figure_text(const Judgement& judgement, const std::optional<double>& value) {
  if (!value) {
    return "";
  }
  switch (judgement.kind) {
    case FigureKind::kQuality:
      return fmt::format("{:.2f}", 100 * *value);
    case FigureKind::kTime:
      return fmt::format("{:.4g} {}", *value, plain_text(judgement.unit));
    case FigureKind::kMemory:
      break;
  }
  return fmt::format("{:.0f} MiB", *value / (1 << 20));
}

std::string change_text(const Judgement& judgement) {
  if (!judgement.change) {
    return "";
  }
  // "+ 0.0" turns a negative zero into a zero.
  return judgement.kind == FigureKind::kQuality
             ? fmt::format("{:+.2f}", -100 * *judgement.change + 0.0)
             : fmt::format("x {:.3f}", *judgement.change);
}

std::string subject(const Judgement& judgement) {
  return plain_text(fmt::format("{}{}{}{}",
                                describe(judgement.cell),
                                judgement.metric.empty() ? "" : ": " + judgement.metric,
                                judgement.category.empty() ? "" : " of ",
                                judgement.category));
}

std::string gate_text(const GateReport& report) {
  std::string text;
  if (!report.problem.empty()) {
    return fmt::format("cannot tell: {}\n", plain_text(report.problem));
  }
  for (const auto& judgement : report.judgements) {
    if (judgement.verdict == Verdict::kNotRegressed) {
      continue;
    }
    text += fmt::format(
        "{}{}: {}",
        to_text(judgement.verdict),
        judgement.warning && judgement.verdict != Verdict::kCannotTell ? " (warning)" : "",
        subject(judgement));
    if (judgement.change) {
      text += fmt::format(": {} -> {} ({}{}{})",
                          figure_text(judgement, judgement.baseline),
                          figure_text(judgement, judgement.current),
                          change_text(judgement),
                          judgement.interval ? ", 95 % " : "",
                          interval_text(judgement));
    }
    text += fmt::format(": {}\n", plain_text(judgement.reason));
  }
  std::map<CellName, std::vector<std::string>> well;
  for (const auto& judgement : report.judgements) {
    if (judgement.verdict == Verdict::kNotRegressed) {
      auto what =
          judgement.metric + (judgement.category.empty() ? "" : " of " + judgement.category);
      if (judgement.change && judgement.reason != "bitwise equal" &&
          judgement.reason != "the baseline's own run") {
        what += fmt::format(" {}", change_text(judgement));
      }
      well[judgement.cell].push_back(std::move(what));
    }
  }
  for (const auto& [cell, metrics] : well) {
    text += plain_text(fmt::format("not regressed: {}: {}", describe(cell), join(metrics, ", ")));
    text += "\n";
  }
  for (const auto& note : report.notes) {
    text += fmt::format("note: {}\n", plain_text(note));
  }
  text += fmt::format("{}against baseline '{}': {}: {}\n",
                      text.empty() ? "" : "\n",
                      plain_text(report.baseline),
                      heading(report),
                      summary_line(report));
  return text;
}

Json gate_json(const GateReport& report) {
  Json judgements = Json::array();
  for (const auto& judgement : report.judgements) {
    judgements.push_back(
        {{"verdict", to_symbol(judgement.verdict)},
         {"fails", judgement.fails},
         {"warning", judgement.warning},
         {"method", judgement.cell.method},
         {"dataset", judgement.cell.dataset},
         {"setting", judgement.cell.setting},
         {"protocol", judgement.cell.protocol},
         {"variant", judgement.cell.variant},
         {"category", judgement.category},
         {"metric", judgement.metric},
         {"unit", judgement.unit},
         {"baseline", optional_json(judgement.baseline)},
         {"current", optional_json(judgement.current)},
         {judgement.kind == FigureKind::kQuality ? "loss" : "ratio",
          optional_json(judgement.change)},
         {"interval",
          judgement.interval ? Json({judgement.interval->low, judgement.interval->high})
                             : Json(nullptr)},
         {"p", optional_json(judgement.p)},
         {"adjusted_p", optional_json(judgement.adjusted_p)},
         {"pairs", judgement.pairs},
         {"classes", judgement.classes},
         {"seeds", judgement.seeds},
         {"reason", judgement.reason}});
  }
  Json counts = Json::object();
  for (const auto verdict :
       {Verdict::kRegressed, Verdict::kNotRegressed, Verdict::kCannotTell, Verdict::kDidNotRun}) {
    counts[std::string(to_symbol(verdict))] = count(report, verdict);
  }
  return {{"baseline", report.baseline},
          {"created_at", report.created_at},
          {"exit_code", report.exit_code},
          {"result", heading(report)},
          {"alpha", report.alpha},
          {"counts", counts},
          {"problem", report.problem},
          {"notes", report.notes},
          {"judgements", judgements}};
}

std::string escape_markdown(std::string_view text) {
  std::string escaped;
  for (const char c : plain_text(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|~&@").find(c) == std::string_view::npos) {
      escaped += c;
    } else if (c == '@') {
      escaped += "@\xE2\x80\x8B";  // a blank of no width: nobody is notified
    } else {
      escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string gate_markdown(const GateReport& report, std::size_t max_bytes) {
  std::string text = fmt::format("<!-- adbench gate {} -->\n### adbench gate: {}\n\n",
                                 marker_name(report.baseline),
                                 heading(report));
  if (!report.problem.empty()) {
    return text + escape_markdown(report.problem) + "\n";
  }
  text += fmt::format(
      "Against baseline {}: {}.\n\n", escape_markdown(report.baseline), summary_line(report));
  text +=
      "| verdict | cell | class | metric | baseline | current | change | 95 % interval | why |\n"
      "|---|---|---|---|--:|--:|--:|---|---|\n";
  std::string notes;
  for (const auto& note : report.notes) {
    const auto line = fmt::format("- {}\n", escape_markdown(note));
    if (notes.size() + line.size() < max_bytes / 4) {
      notes += line;
    }
  }
  constexpr std::size_t kRoomForCount = 100;
  std::size_t left_out = 0;
  for (const auto& judgement : report.judgements) {
    const auto row = markdown_row(judgement);
    if (left_out > 0 || text.size() + row.size() + notes.size() + kRoomForCount > max_bytes) {
      ++left_out;
    } else {
      text += row;
    }
  }
  if (left_out > 0) {
    text += fmt::format("\n{} rows more were left out for their size.\n", left_out);
  }
  if (!notes.empty()) {
    text += "\n" + notes;
  }
  return text + "\nQuality in percent, changes of it in points.\n";
}

}  // namespace adb
