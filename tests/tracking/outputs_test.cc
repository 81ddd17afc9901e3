// What CI systems are given: well-formed for real parsers, true to the report, safe against names
// that come from a store.
#include "tracking/outputs.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TempFolder;

Judgement judgement(Verdict verdict, const std::string& method, const std::string& metric = "mad") {
  Judgement f;
  f.cell = {.method = method, .title = method, .dataset = "sample", .setting = "multi"};
  f.metric = metric;
  f.verdict = verdict;
  f.reason = "loss 2.00 points";
  if (verdict != Verdict::kDidNotRun) {
    f.baseline = 0.9;
    f.current = 0.88;
    f.change = 0.02;
    f.interval = Interval{0.01, 0.03};
  }
  f.fails = verdict == Verdict::kRegressed || verdict == Verdict::kDidNotRun;
  f.warning = verdict == Verdict::kCannotTell;
  return f;
}

const std::string kHostile = "a|b<c>&\"d'`::error::e%0A,f:\n\x01\xff]]>--><script>@all";

GateReport every_verdict() {
  GateReport report;
  report.baseline = "main";
  report.judgements = {judgement(Verdict::kRegressed, "rd"),
                       judgement(Verdict::kDidNotRun, "uniad", ""),
                       judgement(Verdict::kCannotTell, "vitad"),
                       judgement(Verdict::kNotRegressed, "draem"),
                       judgement(Verdict::kRegressed, kHostile, "pixel.aupro")};
  auto warned = judgement(Verdict::kRegressed, "simplenet");
  warned.fails = false;
  warned.warning = true;
  report.judgements.push_back(warned);
  report.judgements[4].reason = kHostile;
  report.notes = {"note on " + kHostile};
  conclude(&report);
  return report;
}

void expect_accepted(const std::string& program, const std::vector<std::string>& arguments) {
  const TempFolder folder;
  const auto result = testing::run_program(program, arguments, folder.path());
  EXPECT_EQ(result.code, 0) << result.out << result.err;
}

const std::string kSchemas = ADB_SOURCE "/tests/tracking/schemas/";

TEST(Outputs, JUnitHoldsItsSchema) {
  const TempFolder temp;
  GateReport nothing;
  nothing.problem = kHostile;
  conclude(&nothing);
  for (const auto& report : {every_verdict(), nothing, GateReport{}}) {
    const auto file = temp.write("junit.xml", gate_junit(report));
    expect_accepted("/usr/bin/xmllint",
                    {"--noout", "--nonet", "--schema", kSchemas + "junit.xsd", file.string()});
  }
}

TEST(Outputs, JUnitCountsAndNamesWhatHappened) {
  const auto xml = gate_junit(every_verdict());
  EXPECT_THAT(xml,
              HasSubstr("<testsuite name=\"sample, multi\" tests=\"6\" failures=\"2\" errors=\"1\" "
                        "skipped=\"1\">"));
  EXPECT_THAT(xml,
              HasSubstr("<testcase classname=\"rd\" name=\"all classes: mad\">\n"
                        "      <failure type=\"regressed\" message=\"regressed: 90.00 -&gt; "
                        "88.00 (-2.00): loss 2.00 points\">"));
  EXPECT_THAT(xml, HasSubstr("<error type=\"did_not_run\""));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"cannot tell"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"draem\" name=\"all classes: mad\"/>"));
  EXPECT_THAT(xml, HasSubstr("<system-out>warning: regressed"));
}

TEST(Outputs, GitLabHoldsItsSchema) {
  const TempFolder temp;
  const auto text = gate_gitlab(every_verdict(), "gate.yaml");
  expect_accepted("/usr/bin/python3",
                  {"-m",
                   "jsonschema",
                   "-i",
                   temp.write("gitlab.json", text).string(),
                   kSchemas + "gitlab.json"});
  const auto issues = Json::parse(text);
  ASSERT_EQ(issues.size(), 5) << "not regressed is no issue";
  std::set<std::string> fingerprints;
  for (const auto& issue : issues) {
    fingerprints.insert(issue.at("fingerprint").get<std::string>());
  }
  EXPECT_EQ(fingerprints.size(), 5);
  // Another figure is the same issue.
  auto other = every_verdict();
  other.judgements[0].current = 0.1;
  other.judgements[0].reason = "loss 80 points";
  EXPECT_EQ(Json::parse(gate_gitlab(other, "gate.yaml"))[0].at("fingerprint"),
            issues[0].at("fingerprint"));
}

TEST(Outputs, JsonHoldsItsSchema) {
  const TempFolder temp;
  const Json answer = {{"schema", "adbench.gate.1"},
                       {"data", gate_json(every_verdict())},
                       {"errors", Json::array()}};
  expect_accepted(
      "/usr/bin/python3",
      {"-m",
       "jsonschema",
       "-i",
       temp.write("gate.json", answer.dump(2, ' ', false, Json::error_handler_t::replace)).string(),
       kSchemas + "gate.json"});
}

// Undoes GitHub's escaping the way its runner does.
std::string unescape(std::string text) {
  for (const auto& [code, plain] : {std::pair("%0D", "\r"),
                                    std::pair("%0A", "\n"),
                                    std::pair("%3A", ":"),
                                    std::pair("%2C", ","),
                                    std::pair("%25", "%")}) {
    for (auto at = text.find(code); at != std::string::npos; at = text.find(code, at + 1)) {
      text.replace(at, 3, plain);
    }
  }
  return text;
}

TEST(Outputs, GitHubCommandsAreEscaped) {
  EXPECT_EQ(escape_command_data("50%\r\na:b,c"), "50%25%0D%0Aa:b,c");
  EXPECT_EQ(escape_command_property("50%\r\na:b,c"), "50%25%0D%0Aa%3Ab%2Cc");
  const auto commands = gate_github(every_verdict());
  ASSERT_THAT(commands, EndsWith("\n"));
  for (const auto& line : split(commands.substr(0, commands.size() - 1), '\n')) {
    ASSERT_THAT(line,
                ::testing::AnyOf(StartsWith("::error title="), StartsWith("::warning title=")))
        << "a line of its own would be a command of its own";
    const auto end = line.find("::", 2);
    const auto title = line.substr(0, end);
    EXPECT_EQ(std::count(title.begin(), title.end(), ':'), 2) << title;
    EXPECT_EQ(std::count(title.begin(), title.end(), ','), 0) << title;
  }
  EXPECT_THAT(unescape(gate_github(every_verdict())), HasSubstr("e%0A,f:"));
}

TEST(Outputs, GitHubGetsTheWorstTenOfEach) {
  GateReport report;
  for (int i = 0; i < 25; ++i) {
    report.judgements.push_back(judgement(Verdict::kRegressed, fmt::format("m{}", i)));
    report.judgements.push_back(judgement(Verdict::kCannotTell, fmt::format("m{}", i)));
  }
  conclude(&report);
  const auto lines = split(gate_github(report), '\n');
  EXPECT_EQ(
      std::count_if(
          lines.begin(), lines.end(), [](const auto& line) { return line.starts_with("::error"); }),
      10);
  EXPECT_EQ(std::count_if(lines.begin(),
                          lines.end(),
                          [](const auto& line) { return line.starts_with("::warning"); }),
            10);
}

TEST(Outputs, MarkdownIsStableEscapedAndCapped) {
  auto report = every_verdict();
  const auto text = gate_markdown(report);
  EXPECT_THAT(text, StartsWith("<!-- adbench gate main -->\n### adbench gate: regressed\n"));
  EXPECT_THAT(text,
              HasSubstr("| **regressed** | rd on sample, multi | all | mad | 90.00 | 88.00 "
                        "| -2.00 | [-3.00, -1.00] | loss 2.00 points |"));
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("@all")));
  for (const auto& line : split(text, '\n')) {
    if (line.starts_with("| ")) {
      std::size_t bars = 0;
      for (std::size_t i = 0; i < line.size(); ++i) {
        bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
      }
      EXPECT_EQ(bars, 10) << line;
    }
  }
  // The order of the judgements does not change the comment.
  std::reverse(report.judgements.begin(), report.judgements.end());
  conclude(&report);
  EXPECT_EQ(gate_markdown(report), text);

  for (int i = 0; i < 1000; ++i) {
    report.judgements.push_back(judgement(Verdict::kCannotTell, fmt::format("m{}", i)));
  }
  conclude(&report);
  const auto capped = gate_markdown(report, 20'000);
  EXPECT_LE(capped.size(), 20'000);
  EXPECT_THAT(capped, HasSubstr("rows more were left out"));
  EXPECT_THAT(capped, HasSubstr("**regressed** | rd"));

  report.baseline = "x--><b>";
  EXPECT_THAT(gate_markdown(report), StartsWith("<!-- adbench gate x-_-_b- -->\n"));
}

TEST(Outputs, BadgesAreDrawings) {
  const TempFolder temp;
  auto report = every_verdict();
  for (const int code : {0, 4, 5, 6}) {
    report.exit_code = code;
    const auto file = temp.write("badge.svg", gate_badge(report));
    expect_accepted("/usr/bin/xmllint", {"--noout", "--nonet", file.string()});
  }
  report.exit_code = 5;
  EXPECT_THAT(gate_badge(report), HasSubstr("<title>adbench: 3 regressed</title>"));
  report.exit_code = 0;
  EXPECT_THAT(gate_badge(report), HasSubstr("no regression"));
}

TEST(Outputs, TextSaysTheWorstFirstAndEndsWithTheSum) {
  const auto text = gate_text(every_verdict());
  EXPECT_THAT(text, StartsWith("regressed: "));
  EXPECT_THAT(text,
              HasSubstr("rd on sample, multi: mad: 90.00 -> 88.00 (-2.00, 95 % [-3.00, "
                        "-1.00]): loss 2.00 points\n"));
  EXPECT_THAT(text, HasSubstr("not regressed: draem on sample, multi: mad -2.00\n"));
  EXPECT_THAT(text,
              EndsWith("against baseline 'main': regressed: 3 regressed, 1 not regressed, 1 cannot "
                       "tell, 1 did not run\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x01")));
}

}  // namespace
}  // namespace adb
