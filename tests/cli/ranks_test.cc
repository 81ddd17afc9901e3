// Several processes that train one model, as `run --ranks N` starts them.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::Program;
using testing::TempFolder;

testing::ProgramResult adbench(const TempFolder& temp, const std::vector<std::string>& arguments) {
  return testing::run_program(ADB_BIN "/adbench", arguments, temp.path());
}

std::vector<std::string> smoke(const std::string& methods, int ranks) {
  return {"run", "--methods", methods, "--protocol", "smoke", "--ranks", std::to_string(ranks)};
}

// By method and epoch.
std::map<std::pair<std::string, std::int64_t>, double> losses(const TempFolder& temp) {
  const auto store = Store::open_for_read(temp.path() / "adbench.sqlite");
  std::map<std::pair<std::string, std::int64_t>, double> found;
  for (const auto& run : store.find_runs()) {
    for (const auto& row : store.curves(run.id)) {
      if (row.name == "loss") {
        found[{run.method, row.epoch}] = row.value;
      }
    }
  }
  return found;
}

TEST(Ranks, TwoFollowOne) {
  // RD's batch norms must take the statistics of both ranks. It gets a rate that moves nothing: at
  // this size rounding would grow to percents within an epoch.
  const TempFolder one, two;
  const auto with_ranks = [](int ranks) {
    auto command = smoke("vitad,rd", ranks);
    command.insert(command.end(), {"--set", "rd.lr=1e-9", "--categories", "board,gear"});
    return command;
  };
  const auto alone = adbench(one, with_ranks(1));
  ASSERT_EQ(alone.code, 0) << alone.err;
  const auto together = adbench(two, with_ranks(2));
  ASSERT_EQ(together.code, 0) << together.err;
  const auto expected = losses(one), got = losses(two);
  ASSERT_EQ(expected.size(), 4U);
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [place, loss] : expected) {
    EXPECT_NEAR(got.at(place), loss, 1e-5 * loss) << place.first << ", epoch " << place.second;
  }

  // Every test image is there once, with the same kind of score.
  const auto a = Store::open_for_read(one.path() / "adbench.sqlite");
  const auto b = Store::open_for_read(two.path() / "adbench.sqlite");
  const auto runs_a = a.find_runs(), runs_b = b.find_runs();
  const auto scores_a = a.scores(runs_a[0].id), scores_b = b.scores(runs_b[0].id);
  ASSERT_EQ(scores_a.size(), scores_b.size());
  for (std::size_t i = 0; i < scores_a.size(); ++i) {
    EXPECT_EQ(scores_a[i].sample, scores_b[i].sample);
  }
}

TEST(Ranks, AreRefusedWhereBatchesDoNotDivide) {
  const TempFolder temp;
  const auto result = adbench(temp, smoke("vitad", 3));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("3 ranks cannot share batches of"));
}

TEST(Ranks, ADeadRankEndsTheJob) {
  const TempFolder temp;
  auto command = smoke("vitad", 2);
  command.insert(command.end(), {"--epochs", "100000", "--json"});
  Program program(ADB_BIN "/adbench", command, temp.path());
  ASSERT_TRUE(program.wait_for_output("\"event\":\"epoch\"")) << program.finish().err;
  const auto ranks = program.descendants("adbench-worker");
  ASSERT_EQ(ranks.size(), 2U);
  ::kill(ranks.back(), SIGKILL);
  const auto end = program.finish();  // a hang would end in the test's time limit
  EXPECT_EQ(end.code, 4) << end.err;
  const auto store = Store::open_for_read(temp.path() / "adbench.sqlite");
  ASSERT_EQ(store.find_runs().size(), 1U);
  EXPECT_NE(store.find_runs()[0].status, RunStatus::kFinished);
}

}  // namespace
}  // namespace adb
