// The scheduler against workers that fail in every way: tests/cli/fake_worker.cc in the place of
// adbench-worker. Needs no LibTorch.
#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "core/files.h"
#include "core/json.h"
#include "runners/schedule/progress.h"
#include "runners/schedule/slots.h"
#include "tests/cli/fake_setup.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Program;
using testing::ProgramResult;
using testing::TempFolder;

class Jobs : public testing::FakeWorker {};

TEST_F(Jobs, EveryKindOfFailureIsRecordedAndTheRestGoesOn) {
  const auto done =
      run("crash,leave,garbage,nonsense,memory,contradiction,escape,mute,stay,flood,ok");
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_THAT(done.out, HasSubstr("3 finished, 0 finished before, 8 failed"));
  const struct {
    const char* method;
    RunStatus status;
    const char* reason;
  } expected[] = {
      {"crash", RunStatus::kKilled, "killed by signal 6"},
      {"leave", RunStatus::kFailed, "left with exit code 3"},
      {"garbage", RunStatus::kFailed, "worker event"},
      {"nonsense", RunStatus::kFailed, "worker event"},
      {"memory", RunStatus::kOutOfMemory, "out of memory"},
      {"contradiction", RunStatus::kFailed, "not overwritten"},
      {"escape", RunStatus::kFailed, "../../secret"},
      {"mute", RunStatus::kFailed, "closed its output"},
  };
  for (const auto& one : expected) {
    const auto row = only_run(one.method);
    EXPECT_EQ(to_text(row.status), to_text(one.status)) << one.method;
    EXPECT_THAT(row.reason, HasSubstr(one.reason)) << one.method;
    EXPECT_THAT(done.err, HasSubstr(std::string("adbench: ") + one.method + " on parts: "));
  }
  // A worker that says all and then does not leave has finished.
  for (const char* method : {"stay", "flood", "ok"}) {
    EXPECT_EQ(only_run(method).status, RunStatus::kFinished) << method;
  }
}

TEST_F(Jobs, ALineWithoutEndEndsItsJobOnly) {
  const auto done = run("huge,ok");
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_EQ(only_run("huge").status, RunStatus::kFailed);
  EXPECT_THAT(only_run("huge").reason, HasSubstr("a line of more than"));
  EXPECT_EQ(only_run("ok").status, RunStatus::kFinished);
}

TEST_F(Jobs, LimitsOfTimeAndMemory) {
  EXPECT_EQ(run("hang", {"--timeout", "1s"}).code, 4);
  EXPECT_EQ(only_run("hang").status, RunStatus::kTimeout);
  EXPECT_EQ(only_run("hang").reason, "ran longer than 1 s");
  const auto done = run("balloon,balloon_below,ok", {"--max-rss", "200M"});
  EXPECT_EQ(done.code, 4) << done.err;
  for (const char* method : {"balloon", "balloon_below"}) {
    EXPECT_EQ(only_run(method).status, RunStatus::kOutOfMemory) << method;
    EXPECT_EQ(only_run(method).reason, "used more than 200 MiB of memory") << method;
  }
  EXPECT_EQ(only_run("ok").status, RunStatus::kFinished);
}

// A job larger than a pipe to a worker that never reads must not stop adbench itself.
TEST_F(Jobs, AWorkerThatDoesNotListenTimesOut) {
  for (int i = 0; i < 2000; ++i) {
    std::ofstream(temp_.path() / "parts/a/train/good" / (std::to_string(i) + "_long_name.png"))
        << i;
  }
  std::ofstream(temp_.path() / "bin/adbench-worker.deaf") << "";
  const auto done = run("ok", {"--timeout", "1s"});
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_EQ(only_run("ok").status, RunStatus::kTimeout);
}

TEST_F(Jobs, ACrashIsTriedAgainAsOftenAsAsked) {
  const auto first = run("flaky,crash", {"--retries", "1"});
  EXPECT_EQ(first.code, 4) << first.err;
  EXPECT_THAT(first.err, HasSubstr("flaky on parts: killed: the worker was killed by signal 11"));
  EXPECT_THAT(first.err, HasSubstr("trying again"));
  const auto row = only_run("flaky");
  EXPECT_EQ(row.status, RunStatus::kFinished);
  EXPECT_THAT(row.notes, HasSubstr("killed at"));
  EXPECT_THAT(row.notes, HasSubstr("signal 11"));
  EXPECT_EQ(only_run("crash").status, RunStatus::kKilled);
}

TEST_F(Jobs, FailFastStartsNothingMore) {
  const auto done = run("crash,ok", {"--fail-fast"});
  EXPECT_EQ(done.code, 4) << done.err;
  RunFilter filter;
  filter.methods = {"ok"};
  EXPECT_TRUE(store().find_runs(filter).empty());
}

TEST_F(Jobs, TheLongestKnownJobStartsFirst) {
  ASSERT_EQ(run("ok,slow").code, 0);
  const auto again = run("ok,slow", {"--fresh"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("[1/2] slow on parts: started"));
  EXPECT_THAT(again.err, HasSubstr("[2/2] ok on parts: started"));
}

TEST_F(Jobs, JsonLinesTellEveryStartEndAndSkip) {
  const auto done = run("ok,crash", {"--json"});
  EXPECT_EQ(done.code, 4);
  std::set<std::string> ends;
  std::string last;
  for (std::size_t begin = 0; begin < done.out.size();) {
    const auto end = done.out.find('\n', begin);
    const auto event = Json::parse(done.out.substr(begin, end - begin));
    begin = end + 1;
    last = event.at("event");
    if (last == "ended") {
      EXPECT_EQ(event.at("cell").get<std::string>().size(), 64U);
      ends.insert(event.at("method").get<std::string>() + " " +
                  event.at("status").get<std::string>());
    }
  }
  EXPECT_EQ(ends, (std::set<std::string>{"ok finished", "crash killed"}));
  EXPECT_EQ(last, "summary");
  EXPECT_THAT(run("ok", {"--json"}).out, HasSubstr("\"event\":\"skipped\""));
}

TEST_F(Jobs, AStopIsPassedOnAndTheExitCodeTells) {
  for (const auto& [method, code, words] : {std::tuple("stoppable", 75, "everything saved"),
                                            std::tuple("unsaved", 4, "could not save")}) {
    Program program(this->program(), command(method, {"--json"}), temp_.path());
    ASSERT_TRUE(program.wait_for_output("\"event\":\"progress\"")) << program.finish().err;
    program.signal(SIGUSR1);
    const auto end = program.finish();
    EXPECT_EQ(end.code, code) << end.err;
    EXPECT_THAT(end.err, HasSubstr(words));
  }
  EXPECT_EQ(only_run("stoppable").status, RunStatus::kInterrupted);
  EXPECT_EQ(only_run("unsaved").status, RunStatus::kFailed);
}

// Slurm and terminals signal every process of a job.
TEST_F(Jobs, ASignalToTheWorkerAloneIsNotItsEnd) {
  Program program(this->program(), command("stoppable", {"--json"}), temp_.path());
  ASSERT_TRUE(program.wait_for_output("\"event\":\"progress\"")) << program.finish().err;
  std::ifstream children("/proc/" + std::to_string(program.pid()) + "/task/" +
                         std::to_string(program.pid()) + "/children");
  pid_t worker = -1;
  children >> worker;
  ASSERT_GT(worker, 0);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    ::kill(worker, signal);
  }
  program.signal(SIGTERM);
  EXPECT_EQ(program.finish().code, 75);
}

TEST_F(Jobs, ACellCanBeNamedByItsKey) {
  const auto plan = testing::run_program(
      program(),
      {"plan", "--dataset", "./parts", "--protocol", "smoke", "--methods", "ok,slow", "--json"},
      temp_.path());
  ASSERT_EQ(plan.code, 0) << plan.err;
  const auto key = Json::parse(plan.out).at("data").at(1).at("key").get<std::string>();
  const auto done = run("ok,slow", {"--cell", key});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(store().find_runs().size(), 1U);
  EXPECT_EQ(store().find_runs().front().method, "slow");
  const auto unknown = run("ok,slow", {"--cell", "0000000000"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no cell of this selection has the key '0000000000'"));
}

TEST_F(Jobs, OptionsThatDoNotFitTogetherAreRefusedBeforeTheFirstJob) {
  const auto refused = run("crash,ok", {"-S", "image_size=70"});
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("multiple of 16 (--set: image_size = 70)"));
  EXPECT_FALSE(fs::exists(temp_.path() / "adbench.sqlite")) << "nothing may have started";
  EXPECT_EQ(run("ok", {"-S", "image_size=80"}).code, 0);
}

TEST_F(Jobs, AutoTakesEveryDeviceThatTheWorkerSees) {
  catalogue(true);
  ASSERT_EQ(run("ok").code, 0);
  EXPECT_EQ(only_run("ok").device, "cuda:0");
  const auto wrong = run("ok", {"--devices", "gpu"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err,
              HasSubstr("--devices: expected auto, cpu or cuda:0,cuda:1,..., got 'gpu'"));
}

TEST_F(Jobs, SlotsHaveCoresAndThreadsOfTheirOwn) {
  if (usable_cores().size() < 2) {
    GTEST_SKIP() << "needs two cores";
  }
  const auto done = run("ok,slow", {"--slots", "2"});
  ASSERT_EQ(done.code, 0) << done.err;
  const auto row = only_run("slow");
  const auto place = read_text(temp_.path() / row.folder / "place", ErrorKind::kData);
  const auto each = usable_cores().size() / 2;
  EXPECT_THAT(place, HasSubstr(std::to_string(each) + " cores"));
  EXPECT_THAT(place, HasSubstr(std::to_string(row.threads) + " threads"));
  EXPECT_EQ(run("ok", {"--slots", "5000"}).code, 2);
}

TEST_F(Jobs, OutMustLieInTheStoresFolder) {
  const TempFolder other;
  const auto refused = run("ok", {"--out", other.path().string()});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("must lie in the store's folder"));
}

// A folder that a removed run left must not be written into again.
TEST_F(Jobs, EveryAttemptHasAFolderOfItsOwn) {
  std::set<std::string> folders;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(run("ok", {"--fresh"}).code, 0);
    auto writer = Store::open_for_write(temp_.path() / "adbench.sqlite");
    const auto runs = writer.find_runs();
    folders.insert(runs.back().folder);
    if (i == 0) {
      writer.remove_runs({runs.back().id});
    }
    writer.close();
  }
  EXPECT_EQ(folders.size(), 3U);
}

// --- parts of it

TEST(Slots, Devices) {
  EXPECT_EQ(parse_devices("cpu"), std::vector<std::string>{"cpu"});
  EXPECT_EQ(parse_devices("cuda:0,1,cuda:3"),
            (std::vector<std::string>{"cuda:0", "cuda:1", "cuda:3"}));
  for (const char* wrong : {"", "1", "cuda", "cuda:", "cuda:0,cuda:0", "cpu,1", "cuda:-1"}) {
    testing::expect_error(ErrorKind::kUsage, "--devices", [&] { parse_devices(wrong); });
  }
  EXPECT_EQ(make_slots({"cuda:0", "cuda:1"}, 1, 3).size(), 2U);
  EXPECT_EQ(make_slots({"cpu"}, 1, 3).front().threads, 3);
}

TEST(Slots, RanksOfAJobTakeSeveralGpus) {
  const std::vector<std::string> four = {"cuda:0", "cuda:1", "cuda:2", "cuda:4"};
  const auto pairs = make_slots(four, 1, 1, 2);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[1].device, "cuda:2,cuda:4");
  const auto spread = make_slots(four, 1, 1, 8);  // over two machines with four each
  ASSERT_EQ(spread.size(), 1U);
  EXPECT_EQ(spread[0].device, "cuda:0,cuda:1,cuda:2,cuda:4");
  EXPECT_EQ(make_slots({"cpu"}, 1, 1, 2).front().device, "cpu");
  testing::expect_error(ErrorKind::kUsage, "4 GPUs do not divide into groups for 3 ranks", [&] {
    make_slots(four, 1, 1, 3);
  });
}

TEST(Progress, RemainingTimeIsTheMedianStepTimesTheStepsLeft) {
  StepClock clock;
  EXPECT_LT(clock.remaining_s(0, 100, 0), 0);
  EXPECT_DOUBLE_EQ(clock.remaining_s(10, 100, 20), 180);
  EXPECT_DOUBLE_EQ(clock.remaining_s(20, 100, 40), 160);
  EXPECT_DOUBLE_EQ(clock.remaining_s(21, 100, 540), 158) << "one slow step changes little";
}

TEST(Progress, LinesAreCutBetweenCharacters) {
  EXPECT_EQ(cut_to_width("abc", 5), "abc");
  EXPECT_EQ(cut_to_width("abc", 2), "ab");
  EXPECT_EQ(cut_to_width("D\u00c6M", 2), "D\u00c6");
  EXPECT_EQ(cut_to_width("D\u00c6M", 1), "D");
}

}  // namespace
}  // namespace adb
