// track and bisect as a user meets them.
#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/json.h"
#include "core/seed.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"
#include "tests/tracking/runs.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_of;
using testing::run_program;
using ::testing::StartsWith;
using testing::TempFolder;

ProgramResult adbench(const TempFolder& temp, const std::vector<std::string>& arguments) {
  return run_program(ADB_BIN "/adbench", arguments, temp.path());
}

// --- track

TEST(Track, ShowsWhereFiguresMovedInEveryFormat) {
  const TempFolder temp;
  auto store = Store::open_for_write(temp.path() / "adbench.sqlite");
  std::string commits;
  for (int i = 0; i < 16; ++i) {
    auto environment = testing::sample_environment();
    environment.code_commit = fmt::format("{:08x}{:032}", 0xabc00000 + i, 0);
    commits += environment.code_commit + "\n";
    testing::add_run(store, run_of("rd", 0, 4), testing::constant(i < 8 ? 0.9 : 0.8), environment);
  }
  store.close();
  const auto text = adbench(temp, {"track", "--metric", "mad"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out,
              StartsWith("rd on sample, multi, protocol smoke: mad: 90.00 -> 80.00 (-10.00 points) "
                         "at commit abc000080000 (9 of 16, "));
  EXPECT_EQ(adbench(temp, {"track", "--format", "html", "--out", "trends.html"}).code, 0);
  EXPECT_THAT(read_text(temp.path() / "trends.html", ErrorKind::kData),
              HasSubstr("<code>abc000080000</code>"));
  EXPECT_THAT(adbench(temp, {"track", "--format", "markdown"}).out, HasSubstr("abc000080000"));
  const auto json = Json::parse(adbench(temp, {"track", "--json", "--metric", "mad"}).out);
  EXPECT_EQ(json.at("data").at("series")[0].at("moves")[0].at("index"), 8);

  temp.write("commits", commits.substr(0, 41 * 5));
  EXPECT_THAT(adbench(temp, {"track", "--metric", "mad", "--commits", "commits"}).out,
              HasSubstr("mad: 90.00 over 5 commits"));
}

TEST(Track, MistakesAreNamed) {
  const TempFolder temp;
  EXPECT_EQ(adbench(temp, {"track"}).code, 7);
  Store::open_for_write(temp.path() / "adbench.sqlite").close();
  EXPECT_THAT(adbench(temp, {"track"}).out, HasSubstr("0 series"));
  EXPECT_EQ(adbench(temp, {"track", "--metric", "parameters"}).code, 2);
  EXPECT_EQ(adbench(temp, {"track", "--format", "pdf"}).code, 2);
  temp.write("commits", "abcdef0\n--help\n");
  const auto refused = adbench(temp, {"track", "--commits", "commits"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("commits:2: expected a commit"));
}

// --- bisect

// A repository whose commits hold, one after the other, these exit codes of the command.
std::vector<std::string> make_history(const TempFolder& temp, const std::vector<int>& codes) {
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"-C", temp.path().string(), "-c", "user.name=t", "-c", "user.email=t@t"});
    const auto result = run_program("/usr/bin/git", words, temp.path());
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out;
  };
  git({"init", "--quiet", "--initial-branch=main"});
  std::vector<std::string> commits;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    temp.write("code", fmt::format("{}\n", codes[i]));
    temp.write("number", fmt::format("{}\n", i));
    git({"add", "--all"});
    git({"commit", "--quiet", "-m", fmt::format("change {}", i)});
    commits.push_back(git({"rev-parse", "HEAD"}).substr(0, 40));
  }
  return commits;
}

std::vector<std::string> bisect_words(const std::vector<std::string>& commits) {
  return {"bisect",
          "--good",
          commits.front(),
          "--bad",
          commits.back(),
          "--json",
          "--",
          "sh",
          "-c",
          "exit $(cat code)"};
}

TEST(Bisect, FindsTheFirstBadCommitAndSkipsWhatDidNotRun) {
  const TempFolder temp;
  const auto commits = make_history(temp, {0, 0, 0, 4, 0, 5, 5, 5, 6, 5});
  const auto result = adbench(temp, bisect_words(commits));
  ASSERT_EQ(result.code, 0) << result.out << result.err;
  const auto data = Json::parse(result.out).at("data");
  EXPECT_EQ(data.at("commit"), commits[5]);
  EXPECT_EQ(data.at("title"), "change 5");
  EXPECT_EQ(read_text(temp.path() / "number", ErrorKind::kData), "9\n") << "files stay";
  const auto left =
      run_program("/usr/bin/git", {"-C", temp.path().string(), "worktree", "list"}, temp.path());
  EXPECT_EQ(std::count(left.out.begin(), left.out.end(), '\n'), 1) << left.out;
}

TEST(Bisect, CannotTellAmongSkippedCommits) {
  const TempFolder temp;
  const auto commits = make_history(temp, {0, 4, 4, 5});
  const auto result = adbench(temp, bisect_words(commits));
  ASSERT_EQ(result.code, 6) << result.out << result.err;
  EXPECT_EQ(Json::parse(result.out).at("data").at("suspects").size(), 3);
}

TEST(Bisect, AnythingElseStopsTheSearch) {
  const TempFolder temp;
  const auto commits = make_history(temp, {0, 1, 1, 5});
  const auto result = adbench(temp, bisect_words(commits));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("exit code 1: stopped"));
  EXPECT_EQ(adbench(temp, {"bisect", "--good", "none", "--bad", "HEAD", "--", "true"}).code, 2);
  EXPECT_EQ(adbench(temp, {"bisect", "--good", "-x", "--bad", "HEAD", "--", "true"}).code, 2);
  EXPECT_EQ(adbench(temp, {"bisect", "--good", "HEAD", "--bad", "HEAD"}).code, 2);
}

}  // namespace
}  // namespace adb
