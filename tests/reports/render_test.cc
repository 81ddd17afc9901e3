#include "reports/render.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/text.h"
#include "tests/reports/sample_report.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using adb::testing::expect_error;
using adb::testing::sample_report_run;
using adb::testing::sample_single_run;
using ::testing::HasSubstr;
using ::testing::Not;

// Three methods, two seeds, single classes, a failure, an undefined figure, published figures and
// two conditions.
Report rich_report() {
  std::vector<ReportRun> runs = {sample_report_run(1, "rd", 0, 0.7),
                                 sample_report_run(2, "rd", 1, 0.72),
                                 sample_report_run(3, "draem", 0, 0.69),
                                 sample_single_run(4, 0, "carpet", 0.6),
                                 sample_single_run(5, 0, "grid", 0.8),
                                 sample_report_run(6, "vitad", 0, 0.75)};
  runs[0].run.changed_options = runs[1].run.changed_options = {
      {.path = "lr", .value = 0.1, .default_value = 0.005, .origin = "suite.yaml:3:7"}};
  runs[2].run.weights = {};
  for (auto& row : runs[2].metrics) {
    if ((row.key == "pixel.aupro" || row.key == "mad") && row.category != "grid") {
      row.value.reset();
      row.reason = "class carpet: no component";
    }
  }
  runs[5].run.weights.resolved = "random";
  ReportRun failed = sample_report_run(7, "vitad", 1, 0.8);
  failed.run.weights.resolved = "random";
  failed.run.status = RunStatus::kOutOfMemory;
  failed.run.reason = "killed at 24 GiB";
  failed.metrics.clear();
  runs.push_back(failed);
  ReportOptions options;
  for (const auto& column : main_columns()) {
    options.published.push_back({.table_id = column.key.starts_with("image") ? "V" : "VI",
                                 .dataset = "mvtec_ad",
                                 .method = "rd",
                                 .metric = column.key,
                                 .value = 91.5,
                                 .printed = "91.5",
                                 .unit = "percent"});
  }
  options.published_tables = {"V", "VI"};
  return build_report(std::move(runs), options);
}

// Compares with the approved text; ADB_ACCEPT=1 in the environment approves what came out.
void expect_approved(const std::string& name, const std::string& text) {
  const fs::path file = fs::path(ADB_SOURCE) / "tests/reports/approved" / name;
  if (const char* accept = std::getenv("ADB_ACCEPT");
      accept != nullptr && std::string(accept) == "1") {
    write_file_atomic(file, text);
  }
  ASSERT_TRUE(fs::exists(file)) << file << " is not there; accept it with ADB_ACCEPT=1";
  const auto approved = split(read_text(file, ErrorKind::kData), '\n');
  const auto lines = split(text, '\n');
  for (std::size_t i = 0; i < std::min(lines.size(), approved.size()); ++i) {
    ASSERT_EQ(lines[i], approved[i]) << name << ", line " << i + 1;
  }
  EXPECT_EQ(lines.size(), approved.size()) << name;
}

TEST(Render, Terminal) {
  expect_approved("report.txt", render_report(rich_report(), ReportFormat::kTerminal));
}
TEST(Render, Markdown) {
  expect_approved("report.md", render_report(rich_report(), ReportFormat::kMarkdown));
}
TEST(Render, Csv) {
  expect_approved("report.csv", render_report(rich_report(), ReportFormat::kCsv));
}
TEST(Render, Json) {
  expect_approved("report.json", render_report(rich_report(), ReportFormat::kJson));
}
TEST(Render, Latex) {
  expect_approved("report.tex", render_report(rich_report(), ReportFormat::kLatex));
}

TEST(Render, JsonHasFractionsInFullPrecision) {
  const Json json = Json::parse(
      render_report(build_report({sample_report_run(1, "rd", 0, 2.0 / 3)}), ReportFormat::kJson));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_TRUE(json["errors"].empty());
  EXPECT_EQ(json["data"]["means"]["rows"][0]["figures"]["image.auroc"]["value"].get<double>(),
            2.0 / 3);
  EXPECT_EQ(json["data"]["groups"][0]["weights"]["resolved"], "0123456789abcdef0123");
}

TEST(Render, CsvHasAsManyFieldsInEveryLine) {
  const auto lines = split(
      render_report(build_report({sample_report_run(1, "rd", 0, 0.7)}), ReportFormat::kCsv), '\n');
  const std::size_t fields = split(lines[0], ',').size();
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(split(lines[i], ',').size(), fields) << lines[i];
  }
  EXPECT_THAT(lines[1], HasSubstr(",70.000000,,71.000000,"));
}

TEST(Render, TextFromTheStoreCannotBreakATable) {
  ReportRun run = sample_report_run(1, "rd", 0, 0.7);
  run.run.method_title = "A|B\n\x1b[31m & 50% \\x {y} =z";
  const Report report = build_report({run});
  EXPECT_THAT(render_report(report, ReportFormat::kTerminal), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render_report(report, ReportFormat::kMarkdown), HasSubstr("A\\|B??\\[31m"));
  EXPECT_THAT(render_report(report, ReportFormat::kLatex),
              HasSubstr("\\& 50\\% \\textbackslash{}x \\{y\\}"));
  run.run.method_title = "\xff not UTF-8";
  EXPECT_THAT(render_report(build_report({run}), ReportFormat::kJson), HasSubstr("not UTF-8"));
  run.run.method_title = "=HYPERLINK(\"x\")";
  EXPECT_THAT(render_report(build_report({run}), ReportFormat::kCsv),
              HasSubstr("\"'=HYPERLINK(\"\"x\"\")\""));
}

TEST(Render, NamesItsFormats) {
  EXPECT_EQ(report_format_from_text("latex"), ReportFormat::kLatex);
  expect_error(ErrorKind::kUsage, "unknown format 'markdwn'; did you mean 'markdown'", [] {
    report_format_from_text("markdwn");
  });
}

}  // namespace
}  // namespace adb
