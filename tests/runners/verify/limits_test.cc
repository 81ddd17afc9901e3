#include "runners/verify/limits.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb {
namespace {

using adb::testing::expect_error;
using Values = std::vector<double>;

LimitRule rule(const std::string& text) {
  return *parse_rule(parse_json(text, "rule", ErrorKind::kData), "rule");
}

double ratio(const std::string& text, const Values& got, const Values& want) {
  return compare(rule(text), got, want).ratio;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The expected ratios were printed by goldens/limits.py.
TEST(Limits, AreThoseOfTheDefinition) {
  EXPECT_DOUBLE_EQ(ratio(R"({"atol": 0.1})", {1.05}, {1}), 0.5000000000000004);
  EXPECT_DOUBLE_EQ(ratio(R"({"rtol": 0.1})", {2.1, -1}, {2, -1}), 0.5000000000000004);
  EXPECT_DOUBLE_EQ(ratio(R"({"atol": 0.1, "rtol": 0.1})", {2.2}, {2}), 0.6666666666666672);
  EXPECT_DOUBLE_EQ(ratio(R"({"atol": 0})", {1}, {1}), 0);
  EXPECT_DOUBLE_EQ(ratio(R"({"of_max": 0.1})", {1, 2.1}, {1, 2}), 0.5000000000000004);
  EXPECT_NEAR(ratio(R"({"cosine": 0.9})", {1, 0}, {1, 0.2}), 0.19419324309079894, 1e-12);
  const Values got = {1, 2.5, 3, 4}, want = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(ratio(R"({"atol": 0.01, "but": {"fraction": 0.5, "atol": 1}})", got, want), 0.5);
  EXPECT_DOUBLE_EQ(ratio(R"({"atol": 0.01, "but": {"fraction": 0.1, "atol": 1}})", got, want), 2.5);
}

TEST(Limits, NothingPassesWhereNothingIsAllowed) {
  EXPECT_TRUE(std::isinf(ratio(R"({"atol": 0})", {1.5}, {1})));
  EXPECT_TRUE(std::isinf(ratio(R"({"atol": 0.1})", {1, 2}, {1})));
  EXPECT_TRUE(std::isinf(ratio(R"({"atol": 0.1})", {kNan}, {1})));
  EXPECT_TRUE(std::isinf(ratio(R"({"atol": 0.1})", {1}, {kNan})));
  EXPECT_TRUE(std::isinf(ratio(R"({"of_max": 0.1})", {1, 1}, {1, kNan})));
  EXPECT_TRUE(std::isinf(ratio(R"({"of_max": 0.1})", {1}, {0})));
  EXPECT_TRUE(std::isinf(ratio(R"({"cosine": 0.9})", {0, 0}, {1, 2})));
  EXPECT_TRUE(std::isinf(ratio(R"({"atol": 1, "but": {"fraction": 0, "atol": 9}})", {3}, {0})));
  EXPECT_EQ(ratio(R"({"atol": 0.1})", {}, {}), 0);
}

TEST(Limits, AllConditionsHold) {
  EXPECT_GT(ratio(R"({"atol": 1, "cosine": 0.999})", {0.1, 0.1}, {0.1, -0.1}), 1);
  EXPECT_GT(ratio(R"({"atol": 1e-9, "cosine": 0.5})", {1, 2}, {1, 2.1}), 1);
}

TEST(Limits, NameTheWorstElement) {
  EXPECT_EQ(compare(rule(R"({"rtol": 0.1})"), Values{100.5, 1.05, -3}, Values{100, 1, -3}).worst,
            1);
  EXPECT_EQ(compare(rule(R"({"of_max": 0.1})"), Values{100.5, 1.05, -3}, Values{100, 1, -3}).worst,
            0);
  EXPECT_EQ(compare(rule(R"({"atol": 0.1})"), Values{1, kNan, 9}, Values{1, 2, 3}).worst, 1);
}

TEST(Limits, RefusesWhatIsNoRule) {
  EXPECT_FALSE(parse_rule(Json(nullptr), "rule").has_value());
  for (const auto* text : {"{}",
                           "3",
                           "[]",
                           R"({"atoll": 1})",
                           R"({"atol": -1})",
                           R"({"atol": "1"})",
                           R"({"cosine": 1.5})",
                           R"({"but": {"fraction": 1, "atol": 1}})",
                           R"({"atol": 1, "but": {"fraction": 1}})"}) {
    expect_error(ErrorKind::kData, "rule", [&] {
      parse_rule(parse_json(text, "x", ErrorKind::kData), "rule");
    });
  }
}

}  // namespace
}  // namespace adb
