// The gate on stores with known differences: every verdict and every exit code.
#include "tracking/gate.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracking/gates.h"

namespace adb {
namespace {

using testing::add_run;
using testing::commit;
using testing::constant;
using ::testing::Contains;
using testing::find;
using testing::gate;
using ::testing::HasSubstr;
using testing::on_gpu;
using testing::rules;
using testing::run_of;
using testing::sample_environment;
using testing::with_baseline;

RunRow other_key(RunRow run) {
  run.key += "-changed";
  run.options["lr"] = 0.5;
  return run;
}

// --- nothing changed

TEST(Gate, TheBaselinesOwnRunsAreNotRegressed) {
  const auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(count(report, Verdict::kNotRegressed), kNumMetrics);
  EXPECT_EQ(find(report, "mad").reason, "the baseline's own run");
}

TEST(Gate, BitwiseEqualIsNotRegressedWhateverTheMachine) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9)); });
  auto elsewhere = sample_environment();
  elsewhere.host = "other";
  elsewhere.cpu = "four cores";
  add_run(store, run_of("rd", 0, 1), constant(0.9), elsewhere);
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(find(report, "mad").reason, "bitwise equal");
}

// --- one deterministic seed: the usual pull request

TEST(Gate, ALossInEveryClassOfADeterministicRunIsRegressed) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  add_run(store, other_key(run_of("rd", 0, 8)), constant(0.88), commit("def"));
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 5);
  const auto judgement = find(report, "pixel.aupro");
  EXPECT_EQ(judgement.verdict, Verdict::kRegressed);
  EXPECT_NEAR(judgement.change.value(), 0.02, 1e-12);
  EXPECT_DOUBLE_EQ(judgement.p.value(), 1.0 / 256);
  EXPECT_EQ(judgement.pairs, 8);
  EXPECT_THAT(report.notes, Contains(HasSubstr("another recipe: lr 0.005 -> 0.5")));
}

TEST(Gate, AGainOrATinyLossIsNotRegressed) {
  auto store = with_baseline([](Store& s) {
    add_run(s, run_of("rd", 0, 8), constant(0.9));
    add_run(s, run_of("vitad", 0, 8), constant(0.9));
  });
  add_run(store, run_of("rd", 0, 8), constant(0.897), commit("def"));  // exactly the tolerance
  add_run(store, run_of("vitad", 0, 8), constant(0.95), commit("def"));
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(count(report, Verdict::kNotRegressed), 2 * kNumMetrics);
}

TEST(Gate, ALossThatClassesDisagreeOnCannotBeTold) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  add_run(
      store,
      run_of("rd", 0, 8),
      [](const std::string& category, const std::string&) {
        return category < "class3" ? 0.92 : 0.87;
      },
      commit("def"));
  const auto report = gate(store);
  EXPECT_EQ(find(report, "mad").verdict, Verdict::kCannotTell);
  EXPECT_EQ(report.exit_code, 0) << "without rules, cannot tell does not fail";
  EXPECT_EQ(gate(store, rules("fail_on: [cannot_tell]")).exit_code, 6);
}

TEST(Gate, TooFewClassesForATestAreJudgedByTheLimit) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9)); });
  add_run(store, run_of("rd", 0, 1), constant(0.87), commit("def"));
  EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kCannotTell);
  EXPECT_THAT(find(gate(store), "mad").reason, HasSubstr("no p below 0.5"));
  EXPECT_EQ(gate(store, rules("rules: [{limit: 2}]")).exit_code, 5);
  add_run(store, run_of("rd", 0, 1), constant(0.6), commit("def2"));
  EXPECT_EQ(gate(store).exit_code, 5) << "30 points are above the default limit";
  EXPECT_EQ(gate(store, rules("rules: [{limit: none}]")).exit_code, 0);
}

TEST(Gate, TheLimitIsLeftAloneWhereTheTestCanDecide) {
  const auto wild = [](const std::string& category, const std::string&) {
    return category < "class3" ? 0.99
                               : 0.7;  // three of eight classes gain, the mean loses 9 points
  };
  auto store = with_baseline([](Store& s) {
    for (const char* method : {"rd", "vitad"}) {
      add_run(s, run_of(method, 0, 8), constant(0.9));
    }
  });
  add_run(store, run_of("rd", 0, 8), wild, commit("def"));
  EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kCannotTell);
  // Where alpha is out of the test's reach, the limit counts.
  add_run(store, run_of("vitad", 0, 8), constant(0.901), commit("def"));
  EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kCannotTell) << "2/256 still pass";
  EXPECT_EQ(find(gate(store, rules("alpha: 0.005")), "mad").verdict, Verdict::kRegressed);
}

TEST(Gate, UnchangedCellsCostThePowerOfOthersNothing) {
  auto store = with_baseline([](Store& s) {
    for (const char* method : {"a", "b", "c", "rd"}) {
      add_run(s, run_of(method, 0, 8), constant(0.9));
    }
  });
  for (const char* method : {"a", "b", "c"}) {
    add_run(store, run_of(method, 0, 8), constant(0.9), commit("def"));
  }
  add_run(store, run_of("rd", 0, 8), constant(0.88), commit("def"));
  EXPECT_DOUBLE_EQ(find(gate(store), "mad").adjusted_p.value(), 1.0 / 256);
}

TEST(Gate, HolmCorrectsOverTheCellsThatChanged) {
  auto store = with_baseline([](Store& s) {
    for (const char* method : {"a", "b", "rd"}) {
      add_run(s, run_of(method, 0, 8), constant(0.9));
    }
  });
  for (const char* method : {"a", "b"}) {
    add_run(store, run_of(method, 0, 8), constant(0.901), commit("def"));
  }
  add_run(store, run_of("rd", 0, 8), constant(0.88), commit("def"));
  const auto report = gate(store);
  EXPECT_DOUBLE_EQ(find(report, "mad").adjusted_p.value(), 3.0 / 256);
  EXPECT_EQ(find(report, "mad").verdict, Verdict::kCannotTell);
}

TEST(Gate, TheSameCodeWithOtherFiguresIsCalledNonDeterministic) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  add_run(store, run_of("rd", 0, 8), constant(0.8));  // same commit, key, machine
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(find(report, "mad").verdict, Verdict::kCannotTell);
  EXPECT_THAT(report.notes, Contains(HasSubstr("non-deterministic")));
}

TEST(Gate, CodeOfUnknownOrChangedCommitsIsNotTheSame) {
  for (const char* code : {"unknown", "abc+dirty"}) {  // as builds outside of git name theirs
    auto store = with_baseline(
        [&](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9), commit(code)); });
    add_run(store, run_of("rd", 0, 8), constant(0.8), commit(code));
    EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kRegressed) << code;
  }
}

// --- several seeds, not deterministic

TEST(Gate, FewerThanThreeSeedsCannotTell) {
  auto store = with_baseline([](Store& s) {
    add_run(s, on_gpu("rd", 0, 8), constant(0.9));
    add_run(s, on_gpu("rd", 1, 8), constant(0.9));
  });
  for (const int seed : {0, 1}) {
    add_run(store, on_gpu("rd", seed, 8), constant(0.5), commit("def"));
  }
  EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kCannotTell);
  EXPECT_THAT(find(gate(store), "mad").reason, HasSubstr("2 seeds"));
}

TEST(Gate, ThreeSeedsTellALossAndASeedThatDisagreesHoldsItBack) {
  auto store = with_baseline([](Store& s) {
    for (const int seed : {0, 1, 2}) {
      add_run(s, on_gpu("rd", seed, 8), constant(0.9));
      add_run(s, on_gpu("vitad", seed, 8), constant(0.9));
    }
  });
  for (const int seed : {0, 1, 2}) {
    add_run(store, on_gpu("rd", seed, 8), constant(0.89), commit("def"));
    add_run(store, on_gpu("vitad", seed, 8), constant(seed == 2 ? 0.902 : 0.88), commit("def"));
  }
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_EQ(find(report, "mad").verdict, Verdict::kRegressed);
  EXPECT_EQ(find(report, "mad").pairs, 24);
  EXPECT_EQ(find(report, "mad", "", "vitad").verdict, Verdict::kCannotTell);
  EXPECT_THAT(find(report, "mad", "", "vitad").reason, HasSubstr("trainings disagree"));
}

// --- what does not compare

TEST(Gate, OtherProtocolsDataMetricsAndWeightsCannotTell) {
  const std::map<std::string, std::function<void(RunRow&)>> changes = {
      {"protocol version '1' against '2'", [](RunRow& run) { run.protocol_version = 2; }},
      {"epoch rule 'last'", [](RunRow& run) { run.epoch_rule = "best_pixel_auroc"; }},
      {"data manifest", [](RunRow& run) { run.data_manifest = "ffff"; }},
      {"pretrained weights 'random' against 'a file'",
       [](RunRow& run) { run.weights.resolved = "abc"; }}};
  for (const auto& [words, change] : changes) {
    auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
    auto run = run_of("rd", 0, 8);
    run.key = "other";
    change(run);
    add_run(store, run, constant(0.2), commit("def"));
    const auto report = gate(store);
    EXPECT_EQ(report.exit_code, 0);
    EXPECT_EQ(find(report, "mad").verdict, Verdict::kCannotTell);
    EXPECT_THAT(find(report, "mad").reason, HasSubstr(words));
  }
}

TEST(Gate, FiguresOfAnotherMetricVersionOrUndefinedOnesCannotTell) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 1), constant(0.9)); });
  const auto id = store.begin_run(run_of("rd", 0, 1), commit("def"));
  EventBatch events;
  events.metrics = {
      {.epoch = 3, .category = "class0", .key = "mad", .value = 0.1, .setting = {.version = 2}},
      {.epoch = 3, .category = "class0", .key = "pixel.ap", .reason = "no anomalous pixel"}};
  store.finish_run(id, {.reported_epoch = 3}, events);
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_THAT(find(report, "mad").reason, HasSubstr("version 1"));
  EXPECT_THAT(find(report, "pixel.ap").reason,
              HasSubstr("class0 is undefined now: no anomalous pixel"));
}

// --- did not run

TEST(Gate, ARunThatFailedOrNeverStartedDidNotRun) {
  auto store = with_baseline([](Store& s) {
    add_run(s, run_of("rd", 0, 8), constant(0.9));
    add_run(s, run_of("vitad", 0, 8), constant(0.9));
  });
  const auto failed = store.begin_run(run_of("rd", 0, 8), commit("def"));
  store.finish_run(failed, {.status = RunStatus::kKilled, .reason = "signal 9"});
  auto report = gate(store);
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_EQ(count(report, Verdict::kDidNotRun), 1);
  EXPECT_THAT(report.judgements[0].reason, HasSubstr("killed: signal 9"));
  EXPECT_EQ(gate(store, rules("rules: [{method: rd, level: warn}]")).exit_code, 0);

  store.begin_run(run_of("vitad", 0, 8), commit("def"));  // still running
  EXPECT_EQ(count(gate(store), Verdict::kDidNotRun), 2);

  const auto empty = Store::in_memory();
  report = run_gate(store, "main", empty, {}, {});
  finish_report({}, &report);
  EXPECT_EQ(report.exit_code, 4);
  EXPECT_THAT(report.judgements[0].reason, HasSubstr("no run of this cell"));
}

TEST(Gate, ARegressionCountsMoreThanARunThatFailed) {
  auto store = with_baseline([](Store& s) {
    add_run(s, run_of("rd", 0, 8), constant(0.9));
    add_run(s, run_of("vitad", 0, 8), constant(0.9));
  });
  add_run(store, run_of("rd", 0, 8), constant(0.5), commit("def"));
  const auto failed = store.begin_run(run_of("vitad", 0, 8), commit("def"));
  store.finish_run(failed, {.status = RunStatus::kFailed, .reason = "loss is nan"});
  EXPECT_EQ(gate(store).exit_code, 5);
}

// --- nothing to compare with

TEST(Gate, UnknownBaselineAndEmptySelectionAreSix) {
  const auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  auto unknown = run_gate(store, "mainn", store, {}, {});
  finish_report({}, &unknown);
  EXPECT_EQ(unknown.exit_code, 6);
  EXPECT_THAT(unknown.problem, HasSubstr("unknown baseline 'mainn'; did you mean 'main'?"));
  const auto none = gate(store, {}, {.methods = {"vitad"}});
  EXPECT_EQ(none.exit_code, 6);
  const auto empty = Store::in_memory();
  EXPECT_THAT(run_gate(empty, "main", empty, {}, {}).problem, HasSubstr("no baseline 'main'"));
  EXPECT_EQ(gate(store, rules("fail_on: []\nrules: [{level: ignore}]")).exit_code, 6);
}

// --- which run is compared

TEST(Gate, SeveralCellsOfOneMethodFindTheirOwnRuns) {
  auto slow = run_of("rd", 0, 8);
  slow.key = "slow";
  slow.changed_options = {
      {.path = "lr", .value = 0.001, .default_value = 0.005, .origin = "--set"}};
  auto store = with_baseline([&](Store& s) {
    add_run(s, run_of("rd", 0, 8), constant(0.9));
    add_run(s, slow, constant(0.7));
  });
  auto newer = run_of("rd", 0, 8);  // another version of the method has other keys
  newer.key = "new";
  newer.method_version = 3;
  auto newer_slow = slow;
  newer_slow.key = "new-slow";
  newer_slow.method_version = 3;
  add_run(store, newer_slow, constant(0.7), commit("def"));
  add_run(store, newer, constant(0.9), commit("def"));
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.judgements.size(), 2 * kNumMetrics);
  EXPECT_THAT(report.judgements[0].cell.variant, ::testing::AnyOf("lr=0.001", "default options"));
}

TEST(Gate, TheNewerOfTwoCellsOfTheBaselineCounts) {
  auto store = with_baseline([](Store& s) {
    auto old = run_of("rd", 0, 8);
    old.key = "old";
    add_run(s, old, constant(0.99));
    add_run(s, run_of("rd", 0, 8), constant(0.9));
  });
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.judgements.size(), kNumMetrics);
  EXPECT_THAT(report.notes, Contains(HasSubstr("superseded")));
}

// --- classes

TEST(Gate, ARuleMayAskForOneClass) {
  auto store = with_baseline([](Store& s) { add_run(s, run_of("rd", 0, 8), constant(0.9)); });
  add_run(
      store,
      run_of("rd", 0, 8),
      [](const std::string& category, const std::string&) {
        return category == "class2" ? 0.7 : 0.91;
      },
      commit("def"));
  EXPECT_EQ(find(gate(store), "mad").verdict, Verdict::kCannotTell) << "20 points in one class";
  const auto report = gate(store, rules("rules: [{class: class2, metric: mad}]"));
  EXPECT_EQ(find(report, "mad", "class2").verdict, Verdict::kRegressed);
  EXPECT_EQ(report.exit_code, 5);
}

TEST(Gate, ModelsOfSingleClassesArePairedOverClasses) {
  auto store = with_baseline([](Store& s) {
    for (int c = 0; c < 8; ++c) {
      auto run = run_of("rd", 0, 1);
      run.setting = "single";
      run.classes = {fmt::format("class{}", c)};
      run.key = fmt::format("k{}", c);
      add_run(s, run, constant(0.9));
    }
  });
  for (int c = 0; c < 8; ++c) {
    auto run = run_of("rd", 0, 1);
    run.setting = "single";
    run.classes = {fmt::format("class{}", c)};
    run.key = fmt::format("k{}", c);
    add_run(store, run, constant(0.88), commit("def"));
  }
  const auto report = gate(store);
  EXPECT_EQ(report.exit_code, 5);
  EXPECT_EQ(find(report, "mad").pairs, 8);
}

}  // namespace
}  // namespace adb
