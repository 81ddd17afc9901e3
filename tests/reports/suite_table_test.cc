// The table of a suite: exactly its rows, whatever the store has, and figures under their keys.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.h"
#include "reports/layout.h"
#include "reports/render.h"
#include "tests/reports/sample_report.h"

namespace adb {
namespace {

using adb::testing::sample_report_run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PublishedRow published(const std::string& table,
                       const std::string& method,
                       const std::string& variant,
                       const std::string& category,
                       const std::string& metric,
                       double value,
                       const std::string& unit = "percent") {
  PublishedRow row;
  row.table_id = table;
  row.dataset = "mvtec_ad";
  row.method = method;
  row.variant = variant;
  row.category = category;
  row.metric = metric;
  row.value = value;
  row.printed = fmt::format("{:.1f}", value);
  row.unit = unit;
  return row;
}

NamedRow row(const std::string& label,
             const std::string& method,
             const std::vector<std::string>& keys,
             const std::string& variant = "") {
  NamedRow named;
  named.keys = keys;
  named.label = label;
  named.published_variant = variant;
  named.method = method;
  named.dataset = "mvtec_ad";
  named.setting = "multi";
  return named;
}

ReportOptions suite(std::vector<NamedRow> rows, std::vector<std::string> columns) {
  ReportOptions options;
  options.suite = "paper/table-99";
  options.title = "Ninety-nine";
  options.rows = std::move(rows);
  options.metrics = std::move(columns);
  options.per_class = false;
  options.published_tables = {"IX"};
  options.published = {published("IX", "vitad", "scale/S", "", "mad", 60),
                       published("IX", "vitad", "scale/B", "", "mad", 61)};
  return options;
}

std::vector<std::string> first_column(const TextTable& table) {
  std::vector<std::string> names;
  for (const auto& line : table.rows) {
    names.push_back(line.at(0).text);
  }
  return names;
}

TEST(SuiteTable, HasExactlyItsRows) {
  const auto options = suite({row("Big", "vitad", {}, "scale/B"),
                              row("Small", "vitad", {"vitad0"}, "scale/S"),
                              row("Small again", "vitad", {"vitad0"}, "scale/S")},
                             {"mad"});
  const Report report = build_report(
      {sample_report_run(1, "vitad", 0, 0.7), sample_report_run(2, "rd", 0, 0.7)}, options);
  ASSERT_EQ(report.groups.size(), 3u) << "runs of no row are left out, rows may share a run";
  EXPECT_TRUE(report.groups[0].not_run);
  EXPECT_THAT(report.groups[0].problems, ElementsAre("no run"));
  const TextReport text = lay_out(report);
  ASSERT_EQ(text.tables.size(), 1u);
  const auto& table = text.tables[0];
  EXPECT_THAT(first_column(table),
              ElementsAre("Big",
                          "  published IX",
                          "Small",
                          "  published IX",
                          "  difference",
                          "  last epoch",
                          "Small again",
                          "  published IX",
                          "  difference",
                          "  last epoch"));
  EXPECT_EQ(table.rows[0][1].text, "-");
  EXPECT_EQ(table.rows[1][1].text, "61.0");
  EXPECT_EQ(table.rows[2][1].text, "73.0");
  EXPECT_EQ(table.rows[4][1].text, "+13.0");
  EXPECT_THAT(text.notes[0], HasSubstr("Big: not run"));
  EXPECT_THAT(text.intro[0], HasSubstr("Conditions:")) << "a row without a run has no condition";
}

TEST(SuiteTable, ARowWithoutFiguresHasNoCondition) {
  auto failed = sample_report_run(1, "vitad", 0, 0.7);
  failed.run.status = RunStatus::kFailed;
  failed.run.reason = "broken";
  failed.metrics.clear();
  const Report report = build_report({failed, sample_report_run(2, "vitad", 1, 0.7)},
                                     suite({row("Broken", "vitad", {"vitad0"}, "scale/S"),
                                            row("Whole", "vitad", {"vitad1"}, "scale/B")},
                                           {"mad"}));
  EXPECT_EQ(report.conditions.size(), 1u);
  EXPECT_EQ(report.groups[0].condition, kNoCondition);
  EXPECT_FALSE(report.groups[0].not_run);
  EXPECT_THAT(report.groups[0].problems, ElementsAre("seed 0: failed: broken"));
}

TEST(SuiteTable, MarksWhatDoesNotCompare) {
  auto rows = std::vector<NamedRow>{row("Random", "vitad", {"vitad0"}, "scale/S"),
                                    row("Short", "vitad", {"vitad1"}, "scale/B"),
                                    row("Right", "vitad", {"vitad2"}, "scale/B")};
  rows[0].wants_pretrained = rows[1].wants_pretrained = true;
  rows[1].departures = {"epochs 2 instead of 100"};
  rows[1].note = "a note";
  auto random = sample_report_run(1, "vitad", 0, 0.5);
  random.run.weights.resolved = "random";
  auto smoke = sample_report_run(2, "vitad", 1, 0.6);
  smoke.run.protocol = "smoke";
  const Report report =
      build_report({random, smoke, sample_report_run(3, "vitad", 2, 0.7)}, suite(rows, {"mad"}));
  EXPECT_EQ(report.conditions.size(), 3u);
  EXPECT_THAT(report.groups[0].departures,
              ElementsAre("random weights instead of pretrained ones"));
  const TextReport text = lay_out(report);
  const auto names = first_column(text.tables.at(0));
  EXPECT_THAT(names, ::testing::Contains("Random [A]"));
  EXPECT_THAT(names, ::testing::Contains("Short [B]"));
  EXPECT_THAT(names, ::testing::Contains("Right [C]"));
  EXPECT_EQ(std::count(names.begin(), names.end(), "  difference ≠"), 2);
  EXPECT_EQ(std::count(names.begin(), names.end(), "  difference"), 1);
  EXPECT_THAT(text.notes[1], HasSubstr("note: a note; ≠: epochs 2 instead of 100"));
  EXPECT_THAT(join(text.intro, "\n"), HasSubstr("≠: the published figure is of something else"));
  EXPECT_THAT(render_report(report, ReportFormat::kLatex), HasSubstr("\\quad difference $\\neq$"));
}

TEST(SuiteTable, RunsOfOneRowThatDifferStandApart) {
  auto second = sample_report_run(2, "vitad", 0, 0.6);
  second.run.key = "newer";
  second.run.method_version = 2;
  auto seed = sample_report_run(3, "vitad", 1, 0.6);
  seed.run.method_version = 2;
  const Report report =
      build_report({sample_report_run(1, "vitad", 0, 0.7), second, seed},
                   suite({row("Small", "vitad", {"vitad0", "newer", "vitad1"})}, {"mad"}));
  ASSERT_EQ(report.groups.size(), 2u);
  EXPECT_EQ(report.groups[0].label, "Small (version 1)");
  EXPECT_EQ(report.groups[1].label, "Small (version 2)");
  EXPECT_THAT(report.groups[1].seeds, ElementsAre(0, 1));
}

ReportOptions by_class(std::vector<std::string> columns) {
  auto options =
      suite({row("RD", "rd", {"rd0"}), row("ViTAD", "vitad", {"vitad0"})}, std::move(columns));
  options.by_class = options.per_class = true;
  options.published_tables = {"V"};
  options.published = {published("V", "rd", "", "carpet", "image.auroc", 98.5),
                       published("V", "rd", "", "carpet", "pixel.ap", 50.1),
                       published("V", "rd", "", "grid", "image.auroc", 97.5),
                       published("V", "vitad", "", "grid", "pixel.ap", 40),
                       published("V", "vitad", "", "", "pixel.ap", 45)};
  return options;
}

// The text below `column` in the line called `name`; "  published" follows `after`.
std::string cell(const TextTable& table,
                 const std::string& after,
                 const std::string& name,
                 std::size_t column) {
  bool found = false;
  for (const auto& line : table.rows) {
    found = found || line[0].text == after;
    if (found && line[0].text == name) {
      return line.at(column).text;
    }
  }
  return "no line " + name;
}

TEST(SuiteTable, StandsByClass) {
  const Report report =
      build_report({sample_report_run(1, "vitad", 0, 0.7), sample_report_run(2, "rd", 0, 0.6)},
                   by_class({"image.auroc", "pixel.ap"}));
  const TextReport text = lay_out(report);
  ASSERT_EQ(text.tables.size(), 1u);
  const auto& table = text.tables[0];
  EXPECT_THAT(table.header, ElementsAre("class", "RD", "ViTAD"));
  EXPECT_EQ(table.title, "Ninety-nine. mvtec_ad, multi-class: image AUROC / pixel AP");
  EXPECT_EQ(cell(table, "carpet", "carpet", 1), "70.0/74.0");
  EXPECT_EQ(cell(table, "carpet", "  published", 1), "98.5/50.1");
  EXPECT_EQ(cell(table, "carpet", "  difference", 1), "-28.5/+23.9");
  EXPECT_EQ(cell(table, "carpet", "  published", 2), "-");
  EXPECT_EQ(cell(table, "grid", "grid", 2), "60.0/64.0");
  EXPECT_EQ(cell(table, "grid", "  published", 2), "-/40.0");
  EXPECT_EQ(cell(table, "mean", "mean", 2), "70.0/74.0");
  EXPECT_EQ(cell(table, "mean", "  difference", 2), "-/+29.0");
  EXPECT_EQ(table.rows[0][2].parts.at(0).rank, Rank::kBest);
  EXPECT_EQ(table.rows[0][1].parts.at(1).rank, Rank::kSecond);
  EXPECT_THAT(render_report(report, ReportFormat::kLatex),
              HasSubstr("\\underline{50.0}/\\underline{54.0} & \\textbf{60.0}/\\textbf{64.0}"));
  EXPECT_THAT(render_report(report, ReportFormat::kMarkdown), HasSubstr("| **60.0**/**64.0** |"));
}

TEST(SuiteTable, PermutedColumnsCarryTheirFiguresAlong) {
  const std::vector<ReportRun> runs = {sample_report_run(1, "vitad", 0, 0.7),
                                       sample_report_run(2, "rd", 0, 0.6)};
  std::vector<std::string> keys;
  for (const auto& column : main_columns()) {
    keys.push_back(column.key);
  }
  std::sort(keys.begin(), keys.end());
  const Report straight = build_report(runs, by_class(keys));
  for (int shift = 1; shift < 8; ++shift) {
    auto permuted = runs;
    auto order = keys;
    std::rotate(order.begin(), order.begin() + shift, order.end());
    std::reverse(order.begin(), order.begin() + 3);
    for (auto& run : permuted) {
      std::rotate(run.metrics.begin(), run.metrics.begin() + 5 * shift, run.metrics.end());
    }
    auto options = by_class(order);
    std::reverse(options.published.begin(), options.published.end());
    const Report report = build_report(permuted, options);
    for (const auto table : {&Report::means, &Report::classes}) {
      const auto& expected = straight.*table;
      const auto& got = report.*table;
      ASSERT_EQ(got.rows.size(), expected.rows.size());
      for (std::size_t r = 0; r < got.rows.size(); ++r) {
        for (std::size_t c = 0; c < order.size(); ++c) {
          const auto from = std::find(keys.begin(), keys.end(), order[c]) - keys.begin();
          EXPECT_EQ(got.columns[c].title, expected.columns[static_cast<std::size_t>(from)].title);
          const auto& a = got.rows[r].figures[c];
          const auto& b = expected.rows[r].figures[static_cast<std::size_t>(from)];
          EXPECT_EQ(a.state, b.state);
          EXPECT_EQ(a.value, b.value) << order[c] << " in row " << r;
          EXPECT_EQ(a.printed, b.printed);
        }
      }
    }
  }
}

TEST(SuiteTable, ByClassWithoutRunsHasThePublishedClasses) {
  const Report report = build_report({}, by_class({"image.auroc"}));
  const auto table = lay_out(report).tables.at(0);
  EXPECT_THAT(first_column(table),
              ElementsAre("carpet", "  published", "grid", "  published", "mean"));
  EXPECT_EQ(table.rows[0][1].text, "-");
  EXPECT_EQ(table.rows[1][1].text, "98.5");
}

TEST(SuiteTable, CostsHaveTheirColumns) {
  auto options = suite({row("RD", "rd", {"rd0"}), row("ViTAD", "vitad", {})},
                       {"parameters", "peak_device_memory_bytes", "train_s", "peak_memory_bytes"});
  options.published_tables = {"XIII"};
  options.published = {published("XIII", "rd", "", "", "parameters", 80.5, "million"),
                       published("XIII", "rd", "", "", "train_time", 4.1, "h"),
                       published("XIII", "vitad", "", "", "train_memory", 2300, "MB")};
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.7)}, options);
  EXPECT_THAT(report.means.rows, IsEmpty());
  const auto table = lay_out(report).tables.at(0);
  EXPECT_THAT(table.header,
              ElementsAre("row",
                          "parameters (M)",
                          "peak device memory (MiB)",
                          "training time (h)",
                          "peak memory (MiB)"));
  EXPECT_THAT(first_column(table),
              ElementsAre("RD", "  published XIII", "  difference", "ViTAD", "  published XIII"));
  EXPECT_EQ(table.rows[0][1].text, "80.61");
  EXPECT_EQ(table.rows[2][1].text, "+0.1");
  EXPECT_EQ(table.rows[0][3].text, "2.000");
  EXPECT_EQ(table.rows[1][3].text, "4.1");
  EXPECT_EQ(table.rows[2][3].text, "-") << "times of different machines have no difference";
  EXPECT_EQ(table.rows[0][4].text, "-") << "a column that no run has stays";
  EXPECT_EQ(table.rows[4][2].text, "2300.0");
  const auto csv = split(render_report(report, ReportFormat::kCsv), '\n');
  EXPECT_THAT(csv[0], HasSubstr(",parameters,parameters sd,"));
  EXPECT_THAT(csv[1], HasSubstr("paper/table-99,efficiency,measured"));
  EXPECT_THAT(csv[2], HasSubstr(",80.5,,"));
  for (std::size_t i = 0; i + 1 < csv.size(); ++i) {
    EXPECT_EQ(split(csv[i], ',').size(), split(csv[0], ',').size()) << csv[i];
  }
}

TEST(SuiteTable, JsonAndCsvSayWhatIsMissingAndWhy) {
  auto rows = std::vector<NamedRow>{row("Big", "vitad", {}, "scale/B")};
  rows[0].departures = {"protocol smoke"};
  rows[0].note = "a note";
  const Report report = build_report({}, suite(rows, {"mad"}));
  const auto json = report_json(report);
  EXPECT_EQ(json["suite"], "paper/table-99");
  EXPECT_EQ(json["groups"][0]["condition"], nullptr);
  EXPECT_EQ(json["groups"][0]["departures"], Json({"protocol smoke"}));
  EXPECT_EQ(json["groups"][0]["note"], "a note");
  EXPECT_EQ(json["means"]["rows"][0]["figures"]["mad"]["reason"], "not there");
  EXPECT_EQ(json["means"]["rows"][1]["figures"]["mad"]["printed"], "61.0");
  const auto csv = render_report(report, ReportFormat::kCsv);
  EXPECT_THAT(csv, HasSubstr("no run,protocol smoke; a note,-"));
}

TEST(SuiteTable, OtherMetricModesAreNotMixedIn) {
  auto run = sample_report_run(1, "vitad", 0, 0.7);
  auto options = suite({row("Small", "vitad", {"vitad0"})}, {"mad"});
  options.metric_mode = "ader";
  const Report none = build_report({run}, options);
  EXPECT_EQ(none.means.rows[0].figures[0].state, Figure::State::kMissing);
  EXPECT_THAT(none.groups[0].problems, ElementsAre(HasSubstr("no figures of this kind")));
  for (auto metric : std::vector<MetricRow>(run.metrics)) {
    metric.setting.mode = "ader";
    metric.value = 0.25;
    run.metrics.push_back(metric);
  }
  EXPECT_EQ(build_report({run}, options).means.rows[0].figures[0].value, 0.25);
  options.metric_mode = "";
  EXPECT_NE(build_report({run}, options).means.rows[0].figures[0].value, 0.25);
}

}  // namespace
}  // namespace adb
