// `adbench figure` and `report --format html` as a user meets them: wrong input.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::run_program;
using testing::TempFolder;

TEST(Figure, RefusesWrongInputWithItsExitCode) {
  const TempFolder temp;
  const auto expect = [&](int code, const char* part, const std::vector<std::string>& arguments) {
    const auto result = run_program(ADB_BIN "/adbench", arguments, temp.path());
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_EQ(result.out, "");
  };
  expect(2, "did you mean 'ranking'", {"figure", "rankings"});
  expect(2, ".svg, .png or .pdf", {"figure", "ranking", "--out", "x.gif"});
  expect(2, "kind", {"figure"});
  expect(7, "adbench.sqlite", {"figure", "ranking"});
  expect(7, "adbench.sqlite", {"report", "--format", "html"});
  expect(2, "known: csv, html", {"report", "--format", "htlm"});
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "adbench.sqlite"));
}

}  // namespace
}  // namespace adb
