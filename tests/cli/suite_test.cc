// Suites as a user meets them: planned without data, run on the sample, reported from the store.
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::TempFolder;

ProgramResult adbench(const TempFolder& temp, std::vector<std::string> arguments) {
  return testing::run_program(ADB_BIN "/adbench", std::move(arguments), temp.path());
}

Json data_of(const ProgramResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  return Json::parse(result.out).at("data");
}

TEST(Suite, EveryOneIsPlannedWithoutDataOrWeights) {
  const TempFolder temp;
  const auto suites = data_of(adbench(temp, {"list", "suites", "--json"}));
  EXPECT_GE(suites.size(), 12u);
  std::vector<std::string> all = {"plan", "--json"};
  for (const auto& suite : suites) {
    all.insert(all.end(), {"--suite", suite.at("name").get<std::string>()});
  }
  std::set<std::pair<std::string, std::string>> trainings;
  std::set<std::string> planned;
  for (const auto& cell : data_of(adbench(temp, all))) {
    EXPECT_THAT(cell.at("state").get<std::string>(), HasSubstr("data missing"));
    EXPECT_TRUE(trainings
                    .emplace(cell.at("dataset").dump() + cell.at("method").dump(),
                             cell.at("options").dump())
                    .second)
        << "two cells of one training: " << cell.at("rows");
    for (const auto& row : cell.at("rows")) {
      planned.insert(row.at("suite").get<std::string>());
    }
  }
  EXPECT_EQ(planned.size(), suites.size());

  const auto fuser = adbench(temp, {"plan", "--suite", "paper/table-08-fuser"});
  ASSERT_EQ(fuser.code, 0) << fuser.err;
  for (const char* label : {"Cat 01234", "Add 34", "ViT 5", "Conv 1", "ViTAD (linear)"}) {
    EXPECT_THAT(fuser.out, HasSubstr(label));
  }
  EXPECT_THAT(fuser.out, HasSubstr("15 rows, 15 trainings"));
  const auto two = adbench(
      temp,
      {"plan", "--suite", "paper/table-05-mvtec-image", "--suite", "paper/table-06-mvtec-pixel"});
  EXPECT_THAT(two.out, HasSubstr("12 rows, 6 trainings"));
  EXPECT_THAT(two.out, HasSubstr("the training of paper/table-05-mvtec-image, RD"));
}

TEST(Suite, RunsAndReports) {
  const TempFolder temp;
  const std::vector<std::string> suite = {"--suite", "paper/table-02-restraint-stages"};
  const std::vector<std::string> flags = {
      "--dataset", "sample", "--protocol", "smoke", "--epochs", "1", "-S", "weights=random"};
  auto run = std::vector<std::string>{"run", "--categories", "gear"};
  run.insert(run.end(), suite.begin(), suite.end());
  run.insert(run.end(), flags.begin(), flags.end());
  const auto done = adbench(temp, run);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("4 finished"));
  EXPECT_THAT(done.out, HasSubstr("0, 1, 2, 3"));
  EXPECT_THAT(done.err, HasSubstr("paper/table-02-restraint-stages, 0, 1, 2, 3"))
      << "messages name the row";
  EXPECT_THAT(adbench(temp, run).out, HasSubstr("4 finished before"));

  // The paper's own table: none of these runs stands in it.
  auto report = std::vector<std::string>{"report"};
  report.insert(report.end(), suite.begin(), suite.end());
  auto json = report;
  json.emplace_back("--json");
  const auto own = data_of(adbench(temp, json)).at("suites").at(0);
  ASSERT_EQ(own.at("groups").size(), 4u);
  for (const auto& group : own.at("groups")) {
    EXPECT_EQ(group.at("missing"), Json({"no run"}));
    EXPECT_EQ(group.at("dataset"), "mvtec_ad");
  }
  EXPECT_EQ(own.at("means").at("rows").at(1).at("figures").at("mad").at("printed"), "82.4");
  for (const char* format : {"terminal", "markdown", "latex", "csv"}) {
    auto formatted = report;
    formatted.insert(formatted.end(), {"--format", format});
    const auto shown = adbench(temp, formatted);
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("85.4")) << format;
  }

  // Asked for, they stand alone: the published figures are of other data.
  report.insert(report.end(), flags.begin(), flags.end());
  json = report;
  json.emplace_back("--json");
  const auto sample = data_of(adbench(temp, json)).at("suites").at(0);
  ASSERT_EQ(sample.at("groups").size(), 4u);
  for (const auto& group : sample.at("groups")) {
    EXPECT_TRUE(group.at("missing").empty()) << group;
    EXPECT_THAT(group.at("departures").dump(), HasSubstr("data set sample"));
  }
  for (const auto& row : sample.at("means").at("rows")) {
    EXPECT_EQ(row.at("kind"), "measured");
  }
  EXPECT_THAT(adbench(temp, report).out, HasSubstr("none stand beside those of sample"));
}

struct Mistake {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  const char* message;
};

// All in one folder with a store: making it takes longer than every mistake.
class SuiteMistakes : public ::testing::TestWithParam<Mistake> {
 protected:
  static void SetUpTestSuite() {
    temp = std::make_unique<TempFolder>();
    ASSERT_EQ(adbench(*temp, {"run", "--methods", "null", "--protocol", "smoke"}).code, 0);
  }
  static void TearDownTestSuite() { temp.reset(); }
  static std::unique_ptr<TempFolder> temp;
};

std::unique_ptr<TempFolder> SuiteMistakes::temp;

TEST_P(SuiteMistakes, AreNamed) {
  const auto result = adbench(*temp, GetParam().arguments);
  EXPECT_EQ(result.code, GetParam().code) << result.err;
  EXPECT_THAT(result.err, HasSubstr(GetParam().message));
  EXPECT_EQ(result.out, "");
}

const char* const kFuser = "paper/table-08-fuser";

INSTANTIATE_TEST_SUITE_P(
    CommandLine,
    SuiteMistakes,
    ::testing::Values(
        Mistake{"unknown",
                {"plan", "--suite", "paper/table-08-fusers"},
                2,
                "unknown suite 'paper/table-08-fusers'; did you mean 'paper/table-08-fuser'?"},
        Mistake{"outside", {"plan", "--suite", "../weights"}, 2, "unknown suite '../weights'"},
        Mistake{"neither", {"plan"}, 2, "--methods is required"},
        Mistake{"option",
                {"plan", "--suite", kFuser, "-S", "fusr=add"},
                2,
                "--set: unknown option 'fusr'; did you mean 'fuser'?"},
        Mistake{"method", {"plan", "--suite", kFuser, "--methods", "rd"}, 2, "no row of the suite"},
        Mistake{"data", {"run", "--suite", kFuser, "-S", "weights=random"}, 3, "--data-root"},
        Mistake{"weights",
                {"run", "--suite", kFuser, "--weights-dir", "none"},
                3,
                "weights fetch vit_small_patch16_224.dino"},
        Mistake{"published",
                {"report", "--suite", kFuser, "--published", "V"},
                2,
                "a suite names its own published table"},
        Mistake{"set", {"report", "--set", "epochs=3"}, 2, "need a --suite"},
        Mistake{"csv",
                {"report", "--suite", kFuser, "--suite", "paper/table-11-loss", "--format", "csv"},
                2,
                "give one --suite"},
        Mistake{
            "store", {"report", "--suite", kFuser, "--store", "none.sqlite"}, 7, "none.sqlite"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace adb
