#include "reports/table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/layout.h"
#include "reports/render.h"
#include "tests/reports/sample_report.h"
#include "tests/results/sample_rows.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using adb::testing::expect_error;
using adb::testing::sample_report_run;
using adb::testing::sample_single_run;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::size_t column_of(const std::string& key) {
  for (std::size_t i = 0; i < main_columns().size(); ++i) {
    if (main_columns()[i].key == key) {
      return i;
    }
  }
  ADD_FAILURE() << key;
  return 0;
}

const Figure& figure_of(const ReportTable& table,
                        const std::string& key,
                        RowKind kind = RowKind::kMeasured,
                        const std::string& category = "",
                        std::size_t group = 0) {
  static const Figure none;
  for (const auto& row : table.rows) {
    if (row.kind == kind && row.category == category && row.group == group) {
      return row.figures.at(column_of(key));
    }
  }
  ADD_FAILURE() << "no row for " << key << " of class '" << category << "'";
  return none;
}

void expect_value(const Figure& figure, double value) {
  EXPECT_EQ(figure.state, Figure::State::kValue) << figure.reason;
  EXPECT_NEAR(figure.value, value, 1e-12);
}

// Removes what `matches` from the run's metrics.
void remove_metrics(ReportRun& run, const std::function<bool(const MetricRow&)>& matches) {
  std::erase_if(run.metrics, matches);
}

TEST(Table, ShowsTheReportedEpochAndTheLastBesideIt) {
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.7)});
  expect_value(figure_of(report.means, "image.auroc"), 0.70);
  expect_value(figure_of(report.means, "pixel.aupro"), 0.76);
  expect_value(figure_of(report.means, "mad"), 0.73);
  expect_value(figure_of(report.means, "image.auroc", RowKind::kLastEpoch), 0.65);
  expect_value(figure_of(report.classes, "image.ap", RowKind::kMeasured, "grid"), 0.61);
  expect_value(figure_of(report.classes, "image.ap", RowKind::kMeasured, "carpet"), 0.81);
  EXPECT_EQ(report.classes.rows[0].category, "grid") << "classes in the order of the data set";
  EXPECT_THAT(report.conditions, ElementsAre(HasSubstr("highest mean pixel AUROC")));
}

TEST(Table, BindsColumnsByKeyWhateverTheOrderOfRows) {
  std::vector<ReportRun> runs = {sample_report_run(1, "rd", 0, 0.7),
                                 sample_report_run(2, "rd", 1, 0.6),
                                 sample_report_run(3, "draem", 0, 0.5)};
  const std::string expected = render_report(build_report(runs), ReportFormat::kJson);
  std::reverse(runs.begin(), runs.end());
  for (auto& run : runs) {
    std::sort(run.metrics.begin(), run.metrics.end(), [](const MetricRow& a, const MetricRow& b) {
      return std::hash<std::string>()(a.key + a.category) <
             std::hash<std::string>()(b.key + b.category);
    });
    std::reverse(run.efficiency.begin(), run.efficiency.end());
    std::reverse(run.counts.begin(), run.counts.end());
  }
  EXPECT_EQ(render_report(build_report(runs), ReportFormat::kJson), expected);
}

TEST(Table, AggregatesSeeds) {
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.5),
                                      sample_report_run(2, "rd", 1, 0.6),
                                      sample_report_run(3, "rd", 2, 0.7)});
  ASSERT_EQ(report.groups.size(), 1u);
  EXPECT_THAT(report.groups[0].seeds, ElementsAre(0, 1, 2));
  expect_value(figure_of(report.means, "image.auroc"), 0.6);
  EXPECT_NEAR(figure_of(report.means, "image.auroc").sd.value(), 0.1, 1e-12);  // of the sample
  const Report one = build_report({sample_report_run(1, "rd", 0, 0.5)});
  EXPECT_FALSE(figure_of(one.means, "image.auroc").sd.has_value());
}

TEST(Table, BootstrapIntervalsAreAskedFor) {
  std::vector<ReportRun> runs;
  for (int seed = 0; seed < 5; ++seed) {
    runs.push_back(sample_report_run(seed + 1, "rd", seed, 0.5 + 0.01 * seed));
  }
  EXPECT_FALSE(figure_of(build_report(runs).means, "image.auroc").interval.has_value());
  const Report report = build_report(runs, {.intervals = true});
  const auto interval = figure_of(report.means, "image.auroc").interval;
  ASSERT_TRUE(interval.has_value());
  // The mean of five draws from 0.50 .. 0.54 is a multiple of 0.002 with a deviation of 0.0063.
  EXPECT_NEAR(interval->first, 0.52 - 1.96 * 0.00632, 0.0021);
  EXPECT_NEAR(interval->second, 0.52 + 1.96 * 0.00632, 0.0021);
  EXPECT_THAT(render_report(report, ReportFormat::kTerminal), HasSubstr("52.0 ± 1.6 (50.8..53.2)"));
  EXPECT_THAT(render_report(report, ReportFormat::kCsv), HasSubstr("image.auroc low"));
  runs.resize(2);
  const Report two = build_report(runs, {.intervals = true});
  EXPECT_FALSE(figure_of(two.means, "image.auroc").interval.has_value());
}

TEST(Table, AFailedSeedIsNamedAndNotAveraged) {
  ReportRun failed = sample_report_run(2, "rd", 1, 0.9);
  failed.run.status = RunStatus::kTimeout;
  failed.run.reason = "6 h";
  failed.metrics.clear();
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.5), failed});
  expect_value(figure_of(report.means, "image.auroc"), 0.5);
  EXPECT_THAT(report.groups[0].seeds, ElementsAre(0));
  EXPECT_THAT(report.groups[0].problems, ElementsAre("seed 1: timeout: 6 h"));

  const Report alone = build_report({failed});
  EXPECT_EQ(figure_of(alone.means, "image.auroc").state, Figure::State::kMissing);
}

TEST(Table, AnUndefinedFigureStaysUndefinedWithItsReason) {
  ReportRun run = sample_report_run(1, "rd", 0, 0.5);
  for (auto& row : run.metrics) {
    if (row.key == "pixel.aupro" && row.category == "") {
      row.value.reset();
      row.reason = "class grid: no component";
    }
  }
  const Report report = build_report({run, sample_report_run(2, "rd", 1, 0.6)});
  const Figure& figure = figure_of(report.means, "pixel.aupro");
  EXPECT_EQ(figure.state, Figure::State::kUndefined);
  EXPECT_EQ(figure.reason, "seed 0: class grid: no component");
  expect_value(figure_of(report.means, "pixel.ap"), 0.59);
}

TEST(Table, MergesRunsOfSingleClasses) {
  const Report report =
      build_report({sample_single_run(1, 0, "carpet", 0.6), sample_single_run(2, 0, "grid", 0.8)});
  ASSERT_EQ(report.groups.size(), 1u);
  expect_value(figure_of(report.means, "image.auroc"), 0.7);
  expect_value(figure_of(report.means, "mad"), 0.73);
  expect_value(figure_of(report.classes, "image.auroc", RowKind::kMeasured, "grid"), 0.8);
  EXPECT_THAT(report.groups[0].data_manifests, ElementsAre("manifest-carpet", "manifest-grid"));
  expect_value(report.efficiency.rows.at(0).figures.at(2), 14400);  // training time adds up
}

TEST(Table, AMeanOverSingleClassesNeedsAllOfThem) {
  const std::vector<ReportRun> runs = {sample_single_run(1, 0, "carpet", 0.6),
                                       sample_single_run(2, 0, "grid", 0.8),
                                       sample_single_run(3, 1, "carpet", 0.6)};
  const Report report = build_report(runs);
  EXPECT_EQ(figure_of(report.means, "mad").state, Figure::State::kUndefined);
  EXPECT_EQ(figure_of(report.means, "mad").reason, "seed 1: no figure of class grid");
  EXPECT_THAT(report.groups[0].problems, ElementsAre("seed 1, class grid: not run"));
  expect_value(figure_of(report.classes, "image.auroc", RowKind::kMeasured, "grid"), 0.8);
}

TEST(Table, AMeanThatWasNotStoredIsCalculated) {
  ReportRun run = sample_report_run(1, "rd", 0, 0.7);
  remove_metrics(run, [](const MetricRow& row) { return row.category.empty(); });
  const Report report = build_report({run});
  expect_value(figure_of(report.means, "pixel.ap"), 0.74);
  expect_value(figure_of(report.means, "mad"), 0.73);
  remove_metrics(
      run, [](const MetricRow& row) { return row.category == "grid" && row.key == "pixel.ap"; });
  const Report incomplete = build_report({run});
  EXPECT_EQ(figure_of(incomplete.means, "pixel.ap").reason, "no figure of class grid");
  EXPECT_EQ(figure_of(incomplete.means, "mad").state, Figure::State::kUndefined);
}

TEST(Table, NeverMixesWaysOfMeasuring) {
  ReportRun run = sample_report_run(1, "rd", 0, 0.7);
  const auto exact = run.metrics;
  for (MetricRow row : exact) {
    row.setting.mode = "ader";
    row.value = *row.value - 0.3;
    run.metrics.push_back(row);
    row.setting = {.version = 2};
    row.value = *row.value + 0.31;
    if (row.key != "mad") {
      run.metrics.push_back(row);
    }
  }
  Report report = build_report({run});
  EXPECT_EQ(report.groups[0].metrics.version, 2) << "the newest exact version";
  expect_value(figure_of(report.means, "image.auroc"), 0.71);
  report = build_report({run}, {.setting = MetricSetting{.mode = "ader"}});
  expect_value(figure_of(report.means, "image.auroc"), 0.4);
  EXPECT_THAT(report.conditions, ElementsAre(HasSubstr("metrics ader")));
  report = build_report({run}, {.setting = MetricSetting{.fpr_limit = 0.05}});
  EXPECT_EQ(figure_of(report.means, "image.auroc").state, Figure::State::kMissing);
  EXPECT_THAT(report.groups[0].problems, ElementsAre(HasSubstr("no figures of this kind")));
}

TEST(Table, RowsThatDoNotCompareAreMarked) {
  ReportRun random = sample_report_run(2, "draem", 0, 0.9);
  random.run.weights.resolved = "random";
  ReportRun smoke = sample_report_run(3, "vitad", 0, 0.9);
  smoke.run.protocol = "smoke";
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.7), random, smoke});
  EXPECT_EQ(report.conditions.size(), 3u);
  const TextReport text = lay_out(report);
  std::vector<std::string> names;
  for (const auto& row : text.tables[0].rows) {
    names.push_back(row[0].text);
    for (const auto& cell : row) {
      EXPECT_EQ(cell.rank, Rank::kNone) << "figures of different conditions are not ranked";
    }
  }
  EXPECT_THAT(names,
              ElementsAre("DRÆM [A]",
                          "DRÆM, last epoch",
                          "RD [B]",
                          "RD, last epoch",
                          "ViTAD [C]",
                          "ViTAD, last epoch"));
  EXPECT_THAT(text.notes[0], HasSubstr("resnet, random initialisation"));
  EXPECT_THAT(text.intro[0], HasSubstr("pretrained parts initialised at random"));
}

// A constant map has no weights: it is a baseline for methods with and without pretraining.
TEST(Table, AMethodWithoutPretrainedPartsTakesTheMarkOfOthers) {
  ReportRun null = sample_report_run(1, "draem", 0, 0.5);
  null.run.weights = {};
  ReportRun random = sample_report_run(2, "vitad", 0, 0.9);
  random.run.weights.resolved = "random";
  const Report one = build_report({null, random}, {});
  EXPECT_THAT(one.conditions, ElementsAre(HasSubstr("initialised at random")));
  const Report two = build_report({null, sample_report_run(3, "rd", 0, 0.7), random}, {});
  EXPECT_EQ(two.conditions.size(), 2U);
  EXPECT_EQ(two.groups[0].condition, 0U);
  EXPECT_THAT(build_report({null}, {}).conditions, ElementsAre(Not(HasSubstr("pretrained"))));
  null.run.protocol = "smoke";
  EXPECT_EQ(build_report({null, random}, {}).conditions.size(), 2U) << "the rest must agree";
}

TEST(Table, OptionsTellRowsOfOneMethodApart) {
  ReportRun other = sample_report_run(2, "rd", 0, 0.6);
  other.run.key = "other";
  other.run.options = {{"lr", 0.1}};
  other.run.changed_options = {
      {.path = "lr", .value = 0.1, .default_value = 0.005, .origin = "--set"}};
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.7), other});
  ASSERT_EQ(report.groups.size(), 2u);
  std::vector<std::string> labels = {report.groups[0].label, report.groups[1].label};
  std::sort(labels.begin(), labels.end());
  EXPECT_THAT(labels, ElementsAre("RD", "RD (lr=0.1)"));
}

TEST(Table, PublishedFiguresStandBesideAsPrinted) {
  ReportOptions options;
  options.published = {{.table_id = "V",
                        .dataset = "mvtec_ad",
                        .method = "rd",
                        .metric = "image.auroc",
                        .value = 94.6,
                        .printed = "94.6",
                        .unit = "percent"},
                       {.table_id = "VI",
                        .dataset = "mvtec_ad",
                        .method = "rd",
                        .category = "grid",
                        .metric = "pixel.ap",
                        .value = 50,
                        .printed = "50.0",
                        .unit = "percent"},
                       {.table_id = "VII",
                        .dataset = "mvtec_ad",
                        .method = "rd",
                        .metric = "mad",
                        .value = 1,
                        .printed = "1.0",
                        .unit = "percent"},
                       {.table_id = "XIII",
                        .dataset = "mvtec_ad",
                        .method = "rd",
                        .metric = "macs",
                        .value = 28.4,
                        .printed = "28.4",
                        .unit = "billion"}};
  options.published_tables = {"V", "VI", "XIII"};
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.7)}, options);
  EXPECT_EQ(figure_of(report.means, "image.auroc", RowKind::kPublished).printed, "94.6");
  expect_value(figure_of(report.means, "image.auroc", RowKind::kDifference), 70.0 - 94.6);
  EXPECT_EQ(figure_of(report.means, "mad", RowKind::kPublished).state, Figure::State::kMissing);
  expect_value(figure_of(report.classes, "pixel.ap", RowKind::kDifference, "grid"), 14);
  ASSERT_EQ(report.efficiency.rows.size(), 3u);
  EXPECT_EQ(report.efficiency.rows[1].published_table, "XIII");
  expect_value(report.efficiency.rows[2].figures.at(1), 0);
  EXPECT_EQ(build_report({sample_single_run(1, 0, "grid", 0.8)}, options).means.rows.size(), 1u)
      << "published figures are of the multi-class setting";
  options.published_tables = {"VIII"};
  expect_error(
      ErrorKind::kUsage, "unknown published table 'VIII'", [&] { build_report({}, options); });
}

TEST(Table, ASuiteNamesItsRows) {
  ReportRun bigger = sample_report_run(2, "vitad", 0, 0.6);
  bigger.run.key = "bigger";
  bigger.run.options = {{"size", "B"}};
  ReportOptions options;
  options.rows = {{.keys = {"bigger"}, .label = "base", .published_variant = "scale/B"},
                  {.keys = {"vitad0"}, .label = "small", .published_variant = "scale/S"}};
  options.published = {{.table_id = "IX",
                        .dataset = "mvtec_ad",
                        .method = "vitad",
                        .variant = "scale/B",
                        .metric = "mad",
                        .value = 84,
                        .printed = "84.0",
                        .unit = "percent"}};
  options.published_tables = {"IX"};
  const Report report = build_report(
      {sample_report_run(1, "vitad", 0, 0.7), bigger, sample_report_run(3, "rd", 0, 0.7)}, options);
  EXPECT_EQ(report.groups[0].label, "base");
  EXPECT_EQ(report.groups[1].label, "small");
  EXPECT_EQ(report.groups[2].label, "RD");
  EXPECT_EQ(figure_of(report.means, "mad", RowKind::kPublished).printed, "84.0");
  EXPECT_EQ(std::count_if(report.means.rows.begin(),
                          report.means.rows.end(),
                          [](const ReportRow& row) { return row.kind == RowKind::kPublished; }),
            1);
}

TEST(Table, ColumnsCanBeChosen) {
  const Report report =
      build_report({sample_report_run(1, "rd", 0, 0.7)}, {.metrics = {"mad", "pixel.ap"}});
  ASSERT_EQ(report.means.columns.size(), 2u);
  expect_value(report.means.rows[0].figures[0], 0.73);
  expect_value(report.means.rows[0].figures[1], 0.74);
  expect_error(ErrorKind::kUsage, "unknown metric 'pixel.auc'", [] {
    build_report({}, {.metrics = {"pixel.auc"}});
  });
}

TEST(Table, MethodsComeInTheGivenOrder) {
  const Report report =
      build_report({sample_report_run(1, "draem", 0, 0.7), sample_report_run(2, "rd", 0, 0.7)},
                   {.methods = {"rd"}});
  EXPECT_EQ(report.groups[0].method, "rd");
  EXPECT_EQ(report.groups[1].method, "draem");
}

TEST(Table, BestAndSecondAreRankedByFullPrecision) {
  const Report report = build_report({sample_report_run(1, "rd", 0, 0.70001),
                                      sample_report_run(2, "draem", 0, 0.70002),
                                      sample_report_run(3, "vitad", 0, 0.5)});
  const TextTable table = lay_out(report).tables.at(0);
  EXPECT_EQ(table.rows[0][1].rank, Rank::kBest);    // DRÆM
  EXPECT_EQ(table.rows[2][1].rank, Rank::kSecond);  // RD
  EXPECT_EQ(table.rows[4][1].rank, Rank::kNone);    // ViTAD
  EXPECT_EQ(table.rows[0][1].text, table.rows[2][1].text);
}

TEST(Table, ReadsTheRunThatStandsForEachCell) {
  Store store = Store::in_memory();
  const RunId first =
      store.begin_run(adb::testing::sample_run("a"), adb::testing::sample_environment());
  store.append(first, adb::testing::sample_events(2, 0.01));
  store.finish_run(first,
                   {.reported_epoch = 2, .last_epoch = 3},
                   {.metrics = adb::testing::sample_events(3).metrics});
  const RunId failed =
      store.begin_run(adb::testing::sample_run("a"), adb::testing::sample_environment());
  store.finish_run(failed, {.status = RunStatus::kFailed, .reason = "x"});
  store.begin_run(adb::testing::sample_run("b", 1), adb::testing::sample_environment());
  const auto runs = read_report_runs(store);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run.id, first);
  EXPECT_EQ(runs[0].metrics.size(), 12u);  // of both epochs
  EXPECT_EQ(runs[0].environment, adb::testing::sample_environment());
  const Report report = build_report(runs);
  expect_value(figure_of(report.means, "image.auroc"), 0.91);
  EXPECT_EQ(figure_of(report.means, "pixel.aupro").reason, "seed 0: no anomalous pixel");
  EXPECT_THAT(report.groups[0].problems, ElementsAre("seed 1: running"));
}

TEST(Table, NothingGivesAnEmptyReport) {
  const Report report = build_report({});
  EXPECT_TRUE(report.means.rows.empty());
  EXPECT_TRUE(report.efficiency.rows.empty());
  for (const auto format : {ReportFormat::kTerminal,
                            ReportFormat::kMarkdown,
                            ReportFormat::kCsv,
                            ReportFormat::kJson,
                            ReportFormat::kLatex}) {
    EXPECT_NO_THROW(render_report(report, format));
  }
}

TEST(Table, ConditionsAreMarkedLikeSpreadsheetColumns) {
  EXPECT_EQ(condition_mark(0), "A");
  EXPECT_EQ(condition_mark(25), "Z");
  EXPECT_EQ(condition_mark(26), "AA");
  EXPECT_EQ(condition_mark(26 * 27), "AAA");
}

}  // namespace
}  // namespace adb
