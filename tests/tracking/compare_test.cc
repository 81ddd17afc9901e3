// compare: the words, their exit codes, and that they are the gate's.
#include "tracking/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracking/runs.h"

namespace adb {
namespace {

using testing::add_run;
using testing::constant;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::run_of;
using ::testing::StartsWith;

CompareReport compare(const Store& a, const Store& b, const GateRules& rules = {}) {
  return compare_runs({&a, a.find_runs(), "a"}, {&b, b.find_runs(), "b"}, rules, {});
}

Difference find(const CompareReport& report,
                const std::string& metric,
                const std::string& category = "") {
  for (const auto& difference : report.differences) {
    if (difference.judgement.metric == metric && difference.judgement.category == category) {
      return difference;
    }
  }
  ADD_FAILURE() << "no difference in " << metric;
  return {};
}

Store store_of(const std::string& method, const std::vector<double>& figures) {
  auto store = Store::in_memory();
  std::int64_t seed = 0;
  for (const double figure : figures) {
    auto run = run_of(method, seed++, 8);
    run.device = "cuda:0";
    add_run(store, run, constant(figure));
  }
  return store;
}

TEST(Compare, SaysBetterWorseEqualAndCannotTell) {
  const auto good = store_of("rd", {0.92, 0.93, 0.94});
  const auto bad = store_of("rd", {0.90, 0.91, 0.90});
  const auto mixed = store_of("rd", {0.95, 0.90, 0.94});
  EXPECT_EQ(find(compare(good, bad), "mad").word, Word::kWorse);
  EXPECT_EQ(compare(good, bad).exit_code, 5);
  EXPECT_EQ(find(compare(bad, good), "mad").word, Word::kBetter);
  EXPECT_EQ(compare(bad, good).exit_code, 0);
  EXPECT_EQ(find(compare(bad, mixed), "mad").word, Word::kCannotTell);
  EXPECT_EQ(compare(bad, mixed).exit_code, 6);
  EXPECT_THAT(find(compare(bad, mixed), "mad").judgement.reason, StartsWith("gain 2.67 points"));
  EXPECT_THAT(find(compare(mixed, bad), "mad").judgement.reason, StartsWith("loss 2.67 points"));
  EXPECT_EQ(find(compare(good, good), "mad").word, Word::kEqual);
  EXPECT_EQ(compare(good, good).exit_code, 0);
  const auto near = store_of("rd", {0.919, 0.929, 0.939});
  EXPECT_EQ(find(compare(good, near), "mad").word, Word::kEqual) << "0.1 points are none";
}

TEST(Compare, SwappingTheSidesSwapsTheSigns) {
  const auto good = store_of("rd", {0.92, 0.93, 0.94});
  const auto bad = store_of("rd", {0.90, 0.91, 0.90});
  const auto one = find(compare(good, bad), "pixel.ap");
  const auto other = find(compare(bad, good), "pixel.ap");
  EXPECT_DOUBLE_EQ(one.judgement.change.value(), -other.judgement.change.value());
  EXPECT_DOUBLE_EQ(one.judgement.p.value(), other.judgement.p.value())
      << "p is of the direction of the difference";
  EXPECT_TRUE(one.judgement.interval.has_value());
}

TEST(Compare, ClassesAreShownWithIntervalsOverSeeds) {
  const auto good = store_of("rd", {0.92, 0.93, 0.94});
  const auto bad = store_of("rd", {0.90, 0.91, 0.90});
  const auto one = find(compare(good, bad), "mad", "class3");
  EXPECT_EQ(one.judgement.pairs, 3);
  ASSERT_TRUE(one.judgement.interval.has_value());
  EXPECT_NEAR(one.judgement.interval->low, 0.02, 1e-9);
  EXPECT_NEAR(one.judgement.interval->high, 0.04, 1e-9);
  EXPECT_EQ(one.word, Word::kCannotTell) << "three pairs reach no p below 1/8";
  const auto text = compare_text(compare(good, bad));
  EXPECT_THAT(text, HasSubstr("class3"));
  EXPECT_THAT(text, HasSubstr("worse"));
}

TEST(Compare, OneMethodOnEachSideIsPairedAcrossMethods) {
  const auto rd = store_of("rd", {0.92, 0.93, 0.94});
  const auto vitad = store_of("vitad", {0.95, 0.96, 0.97});
  const auto report = compare(rd, vitad);
  EXPECT_EQ(find(report, "mad").word, Word::kBetter);
  EXPECT_EQ(find(report, "mad").judgement.cell.method, "rd -> vitad");
  // One seed of two methods is no pair of one training, however deterministic.
  auto one = Store::in_memory();
  auto two = Store::in_memory();
  add_run(one, run_of("rd", 0, 8), constant(0.9));
  add_run(two, run_of("vitad", 0, 8), constant(0.5));
  EXPECT_EQ(find(compare(one, two), "mad").word, Word::kCannotTell);
  EXPECT_EQ(compare(one, two).exit_code, 6);
}

TEST(Compare, RunsWithoutPartnerAreNamedAndNoneAtAllIsSix) {
  const auto three = store_of("rd", {0.92, 0.93, 0.94});
  const auto four = store_of("rd", {0.92, 0.93, 0.94, 0.95});
  EXPECT_THAT(compare(three, four).notes, Contains(HasSubstr("seed 3) has no partner in A")));
  const auto none = compare(three, Store::in_memory());
  EXPECT_EQ(none.exit_code, 6);
  EXPECT_FALSE(none.problem.empty());
}

}  // namespace
}  // namespace adb
