// The gate on time and memory, and on the noise of an unchanged build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/tracking/gates.h"

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

// Five seeds on each side: times as given, with a little noise.
Store five_seeds(double before_ms, double now_ms, double before_mib, double now_mib) {
  auto noise = Stream(1, "gate_test");
  auto store = with_baseline([&](Store& s) {
    for (int seed = 0; seed < 5; ++seed) {
      add_run(s,
              run_of("rd", seed, 1),
              constant(0.9),
              commit("abc"),
              costs(before_ms * (1 + 0.01 * noise.uniform()), before_mib));
    }
  });
  for (int seed = 0; seed < 5; ++seed) {
    add_run(store,
            run_of("rd", seed, 1),
            constant(0.9),
            commit("def"),
            costs(now_ms * (1 + 0.01 * noise.uniform()), now_mib));
  }
  return store;
}

TEST(GateCosts, ASlowerBuildIsRegressedWhenSamplesSuffice) {
  const auto report = gate(five_seeds(20, 24, 500, 510));
  EXPECT_EQ(report.exit_code, 5);
  const auto time = find(report, "time_per_image_ms");
  EXPECT_EQ(time.verdict, Verdict::kRegressed);
  EXPECT_NEAR(time.change.value(), 1.2, 0.02);
  EXPECT_DOUBLE_EQ(time.p.value(), 1.0 / 252);
  EXPECT_EQ(find(report, "peak_memory_bytes").verdict, Verdict::kNotRegressed);
  EXPECT_EQ(report.judgements.size(), kNumMetrics + 2) << "throughput and parameters are no costs";
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
  // Two builds take turns on one machine.
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

// --- fifty repetitions of an unchanged build on a noisy machine

TEST(GateNoise, FiftyRepetitionsOfAnUnchangedBuildNeverFail) {
  for (int repetition = 0; repetition < 50; ++repetition) {
    auto noise = Stream(0, "gate_test.unchanged", 0, repetition);
    // Not deterministic: every training gives other figures (0.2 points), times vary by a fifth.
    const auto noisy = [&](const std::string&, const std::string&) {
      return 0.9 + 0.002 * noise.normal();
    };
    const auto add_all = [&](Store& store) {
      for (const char* method : {"rd", "vitad"}) {
        for (int seed = 0; seed < 5; ++seed) {
          add_run(store,
                  on_gpu(method, seed, 4),
                  noisy,
                  commit("abc"),
                  costs(20 * (1 + 0.2 * noise.uniform()), 500 + 20 * noise.uniform()));
        }
      }
    };
    auto store = with_baseline(add_all);
    add_all(store);
    const auto report = gate(store, rules("draws: 1000"));
    EXPECT_EQ(report.exit_code, 0) << repetition;
  }
}

}  // namespace
}  // namespace adb
