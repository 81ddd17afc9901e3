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

std::string interval_text(const Finding& finding) {
  if (!finding.interval) {
    return "";
  }
  // A loss is shown as a negative change, so the ends change places.
  return finding.kind == FigureKind::kQuality
             ? fmt::format("[{:+.2f}, {:+.2f}]",
                           -100 * finding.interval->high,
                           -100 * finding.interval->low)
             : fmt::format("[{:.3f}, {:.3f}]", finding.interval->low, finding.interval->high);
}

std::string markdown_row(const Finding& finding) {
  return fmt::format("| {}{} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
                     finding.verdict == Verdict::kRegressed ? "**regressed**"
                                                            : std::string(to_text(finding.verdict)),
                     finding.warning && finding.verdict != Verdict::kCannotTell ? " (warning)" : "",
                     escape_markdown(describe(finding.cell)),
                     escape_markdown(finding.category.empty() ? "all" : finding.category),
                     escape_markdown(finding.metric.empty() ? "run" : finding.metric),
                     figure_text(finding, finding.baseline),
                     figure_text(finding, finding.current),
                     change_text(finding),
                     interval_text(finding),
                     escape_markdown(finding.reason));
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

std::string figure_text(const Finding& finding, const std::optional<double>& value) {
  if (!value) {
    return "";
  }
  switch (finding.kind) {
    case FigureKind::kQuality:
      return fmt::format("{:.2f}", 100 * *value);
    case FigureKind::kTime:
      return fmt::format("{:.4g} {}", *value, plain_text(finding.unit));
    case FigureKind::kMemory:
      break;
  }
  return fmt::format("{:.0f} MiB", *value / (1 << 20));
}

std::string change_text(const Finding& finding) {
  if (!finding.change) {
    return "";
  }
  // "+ 0.0" turns a negative zero into a zero.
  return finding.kind == FigureKind::kQuality ? fmt::format("{:+.2f}", -100 * *finding.change + 0.0)
                                              : fmt::format("x {:.3f}", *finding.change);
}

std::string subject(const Finding& finding) {
  return plain_text(fmt::format("{}{}{}{}",
                                describe(finding.cell),
                                finding.metric.empty() ? "" : ": " + finding.metric,
                                finding.category.empty() ? "" : " of ",
                                finding.category));
}

std::string gate_text(const GateReport& report) {
  std::string text;
  if (!report.problem.empty()) {
    return fmt::format("cannot tell: {}\n", plain_text(report.problem));
  }
  for (const auto& finding : report.findings) {
    if (finding.verdict == Verdict::kNotRegressed) {
      continue;
    }
    text +=
        fmt::format("{}{}: {}",
                    to_text(finding.verdict),
                    finding.warning && finding.verdict != Verdict::kCannotTell ? " (warning)" : "",
                    subject(finding));
    if (finding.change) {
      text += fmt::format(": {} -> {} ({}{}{})",
                          figure_text(finding, finding.baseline),
                          figure_text(finding, finding.current),
                          change_text(finding),
                          finding.interval ? ", 95 % " : "",
                          interval_text(finding));
    }
    text += fmt::format(": {}\n", plain_text(finding.reason));
  }
  std::map<CellName, std::vector<std::string>> well;
  for (const auto& finding : report.findings) {
    if (finding.verdict == Verdict::kNotRegressed) {
      auto what = finding.metric + (finding.category.empty() ? "" : " of " + finding.category);
      if (finding.change && finding.reason != "bitwise equal" &&
          finding.reason != "the baseline's own run") {
        what += fmt::format(" {}", change_text(finding));
      }
      well[finding.cell].push_back(std::move(what));
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
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    findings.push_back(
        {{"verdict", to_symbol(finding.verdict)},
         {"fails", finding.fails},
         {"warning", finding.warning},
         {"method", finding.cell.method},
         {"dataset", finding.cell.dataset},
         {"setting", finding.cell.setting},
         {"protocol", finding.cell.protocol},
         {"variant", finding.cell.variant},
         {"category", finding.category},
         {"metric", finding.metric},
         {"unit", finding.unit},
         {"baseline", optional_json(finding.baseline)},
         {"current", optional_json(finding.current)},
         {finding.kind == FigureKind::kQuality ? "loss" : "ratio", optional_json(finding.change)},
         {"interval",
          finding.interval ? Json({finding.interval->low, finding.interval->high}) : Json(nullptr)},
         {"p", optional_json(finding.p)},
         {"adjusted_p", optional_json(finding.adjusted_p)},
         {"pairs", finding.pairs},
         {"classes", finding.classes},
         {"seeds", finding.seeds},
         {"reason", finding.reason}});
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
          {"findings", findings}};
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
  for (const auto& finding : report.findings) {
    const auto row = markdown_row(finding);
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
