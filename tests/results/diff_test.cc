#include "results/diff.h"

#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/results/sample_rows.h"

namespace adb {
namespace {

using adb::testing::sample_environment;
using adb::testing::sample_events;
using adb::testing::sample_run;

Store store_of(const EventBatch& events,
               const RunOutcome& outcome = {.reported_epoch = 3, .last_epoch = 3},
               const std::string& key = "k1") {
  Store store = Store::in_memory();
  const RunId run = store.begin_run(sample_run(key), sample_environment());
  store.finish_run(run, outcome, events);
  return store;
}

// The difference that `change` makes.
std::string difference(const std::function<void(EventBatch&)>& change) {
  EventBatch other = sample_events();
  change(other);
  return diff_stores(store_of(sample_events()), store_of(other)).value_or("");
}

TEST(Diff, EqualResultsAreEqual) {
  EXPECT_EQ(diff_stores(store_of(sample_events()), store_of(sample_events())), std::nullopt);
  EXPECT_EQ(diff_stores(Store::in_memory(), Store::in_memory()), std::nullopt);
}

TEST(Diff, FindsEachKindOfResult) {
  using ::testing::HasSubstr;
  EXPECT_THAT(
      difference([](EventBatch& e) { e.curves[0].value = std::nextafter(0.1, 1.0); }),
      HasSubstr("curve 'loss' of epoch 3: 0.10000000000000001 against 0.10000000000000002"));
  EXPECT_THAT(difference([](EventBatch& e) { e.metrics[0].value = 0.8; }),
              HasSubstr("metric image.auroc"));
  EXPECT_THAT(difference([](EventBatch& e) { e.metrics[1].reason = "another"; }),
              HasSubstr("pixel.aupro"));
  EXPECT_THAT(difference([](EventBatch& e) { e.metrics.pop_back(); }), HasSubstr("against absent"));
  EXPECT_THAT(
      difference([](EventBatch& e) { e.curves.push_back({.epoch = 3, .name = "lr", .value = 1}); }),
      HasSubstr("curve 'lr' of epoch 3: absent against 1"));
  EXPECT_THAT(difference([](EventBatch& e) { e.counts[0].value = 21; }),
              HasSubstr("count 'images'"));
  EXPECT_THAT(difference([](EventBatch& e) { e.scores[1].ader_score = 0.25; }),
              HasSubstr("test/hole/001"));
  EXPECT_THAT(difference([](EventBatch& e) { e.scores[0].score = -0.0; }),
              HasSubstr("test/good/000"));
  EXPECT_THAT(difference([](EventBatch& e) { e.artifacts[0].sha256 = "ff"; }),
              HasSubstr("kept weights"));
  EXPECT_THAT(difference([](EventBatch& e) {
                e.artifacts.push_back({.kind = "maps", .path = "maps-3", .sha256 = "1"});
              }),
              HasSubstr("kept maps"));
}

TEST(Diff, LeavesOutTimesPathsLogsAndEfficiency) {
  EXPECT_EQ(difference([](EventBatch& e) {
              e.curves[1].value = 99;  // train_s
              e.curves.push_back({.epoch = 3, .name = "images_per_s", .value = 1});
              e.efficiency.clear();
              e.artifacts[0].path = "elsewhere";
              e.artifacts.push_back({.kind = "log", .path = "log.txt", .sha256 = "1"});
            }),
            "");
}

TEST(Diff, ComparesOutcomes) {
  using ::testing::HasSubstr;
  const Store finished = store_of(sample_events());
  EXPECT_THAT(
      *diff_stores(finished,
                   store_of(sample_events(), {.status = RunStatus::kTimeout, .reason = "6 h"})),
      HasSubstr("outcome: finished against timeout"));
  EXPECT_THAT(
      *diff_stores(finished, store_of(sample_events(), {.reported_epoch = 2, .last_epoch = 3})),
      HasSubstr("reported epoch: 3 against 2"));
  EXPECT_THAT(*diff_stores(finished, Store::in_memory()), HasSubstr("only in"));
  EXPECT_THAT(*diff_stores(Store::in_memory(), finished), HasSubstr("only in"));
}

TEST(Diff, GoesByKeyAndNewestFinishedAttempt) {
  Store a = store_of(sample_events(), {.reported_epoch = 3, .last_epoch = 3}, "k1");
  a.finish_run(a.begin_run(sample_run("k2"), sample_environment()),
               {.reported_epoch = 3, .last_epoch = 3},
               sample_events(3, 0.01));
  // The same cells in another order, after a failure and before one, with another environment.
  Store b = Store::in_memory();
  Environment elsewhere = sample_environment();
  elsewhere.host = "elsewhere";
  b.finish_run(b.begin_run(sample_run("k2"), elsewhere),
               {.status = RunStatus::kFailed, .reason = "x"});
  b.finish_run(b.begin_run(sample_run("k2"), elsewhere),
               {.reported_epoch = 3, .last_epoch = 3},
               sample_events(3, 0.01));
  b.finish_run(b.begin_run(sample_run("k2"), elsewhere),
               {.status = RunStatus::kKilled, .reason = "x"});
  b.finish_run(b.begin_run(sample_run("k1"), elsewhere),
               {.reported_epoch = 3, .last_epoch = 3},
               sample_events());
  b.begin_run(sample_run("k3"), elsewhere);  // still running
  EXPECT_EQ(diff_stores(a, b), std::nullopt);
}

}  // namespace
}  // namespace adb
