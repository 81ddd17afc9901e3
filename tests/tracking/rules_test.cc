// Rules files: what they set, and what is refused where.
#include "tracking/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

const CellName kRd = {.method = "rd", .dataset = "sample", .setting = "multi"};
const CellName kVitad = {.method = "vitad", .dataset = "visa", .setting = "multi"};

GateRules rules(const std::string& text) {
  return parse_rules(parse_yaml(text, "gate.yaml"));
}

TEST(Rules, AnEmptyFileKeepsTheDefaults) {
  const auto parsed = rules("");
  EXPECT_EQ(parsed.alpha, 0.01);
  EXPECT_THAT(parsed.fail_on, UnorderedElementsAre(Verdict::kRegressed, Verdict::kDidNotRun));
  const auto tolerance = parsed.tolerance(kRd, "", "mad", FigureKind::kQuality);
  EXPECT_EQ(tolerance.min_effect, 0.003);
  EXPECT_EQ(tolerance.ratio, 1.10);
  EXPECT_EQ(tolerance.floor_ms, 5);
}

TEST(Rules, LaterOnesOverrideEarlierOnes) {
  const auto parsed = rules(R"(
alpha: 0.05
draws: 5000
machine: cpu
fail_on: [regressed, cannot_tell]
rules:
  - {min_effect: 1, level: warn}
  - metric: [mad, pixel.aupro]
    method: rd
    min_effect: 0.5
    limit: none
  - {metric: train_s, ratio: 1.5, ratio_apart: 4, floor_ms: 100, ratio_limit: 3}
  - {class: bolt, metric: mad, level: fail, limit: 2}
)");
  EXPECT_EQ(parsed.alpha, 0.05);
  EXPECT_EQ(parsed.draws, 5000);
  EXPECT_EQ(parsed.machine, SameMachine::kCpu);
  EXPECT_THAT(parsed.fail_on, UnorderedElementsAre(Verdict::kRegressed, Verdict::kCannotTell));
  const auto mad = parsed.tolerance(kRd, "", "mad", FigureKind::kQuality);
  EXPECT_EQ(mad.level, Level::kWarn);
  EXPECT_DOUBLE_EQ(mad.min_effect, 0.005);
  EXPECT_FALSE(mad.limit);
  EXPECT_DOUBLE_EQ(parsed.tolerance(kVitad, "", "mad", FigureKind::kQuality).min_effect, 0.01);
  const auto bolt = parsed.tolerance(kRd, "bolt", "mad", FigureKind::kQuality);
  EXPECT_EQ(bolt.level, Level::kFail);
  EXPECT_DOUBLE_EQ(bolt.limit.value(), 0.02);
  EXPECT_DOUBLE_EQ(bolt.min_effect, 0.005);
  const auto time = parsed.tolerance(kRd, "", "train_s", FigureKind::kTime);
  EXPECT_EQ(time.ratio, 1.5);
  EXPECT_EQ(time.ratio_apart, 4);
  EXPECT_EQ(time.floor_ms, 100);
  EXPECT_EQ(time.time_limit, 3);
  EXPECT_EQ(time.memory_limit, 1.5);
}

TEST(Rules, ClassesAreJudgedAloneWhenAskedFor) {
  const auto parsed = rules("rules: [{class: bolt, metric: mad}, {class: all, method: vitad}]");
  EXPECT_TRUE(parsed.asks_for_class(kRd, "bolt", "mad"));
  EXPECT_FALSE(parsed.asks_for_class(kRd, "bolt", "pixel.ap"));
  EXPECT_FALSE(parsed.asks_for_class(kRd, "gear", "mad"));
  EXPECT_TRUE(parsed.asks_for_class(kVitad, "gear", "pixel.ap"));
  EXPECT_FALSE(rules("rules: [{metric: mad}]").asks_for_class(kRd, "bolt", "mad"));
}

TEST(Rules, NothingMayFail) {
  EXPECT_TRUE(rules("fail_on: []").fail_on.empty());
}

TEST(Rules, RunsThatAreMissingFollowRulesWithoutMetric) {
  const auto parsed = rules("rules: [{method: rd, level: warn}, {metric: mad, level: ignore}]");
  EXPECT_EQ(parsed.tolerance(kRd, "", "", FigureKind::kQuality).level, Level::kWarn);
}

TEST(Rules, UnusedOnesAreNamed) {
  const auto parsed = rules("rules:\n  - {method: rd}\n  - {method: rdd}");
  Judgement judgement;
  judgement.cell = kRd;
  judgement.metric = "mad";
  EXPECT_THAT(unused_rules(parsed, {judgement}), ElementsAre(HasSubstr("gate.yaml:3:5")));
}

TEST(Rules, MistakesAreNamedWithTheirPlace) {
  const auto refused = [](const std::string& text, const std::string& message) {
    testing::expect_error(ErrorKind::kConfig, message, [&] { rules(text); });
  };
  refused("alpa: 0.05", "gate.yaml:1:7: unknown key in the rules 'alpa'; did you mean 'alpha'?");
  refused("rules:\n  - metrik: mad", "gate.yaml:2:13: unknown key in a rule 'metrik'");
  refused("rules: [{metric: image.aurok}]",
          "gate.yaml:1:18: unknown metric 'image.aurok'; did you mean 'image.auroc'?");
  refused("rules: [{metric: parameters}]", "unknown metric 'parameters'");
  refused("alpha: 0", "gate.yaml:1:8: alpha: must be in [1e-06, 0.5], got 0");
  refused("alpha: small", "alpha: expected a number, got 'small'");
  refused("alpha: [1]", "alpha: expected a number");
  refused("draws: 1.5", "draws: expected a whole number");
  refused("fail_on: [regresed]", "unknown verdict 'regresed'; did you mean 'regressed'?");
  refused("fail_on: [not_regressed]", "unknown verdict");
  refused("machine: hosts", "unknown machine 'hosts'; did you mean 'host'?");
  refused("rules: [{level: error}]", "unknown level 'error'");
  refused("rules: [{min_effect: -1}]", "min_effect: must be in [0, 100], got -1");
  refused("rules: [{ratio: 0.9}]", "ratio: must be in [1, 1000], got 0.9");
  refused("rules: [{class: []}]", "class: an empty list");
  refused("rules: [{class: ''}]", "class: no name");
  refused("rules: [{method: {a: b}}]", "method: expected plain text");
  refused("rules: mad", "rules: expected a list");
  refused("rules: [mad]", "a rule: expected keys and values");
  refused("- alpha", "the rules: expected keys and values");
  refused("rules: [{metric: mad", "not valid YAML");
}

}  // namespace
}  // namespace adb
