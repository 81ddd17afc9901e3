// Google Benchmark's JSON: what is read, what is refused, what is judged.
#include "tracking/benchmarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;

// Repetitions of "resize" with these times in microseconds, begun at that minute.
std::string file_of(const std::vector<double>& times,
                    const std::string& host = "bench",
                    int minute = 0) {
  Json json;
  json["context"] = {{"host_name", host},
                     {"num_cpus", 2},
                     {"library_build_type", "release"},
                     {"date", fmt::format("2026-01-01T00:{:02}:00+00:00", minute)}};
  json["benchmarks"] = Json::array();
  for (const double time : times) {
    json["benchmarks"].push_back({{"name", "resize/256/repeats:9"},
                                  {"run_name", "resize/256"},
                                  {"run_type", "iteration"},
                                  {"iterations", 1000},
                                  {"real_time", 2 * time},
                                  {"cpu_time", time},
                                  {"time_unit", "us"}});
  }
  json["benchmarks"].push_back({{"name", "resize/256_mean"},
                                {"run_name", "resize/256"},
                                {"run_type", "aggregate"},
                                {"aggregate_name", "mean"},
                                {"iterations", 9},
                                {"real_time", 1},
                                {"cpu_time", 1},
                                {"time_unit", "us"}});
  return json.dump();
}

std::vector<Judgement> judge(const std::string& before,
                             const std::string& now,
                             const GateRules& rules = {}) {
  const TempFolder temp;
  return judge_benchmarks(read_benchmarks({temp.write("before.json", before)}),
                          read_benchmarks({temp.write("now.json", now)}),
                          rules);
}

TEST(Benchmarks, RepetitionsAreSamplesInMilliseconds) {
  const TempFolder temp;
  const auto file = read_benchmarks({temp.write("b.json", file_of({100, 200}))});
  ASSERT_EQ(file.series.size(), 1);
  const auto& series = file.series.at("resize/256");
  ASSERT_EQ(series.cpu_ms.size(), 2);
  EXPECT_DOUBLE_EQ(series.cpu_ms[0].value, 0.1);
  EXPECT_DOUBLE_EQ(series.cpu_ms[1].value, 0.2);
  EXPECT_THAT(series.total_ms, ElementsAre(::testing::DoubleEq(200), ::testing::DoubleEq(400)));
}

TEST(Benchmarks, ASlowerOneIsRegressedAFasterOneIsNot) {
  const auto slow = judge(file_of({100, 101, 102, 103, 104}), file_of({400, 401, 402, 403, 404}));
  ASSERT_EQ(slow.size(), 1);
  EXPECT_EQ(slow[0].verdict, Verdict::kRegressed);
  EXPECT_NEAR(slow[0].change.value(), 402.0 / 102, 1e-12);
  const auto hardly = judge(file_of({100, 101, 102, 103, 104}), file_of({120, 121, 122, 123, 124}));
  EXPECT_EQ(hardly[0].verdict, Verdict::kCannotTell) << "one file each: no turns";
  const auto fast = judge(file_of({120, 121, 122, 123, 124}), file_of({100, 101, 102, 103, 104}));
  EXPECT_EQ(fast[0].verdict, Verdict::kNotRegressed);
  const auto few = judge(file_of({100}), file_of({400}));
  EXPECT_EQ(few[0].verdict, Verdict::kCannotTell);
}

TEST(Benchmarks, FilesOfBuildsThatTookTurnsTellMore) {
  const TempFolder temp;
  std::vector<std::filesystem::path> before, now;
  for (int turn = 0; turn < 5; ++turn) {
    before.push_back(temp.write(fmt::format("before{}.json", turn),
                                file_of({100.0 + turn, 200}, "bench", 2 * turn)));
    now.push_back(temp.write(fmt::format("now{}.json", turn),
                             file_of({120.0 + turn, 240}, "bench", 2 * turn + 1)));
  }
  const auto judged = judge_benchmarks(read_benchmarks(before), read_benchmarks(now), {});
  EXPECT_EQ(judged[0].verdict, Verdict::kRegressed);
  EXPECT_THAT(judged[0].reason, HasSubstr("5 and 5 turns"));
  now.push_back(temp.write("elsewhere.json", file_of({100}, "runner")));
  testing::expect_error(
      ErrorKind::kData, "elsewhere.json: of another machine", [&] { read_benchmarks(now); });
}

TEST(Benchmarks, OtherMachinesCannotTellAndGoneOnesDidNotRun) {
  const auto other = judge(file_of({1, 2, 3, 4, 5}), file_of({9, 9, 9, 9, 9}, "runner"));
  EXPECT_EQ(other[0].verdict, Verdict::kCannotTell);
  EXPECT_THAT(other[0].reason, HasSubstr("other machine"));
  auto renamed = Json::parse(file_of({1, 2, 3, 4, 5}));
  for (auto& entry : renamed["benchmarks"]) {
    entry["run_name"] = "resize/512";
  }
  const auto gone = judge(file_of({1, 2, 3, 4, 5}), renamed.dump());
  EXPECT_EQ(gone[0].verdict, Verdict::kDidNotRun);
  EXPECT_TRUE(gone[0].fails);
  auto failed = Json::parse(file_of({1}));
  failed["benchmarks"][0]["error_occurred"] = true;
  failed["benchmarks"][0]["error_message"] = "wrong answer";
  EXPECT_EQ(judge(file_of({1}), failed.dump())[0].reason, "wrong answer");
}

TEST(Benchmarks, WrongFilesAreNamed) {
  const TempFolder temp;
  const auto refused = [&](const std::string& text, const std::string& message) {
    testing::expect_error(
        ErrorKind::kData, message, [&] { read_benchmarks({temp.write("b.json", text)}); });
  };
  testing::expect_error(
      ErrorKind::kData, "none.json", [&] { read_benchmarks({temp.path() / "none.json"}); });
  refused("{", "b.json");
  refused("[]", "expected an object with 'benchmarks'");
  refused("{}", "benchmarks");
  refused(R"({"benchmarks": {}})", "expected a list");
  refused(R"({"benchmarks": []})", "holds no benchmark");
  refused(R"({"benchmarks": [1]})", "benchmarks[0]: expected an object");
  refused(R"({"benchmarks": [{"name": "a", "cpu_time": 1, "real_time": 1, "iterations": 1}]})",
          "time_unit");
  refused(
      R"({"benchmarks": [{"name": "a", "cpu_time": -1, "real_time": 1, "iterations": 1, "time_unit": "ns"}]})",
      "benchmarks[0] ('a'): cpu_time: expected a number of at least 0, got -1");
  refused(
      R"({"benchmarks": [{"name": "a", "cpu_time": "x", "real_time": 1, "iterations": 1, "time_unit": "ns"}]})",
      "benchmarks[0] ('a')");
  refused(
      R"({"benchmarks": [{"name": "a", "cpu_time": 1, "real_time": 1, "iterations": 1, "time_unit": "h"}]})",
      "unknown time unit 'h'");
}

}  // namespace
}  // namespace adb
