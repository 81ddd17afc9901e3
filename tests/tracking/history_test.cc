// track: series over commits, what is left out of them, and the pages.
#include "tracking/history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"
#include "tests/tracking/runs.h"

namespace adb {
namespace {

using testing::add_run;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_of;
using testing::TempFolder;

Environment commit(int number) {
  auto environment = testing::sample_environment();
  environment.code_commit = fmt::format("{:08x}{:032}", 0xabc00000 + number, 0);
  return environment;
}

std::vector<EfficiencyRow> cost(double ms) {
  return {{.key = "time_per_image_ms", .value = ms, .unit = "ms"}};
}

// Twenty commits; figures fall by two points at the twelfth, time is noise.
Store twenty_commits() {
  auto store = Store::in_memory();
  auto noise = Stream(1, "history_test");
  for (int i = 0; i < 20; ++i) {
    add_run(
        store,
        run_of("rd", 0, 4),
        [&](const std::string&, const std::string&) {
          return (i < 12 ? 0.9 : 0.88) + 0.001 * noise.normal();
        },
        commit(i),
        cost(20 + noise.uniform()));
  }
  return store;
}

History find(const TrackReport& report, const std::string& metric) {
  for (const auto& history : report.histories) {
    if (history.metric == metric) {
      return history;
    }
  }
  ADD_FAILURE() << "no history of " << metric;
  return {};
}

TEST(Track, NamesTheCommitWhereFiguresMoved) {
  const auto report = track(twenty_commits(), {}, {});
  EXPECT_EQ(report.histories.size(), kNumMetrics + 1);
  for (const auto& info : kMetrics) {
    const auto history = find(report, std::string(info.key));
    ASSERT_EQ(history.moves.size(), 1) << info.key;
    EXPECT_EQ(history.points[history.moves[0].index].commit, commit(12).code_commit);
    EXPECT_NEAR(history.moves[0].before, 0.9, 0.001);
    EXPECT_NEAR(history.moves[0].after, 0.88, 0.001);
  }
  EXPECT_TRUE(find(report, "time_per_image_ms").moves.empty());
  EXPECT_THAT(track_text(report), HasSubstr("rd on sample, multi, protocol smoke: mad: 9"));
  EXPECT_THAT(track_text(report), HasSubstr("9 series, 8 moved"));
}

TEST(Track, SmallMovesAreNone) {
  TrackOptions options;
  options.min_effect = 0.03;
  EXPECT_TRUE(find(track(twenty_commits(), {}, options), "mad").moves.empty());
}

TEST(Track, APointIsTheMeanOfItsSeedsAndClasses) {
  auto store = Store::in_memory();
  for (const int seed : {0, 1}) {
    add_run(
        store,
        run_of("rd", seed, 2),
        [&](const std::string& category, const std::string&) {
          return category == "class0" ? 0.5 + 0.1 * seed : 0.9;
        },
        commit(0));
  }
  add_run(store, run_of("rd", 1, 2), testing::constant(0.9), commit(0));  // again, newer
  const auto report = track(store, {}, {});
  ASSERT_EQ(find(report, "mad").points.size(), 1);
  EXPECT_NEAR(find(report, "mad").points[0].value, (0.5 + 0.9 + 0.9 + 0.9) / 4, 1e-12);
  EXPECT_EQ(find(report, "mad").points[0].runs, 2);
  TrackOptions one;
  one.category = "class0";
  EXPECT_NEAR(find(track(store, {}, one), "mad").points[0].value, 0.7, 1e-12);
}

TEST(Track, CommitsThatDoNotCompareAreLeftOutAndNamed) {
  auto store = Store::in_memory();
  for (int i = 0; i < 4; ++i) {
    auto run = run_of("rd", i == 1 ? 7 : 0, 4);
    run.protocol_version = i == 2 ? 9 : 1;
    auto environment = commit(i);
    environment.host = i == 0 ? "other" : "bench";
    add_run(store, run, testing::constant(0.9), environment, cost(20));
  }
  const auto report = track(store, {}, {});
  EXPECT_EQ(find(report, "mad").points.size(), 2);
  EXPECT_EQ(find(report, "time_per_image_ms").points.size(), 1);
  EXPECT_THAT(report.notes, Contains(HasSubstr("other seeds or classes")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("protocol version")));
  EXPECT_THAT(report.notes, Contains(HasSubstr("other machines")));
}

TEST(Track, TheOrderOfCommitsMayBeGiven) {
  auto store = Store::in_memory();
  for (const int i : {2, 0, 1}) {  // runs of older commits came later
    add_run(store, run_of("rd", 0, 4), testing::constant(0.9 + 0.01 * i), commit(i));
  }
  EXPECT_NEAR(find(track(store, {}, {}), "mad").points[0].value, 0.92, 1e-12);
  TrackOptions options;
  options.commits = {commit(0).code_commit, commit(1).code_commit.substr(0, 12)};
  const auto points = find(track(store, {}, options), "mad").points;
  ASSERT_EQ(points.size(), 2) << "the third is not in the list";
  EXPECT_NEAR(points[0].value, 0.90, 1e-12);
  EXPECT_NEAR(points[1].value, 0.91, 1e-12);
}

TEST(Track, AnEmptyStoreHasNoSeries) {
  EXPECT_TRUE(track(Store::in_memory(), {}, {}).histories.empty());
  EXPECT_THAT(track_text({}), HasSubstr("0 series, 0 moved"));
}

TEST(Track, ThePageIsOneFileThatParsesAndNamesTheCommit) {
  auto report = track(twenty_commits(), {}, {});
  report.notes = {"<script>alert(1)</script>"};
  report.histories[0].cell.method = "\"><script>";
  const auto page = track_page(report);
  EXPECT_THAT(page, HasSubstr("Moved at commit <code>abc0000c0000</code>"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("http")));
  EXPECT_EQ(page, track_page(report));
  // The drawings are XML: every one must parse by itself.
  std::size_t drawings = 0;
  const TempFolder temp;
  std::vector<std::string> files = {"--noout", "--nonet"};
  for (auto at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) {
    const auto end = page.find("</svg>", at);
    files.push_back(
        temp.write(fmt::format("{}.svg", drawings++), page.substr(at, end + 6 - at)).string());
  }
  EXPECT_EQ(drawings, kNumMetrics + 1);
  const auto parsed = testing::run_program("/usr/bin/xmllint", files, temp.path());
  EXPECT_EQ(parsed.code, 0) << parsed.err;
}

TEST(Track, MarkdownAndJsonHoldTheSameMoves) {
  const auto report = track(twenty_commits(), {}, {});
  EXPECT_THAT(track_markdown(report), HasSubstr("8 of 9 series moved"));
  const auto json = track_json(report);
  ASSERT_EQ(json.at("series").size(), 9);
  EXPECT_EQ(json.at("series")[0].at("moves")[0].at("commit"), commit(12).code_commit);
  EXPECT_EQ(json.at("series")[0].at("points").size(), 20);
}

}  // namespace
}  // namespace adb
