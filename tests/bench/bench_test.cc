// Every benchmark program, each benchmark for a moment: its answers are right, and `adbench gate`
// reads what it writes.
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::run_program;
using testing::TempFolder;

struct BenchProgram {
  std::string name;
  std::string filter;
  std::set<std::string> benchmarks;  // without their arguments
};

void PrintTo(const BenchProgram& program, std::ostream* out) {
  *out << program.name;
}

class Bench : public ::testing::TestWithParam<BenchProgram> {};

TEST_P(Bench, AnswersAreRightAndTheGateReadsTheTimes) {
  const auto& program = GetParam();
  const auto file = std::string(ADB_BIN "/") + program.name;
  if (program.name == "filter_bench" && !std::filesystem::exists(file)) {
    GTEST_SKIP() << "built without LibTorch";
  }
  const TempFolder temp;
  const auto end = run_program(file,
                               {"--benchmark_min_time=0.001",
                                "--benchmark_repetitions=2",
                                "--benchmark_filter=" + program.filter,
                                "--benchmark_out=now.json",
                                "--benchmark_out_format=json"},
                               temp.path());
  ASSERT_EQ(end.code, 0) << end.out << end.err;
  const auto gate = run_program(
      ADB_BIN "/adbench",
      {"gate", "--benchmarks", "now.json", "--baseline-benchmarks", "now.json", "--json"},
      temp.path());
  ASSERT_EQ(gate.code, 0) << gate.out << gate.err;
  std::set<std::string> judged;
  const auto json = Json::parse(gate.out);
  for (const auto& judgement : json.at("data").at("judgements")) {
    const auto name = judgement.at("method").get<std::string>();
    judged.insert(name.substr(0, name.find('/')));
    EXPECT_GT(judgement.at("current").get<double>(), 0) << name;
    EXPECT_EQ(judgement.at("ratio"), 1) << name;
  }
  EXPECT_EQ(judged, program.benchmarks);
}

INSTANTIATE_TEST_SUITE_P(
    Programs,
    Bench,
    ::testing::Values(
        BenchProgram{"metrics_bench",
                     "-of_size",  // the same again for every size of a test set
                     {"sort_scores",
                      "check",
                      "label_components",
                      "rank_pixels",
                      "finish_figures",
                      "evaluate",
                      "further_figures",
                      "resample_images",
                      "pool_maps"}},
        BenchProgram{
            "parts_bench",
            "",
            {"resize", "perlin", "load_images", "open_data_set", "read_weights", "write_run"}},
        BenchProgram{"filter_bench", "", {"gaussian"}},
        BenchProgram{"report_bench", "", {"read_runs", "build", "render"}}));

TEST(BenchArguments, UnknownOnesAreRefused) {
  const TempFolder temp;
  EXPECT_EQ(run_program(ADB_BIN "/parts_bench", {"--nonsense"}, temp.path()).code, 2);
}

}  // namespace
}  // namespace adb
