// The gate on time and memory, and on the noise of an unchanged build.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/tracking/gates.h"
#include "tracking/judge.h"

namespace adb {
namespace {

using testing::add_run;
using testing::commit;
using testing::constant;
using testing::find;
using testing::gate;
using ::testing::HasSubstr;
using testing::on_gpu;
using testing::rules;
using testing::run_of;
using testing::with_baseline;

std::vector<EfficiencyRow> costs(double time_ms, double memory_mib) {
  return {{.key = "time_per_image_ms", .value = time_ms, .unit = "ms", .note = "cache off"},
          {.key = "peak_memory_bytes", .value = memory_mib * (1 << 20), .unit = "B"},
          {.key = "images_per_s", .value = 1000 / time_ms, .unit = "1/s"},
          {.key = "parameters", .value = 1e6, .unit = "1"}};
}

// Five seeds on each side: times as given, with a little noise. The builds take turns, or the
// second comes after the first.
Store five_seeds(
    double before_ms, double now_ms, double before_mib, double now_mib, bool turns = true) {
  auto noise = Stream(1, "gate_test");
  auto store = Store::in_memory();
  std::vector<RunId> baseline;
  const auto add = [&](int seed, const char* code, double ms, double mib) {
    return add_run(store,
                   run_of("rd", seed, 1),
                   constant(0.9),
                   commit(code),
                   costs(ms * (1 + 0.01 * noise.uniform()), mib));
  };
  for (int seed = 0; seed < 5; ++seed) {
    baseline.push_back(add(seed, "abc", before_ms, before_mib));
    if (turns) {
      add(seed, "def", now_ms, now_mib);
    }
  }
  for (int seed = 0; seed < 5 && !turns; ++seed) {
    add(seed, "def", now_ms, now_mib);
  }
  store.set_baseline("main", baseline);
  return store;
}

TEST(GateCosts, ASlowerBuildIsRegressedWhenTurnsSuffice) {
  const auto report = gate(five_seeds(20, 24, 500, 510));
  EXPECT_EQ(report.exit_code, 5);
  const auto time = find(report, "time_per_image_ms");
  EXPECT_EQ(time.verdict, Verdict::kRegressed);
  EXPECT_NEAR(time.change.value(), 1.2, 0.02);
  EXPECT_DOUBLE_EQ(time.p.value(), 1.0 / 252);
  EXPECT_THAT(time.reason, HasSubstr("5 and 5 turns"));
  EXPECT_EQ(find(report, "peak_memory_bytes").verdict, Verdict::kNotRegressed);
  EXPECT_EQ(report.judgements.size(), kNumMetrics + 2) << "throughput and parameters are no costs";
}

TEST(GateCosts, TheTestIsOfMoreThanTheRatio) {
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  for (int turn = 0; turn < 5; ++turn) {
    if (turn > 0) {
      add_run(store, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20 + turn, 500));
    }
    add_run(store, run_of("rd", 0, 1), constant(0.9), commit("b"), costs(24.5 + turn, 500));
  }
  const auto time = find(gate(store), "time_per_image_ms");
  EXPECT_GT(time.change.value(), 1.2);
  EXPECT_EQ(time.verdict, Verdict::kCannotTell) << "slower in every turn, but by 1.02 at least";
  EXPECT_GT(time.p.value(), 0.01);
}

TEST(GateCosts, TimesOfBuildsThatTookNoTurnsFailOnlyWhereRulesSaySo) {
  const auto verdict = [](double now_ms, const std::string& text = "") {
    return find(gate(five_seeds(20, now_ms, 500, 500, false), rules(text)), "time_per_image_ms");
  };
  EXPECT_EQ(verdict(21.5).verdict, Verdict::kNotRegressed);
  EXPECT_EQ(verdict(40).verdict, Verdict::kCannotTell);
  EXPECT_EQ(verdict(900).verdict, Verdict::kCannotTell);
  EXPECT_THAT(verdict(900).reason, HasSubstr("took no turns, so it may be the machine"));
  const auto three = verdict(40, "rules: [{ratio_apart: 3}]");
  EXPECT_EQ(three.verdict, Verdict::kCannotTell);
  EXPECT_THAT(three.reason, HasSubstr("took no turns, so up to 3 it may be the machine"));
  EXPECT_EQ(verdict(70, "rules: [{ratio_apart: 3}]").verdict, Verdict::kRegressed);
  EXPECT_EQ(verdict(70, "rules: [{ratio_apart: 3}, {ratio_apart: none}]").verdict,
            Verdict::kCannotTell);
  // Memory does not drift.
  EXPECT_EQ(find(gate(five_seeds(20, 20, 500, 600, false)), "peak_memory_bytes").verdict,
            Verdict::kRegressed);
}

TEST(GateCosts, RatioFloorAndFewSamplesHoldBack) {
  EXPECT_EQ(find(gate(five_seeds(20, 21.5, 500, 500)), "time_per_image_ms").verdict,
            Verdict::kNotRegressed)
      << "7 % is below the ratio";
  EXPECT_EQ(find(gate(five_seeds(1, 4, 500, 500)), "time_per_image_ms").verdict,
            Verdict::kNotRegressed)
      << "4 ms is below the floor";
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  add_run(store, run_of("rd", 0, 1), constant(0.9), commit("b"), costs(200, 500));
  EXPECT_EQ(find(gate(store), "time_per_image_ms").verdict, Verdict::kCannotTell);
  EXPECT_EQ(gate(store).exit_code, 0);
  EXPECT_EQ(gate(store, rules("rules: [{metric: time_per_image_ms, ratio_limit: 3}]")).exit_code,
            5);
}

TEST(GateCosts, RepetitionsOfOneCellAreSamples) {
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  for (int i = 0; i < 5; ++i) {
    if (i > 0) {
      add_run(store, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20 + i, 500));
    }
    add_run(store, run_of("rd", 0, 1), constant(0.9), commit("b"), costs(30 + i, 500));
  }
  EXPECT_EQ(find(gate(store), "time_per_image_ms").verdict, Verdict::kRegressed);
  EXPECT_EQ(find(gate(store), "time_per_image_ms").pairs, 5);
}

TEST(GateCosts, RepetitionsOfTheSameBuildAreSplitAtTheBaseline) {
  auto store = Store::in_memory();
  std::vector<RunId> ids;
  for (int i = 0; i < 5; ++i) {
    ids = {add_run(store, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20 + i, 500))};
  }
  store.set_baseline("main", ids);
  for (int i = 0; i < 6; ++i) {
    add_run(store, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20 + i, 500));
  }
  const auto time = find(gate(store), "time_per_image_ms");
  EXPECT_EQ(time.verdict, Verdict::kNotRegressed);
  EXPECT_THAT(time.reason, HasSubstr("5 and 6 samples"));
}

TEST(GateCosts, ATurnIsOneSampleHoweverManyRunsItHas) {
  // Five turns of the baseline, four of the other build, whose last one has twenty runs.
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  const auto add = [&](const char* code, double ms) {
    add_run(store, run_of("rd", 0, 1), constant(0.9), commit(code), costs(ms, 500));
  };
  for (int turn = 0; turn < 4; ++turn) {
    add("b", 20.5 + turn);
    add("a", 21 + turn);
  }
  for (int run = 0; run < 20; ++run) {
    add("b", 50);
  }
  const auto time = find(gate(store), "time_per_image_ms");
  EXPECT_EQ(time.verdict, Verdict::kNotRegressed) << time.reason;
  EXPECT_THAT(time.reason, HasSubstr("5 and 5 turns"));
}

TEST(GateCosts, OtherMachinesDoNotCompareUnlessSaidSo) {
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  auto elsewhere = commit("b");
  elsewhere.host = "runner-7";
  add_run(store, run_of("rd", 0, 1), constant(0.9), elsewhere, costs(20, 900));
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(find(report, "peak_memory_bytes").verdict, Verdict::kCannotTell);
  EXPECT_THAT(find(report, "peak_memory_bytes").reason,
              HasSubstr("other machine: bench: two cores"));
  EXPECT_EQ(find(report, "mad").verdict, Verdict::kNotRegressed);
  const auto cpu = gate(store, rules("machine: cpu"));
  EXPECT_EQ(cpu.exit_code, 5);
  EXPECT_THAT(find(cpu, "peak_memory_bytes").reason, HasSubstr("other machines"));
  elsewhere.cpu = "four cores";
  add_run(store, run_of("rd", 0, 1), constant(0.9), elsewhere, costs(20, 900));
  EXPECT_EQ(gate(store, rules("machine: cpu")).exit_code, 0);
  EXPECT_EQ(gate(store, rules("machine: any")).exit_code, 5);
}

TEST(GateCosts, AnotherWayOfMeasuringDoesNotCompare) {
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  auto rows = costs(20, 500);
  rows[0].note = "cache memory";
  rows[1].value.reset();
  rows[1].note = "no /proc";
  add_run(store, run_of("rd", 0, 1), constant(0.9), commit("b"), rows);
  const auto report = gate(store);
  EXPECT_THAT(find(report, "time_per_image_ms").reason, HasSubstr("measured in another way"));
  EXPECT_THAT(find(report, "peak_memory_bytes").reason, HasSubstr("not measured now: no /proc"));
}

TEST(GateCosts, ALeakIsFoundInOneRun) {
  auto store = with_baseline(
      [](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9), commit("a"), costs(20, 500)); });
  add_run(store, run_of("rd", 0, 1), constant(0.9), commit("b"), costs(20, 1100));
  EXPECT_EQ(gate(store).exit_code, 5);
  EXPECT_EQ(find(gate(store), "peak_memory_bytes").verdict, Verdict::kRegressed);
}

// --- noise

TEST(GateNoise, FalseAlarmsOfTimes) {
  // Unchanged times, five turns, noise of 20 %. A test of the baseline itself would alarm more
  // often.
  int by_plain_test = 0, alarms = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    auto noise = Stream(0, "gate_test.times", 0, trial);
    CostComparison comparison;
    comparison.judgement.kind = FigureKind::kTime;
    comparison.judgement.metric = "train_s";
    std::vector<double> baseline, current;
    for (int turn = 0; turn < 5; ++turn) {
      baseline.push_back(std::exp(0.2 * noise.normal()));
      current.push_back(std::exp(0.2 * noise.normal()));
      comparison.baseline.push_back({baseline.back(), {"", 2 * turn}});
      comparison.current.push_back({current.back(), {"", 2 * turn + 1}});
    }
    const auto judged = judge_samples({comparison}, {}).at(0);
    by_plain_test += mann_whitney(baseline, current).p <= 0.01 && judged.change.value() > 1.1;
    alarms += judged.verdict == Verdict::kRegressed;
  }
  EXPECT_GE(by_plain_test, 10);
  EXPECT_LE(alarms, 4);
}

TEST(GateNoise, FiftyRepetitionsOfAnUnchangedBuildNeverFail) {
  for (int repetition = 0; repetition < 50; ++repetition) {
    auto noise = Stream(0, "gate_test.unchanged", 0, repetition);
    // Not deterministic: every training gives other figures (0.2 points), times vary by a fifth.
    const auto noisy = [&](const std::string&, const std::string&) {
      return 0.9 + 0.002 * noise.normal();
    };
    auto store = Store::in_memory();
    std::vector<RunId> baseline;
    for (const char* method : {"rd", "vitad"}) {
      for (int seed = 0; seed < 5; ++seed) {
        for (const bool first : {true, false}) {
          const auto id =
              add_run(store,
                      on_gpu(method, seed, 4),
                      noisy,
                      commit("abc"),
                      costs(20 * (1 + 0.2 * noise.uniform()), 500 + 20 * noise.uniform()));
          if (first) {
            baseline.push_back(id);
          }
        }
      }
    }
    store.set_baseline("main", baseline);
    const auto report = gate(store, rules("draws: 1000"));
    EXPECT_EQ(report.exit_code, 0) << repetition;
    EXPECT_THAT(find(report, "time_per_image_ms").reason, HasSubstr("5 and 5 turns"));
  }
}

}  // namespace
}  // namespace adb
