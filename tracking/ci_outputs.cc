// JUnit, GitHub, GitLab and the badge. Sources of the formats: the JUnit XML schema of the Jenkins
// xUnit plugin; GitHub's "Workflow commands for GitHub Actions"; GitLab's "Code Quality report
// format".
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/hash.h"
#include "tracking/outputs.h"

namespace adb {
namespace {

constexpr std::size_t kMostAnnotations = 10;  // of a kind and step, GitHub's limit

std::string replaced(std::string_view text,
                     std::initializer_list<std::pair<char, std::string_view>> replacements) {
  std::string result;
  for (const char c : text) {
    const auto found =
        std::find_if(replacements.begin(), replacements.end(), [&](const auto& replacement) {
          return replacement.first == c;
        });
    if (found == replacements.end()) {
      result += c;
    } else {
      result += found->second;
    }
  }
  return result;
}

std::string message(const Judgement& judgement) {
  if (!judgement.change) {
    return fmt::format("{}: {}", to_text(judgement.verdict), judgement.reason);
  }
  return fmt::format("{}: {} -> {} ({}): {}",
                     to_text(judgement.verdict),
                     figure_text(judgement, judgement.baseline),
                     figure_text(judgement, judgement.current),
                     change_text(judgement),
                     judgement.reason);
}

// --- JUnit

enum class Outcome { kPassed, kFailure, kError, kSkipped };

Outcome outcome_of(const Judgement& judgement) {
  if (judgement.verdict == Verdict::kCannotTell) {
    return judgement.fails ? Outcome::kError : Outcome::kSkipped;
  }
  if (!judgement.fails) {
    return Outcome::kPassed;
  }
  return judgement.verdict == Verdict::kRegressed ? Outcome::kFailure : Outcome::kError;
}

std::string junit_case(const Judgement& judgement) {
  const auto& cell = judgement.cell;
  auto name = fmt::format("{}: {}",
                          judgement.category.empty() ? "all classes" : judgement.category,
                          judgement.metric.empty() ? judgement.reason : judgement.metric);
  auto text =
      fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                  escape_xml(cell.method + (cell.variant.empty() ? "" : " " + cell.variant)),
                  escape_xml(name));
  const auto said = escape_xml(message(judgement));
  switch (outcome_of(judgement)) {
    case Outcome::kPassed:
      return text + (judgement.warning
                         ? fmt::format(">\n      <system-out>warning: {}</system-out>\n"
                                       "    </testcase>\n",
                                       said)
                         : "/>\n");
    case Outcome::kSkipped:
      return text + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", said);
    case Outcome::kFailure:
    case Outcome::kError:
      break;
  }
  const char* element = outcome_of(judgement) == Outcome::kFailure ? "failure" : "error";
  return text + fmt::format(
                    ">\n      <{0} type=\"{1}\" message=\"{2}\">{2}</{0}>\n"
                    "    </testcase>\n",
                    element,
                    to_symbol(judgement.verdict),
                    said);
}

// --- badge

// Verdana 11 px is about this wide on average; the text is fitted to it by textLength.
constexpr int kCharWidth = 7;

}  // namespace

std::string escape_xml(std::string_view text) {
  return replaced(
      plain_text(text),
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}});
}

std::string escape_command_data(std::string_view text) {
  return replaced(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}});
}

std::string escape_command_property(std::string_view text) {
  return replaced(text, {{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}});
}

std::string gate_junit(const GateReport& report) {
  struct Suite {
    std::string cases{};
    std::map<Outcome, int> outcomes{};
    int tests = 0;
  };
  std::map<std::string, Suite> suites;
  auto judgements = report.judgements;
  if (!report.problem.empty()) {
    Judgement nothing;
    nothing.cell.method = "gate";
    nothing.cell.dataset = "baseline " + report.baseline;
    nothing.fails = true;
    nothing.reason = report.problem;
    judgements = {nothing};
  }
  std::map<Outcome, int> outcomes;
  for (const auto& judgement : judgements) {
    const auto& cell = judgement.cell;
    auto& suite = suites[fmt::format("{}{}{}{}{}",
                                     cell.dataset,
                                     cell.setting.empty() ? "" : ", ",
                                     cell.setting,
                                     cell.protocol.empty() ? "" : ", ",
                                     cell.protocol)];
    suite.cases += junit_case(judgement);
    ++suite.tests;
    ++suite.outcomes[outcome_of(judgement)];
    ++outcomes[outcome_of(judgement)];
  }
  const auto counts = [](std::map<Outcome, int>& of, std::size_t tests) {
    return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\"",
                       tests,
                       of[Outcome::kFailure],
                       of[Outcome::kError]);
  };
  auto text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"adbench gate\" {}>\n",
      counts(outcomes, judgements.size()));
  for (auto& [name, suite] : suites) {
    text += fmt::format("  <testsuite name=\"{}\" {} skipped=\"{}\">\n{}  </testsuite>\n",
                        escape_xml(name),
                        counts(suite.outcomes, static_cast<std::size_t>(suite.tests)),
                        suite.outcomes[Outcome::kSkipped],
                        suite.cases);
  }
  return text + "</testsuites>\n";
}

std::string gate_github(const GateReport& report) {
  std::string text;
  const auto annotate = [&](const char* kind, const std::string& title, const std::string& said) {
    text += fmt::format("::{} title={}::{}\n",
                        kind,
                        escape_command_property(plain_text(title)),
                        escape_command_data(plain_text(said)));
  };
  if (!report.problem.empty()) {
    annotate("error", "adbench gate", report.problem);
  }
  std::size_t errors = 0;
  std::size_t warnings = 0;
  for (const auto& judgement : report.judgements) {
    if (judgement.fails && errors++ < kMostAnnotations) {
      annotate("error", subject(judgement), message(judgement));
    } else if (judgement.warning && warnings++ < kMostAnnotations) {
      annotate("warning", subject(judgement), message(judgement));
    }
  }
  return text;
}

std::string gate_gitlab(const GateReport& report, const std::string& path) {
  Json issues = Json::array();
  const auto add = [&](const std::string& what,
                       const std::string& check,
                       const char* severity,
                       const std::string& identity) {
    issues.push_back({{"description", plain_text(what)},
                      {"check_name", check},
                      {"fingerprint", sha256(identity)},
                      {"severity", severity},
                      {"location", {{"path", plain_text(path)}, {"lines", {{"begin", 1}}}}}});
  };
  if (!report.problem.empty()) {
    add(report.problem, "adbench/cannot_tell", "major", report.baseline + "\nproblem");
  }
  for (const auto& judgement : report.judgements) {
    if (!judgement.fails && !judgement.warning) {
      continue;
    }
    const char* severity = judgement.fails && judgement.verdict == Verdict::kRegressed ? "critical"
                           : judgement.fails                                           ? "major"
                           : judgement.verdict == Verdict::kCannotTell                 ? "info"
                                                                                       : "minor";
    // Stable over commits, so that GitLab shows what is new: no figure is part of it. A missing
    // run is told from another one of its cell by its seed, which begins its reason.
    const auto run = judgement.metric.empty() ? judgement.reason : "";
    add(fmt::format("{}: {}", subject(judgement), message(judgement)),
        fmt::format("adbench/{}", to_symbol(judgement.verdict)),
        severity,
        canonical_json({plain_text(describe(judgement.cell)),
                        plain_text(judgement.category),
                        judgement.metric,
                        to_symbol(judgement.verdict),
                        plain_text(run)}));
  }
  return issues.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string gate_badge(const GateReport& report) {
  std::string said = "no regression";
  const char* colour = "#2e7d32";
  if (report.exit_code == 5) {
    said = fmt::format("{} regressed", count(report, Verdict::kRegressed));
    colour = "#c62828";
  } else if (report.exit_code == 4) {
    said = fmt::format("{} did not run", count(report, Verdict::kDidNotRun));
    colour = "#ad5700";
  } else if (report.exit_code == 6) {
    said = "cannot tell";
    colour = "#616161";
  }
  const std::string label = "adbench";
  const int left = kCharWidth * static_cast<int>(label.size()) + 10;
  const int right = kCharWidth * static_cast<int>(said.size()) + 10;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"20\" role=\"img\" "
      "aria-label=\"{1}: {2}\">\n"
      "  <title>{1}: {2}</title>\n"
      "  <rect width=\"{0}\" height=\"20\" rx=\"3\" fill=\"{3}\"/>\n"
      "  <path d=\"M3 0h{5}v20h-{5}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z\" fill=\"#424242\"/>\n"
      "  <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\n"
      "    <text x=\"5\" y=\"14\" textLength=\"{6}\">{1}</text>\n"
      "    <text x=\"{4}\" y=\"14\" textLength=\"{7}\">{2}</text>\n"
      "  </g>\n"
      "</svg>\n",
      left + right,
      label,
      said,
      colour,
      left + 5,
      left - 3,
      left - 10,
      right - 10);
}

}  // namespace adb
