// `adbench rescore` on what `adbench run` left.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::TempFolder;

testing::ProgramResult adbench(const TempFolder& temp, const std::vector<std::string>& arguments) {
  return testing::run_program(ADB_BIN "/adbench", arguments, temp.path());
}

TEST(Rescore, OfRealRunsGivesTheSameBits) {
  const TempFolder temp;
  const auto run = adbench(temp,
                           {"run",
                            "--methods",
                            "null,rd",
                            "--protocol",
                            "smoke",
                            "--epochs",
                            "1",
                            "--save-maps",
                            "all"});
  ASSERT_EQ(run.code, 0) << run.err;
  const auto same = adbench(temp, {"rescore", "--json"});
  ASSERT_EQ(same.code, 0) << same.err;
  const auto data = Json::parse(same.out).at("data");
  ASSERT_EQ(data.size(), 2U);
  for (const Json& entry : data) {
    EXPECT_EQ(entry.at("added"), 0);
    EXPECT_GT(entry.at("as_stored"), 8);
    EXPECT_TRUE(entry.at("deviations").empty());
  }

  const auto other = adbench(temp, {"rescore", "--fpr-limit", "0.05", "--methods", "rd"});
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.out, HasSubstr("pixel.aupro"));
  const auto report = adbench(temp, {"report"});
  EXPECT_THAT(report.out, HasSubstr("limit 0.3,")) << "reports stay on the usual limit";
  EXPECT_EQ(adbench(temp, {"rescore", "--metric-mode", "ader"}).code, 0);
  EXPECT_EQ(adbench(temp, {"store", "check"}).code, 0);
}

}  // namespace
}  // namespace adb
