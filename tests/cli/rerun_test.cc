// `adbench rerun` and `adbench show`, on runs of a fake worker.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/fake_setup.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Rerun : public testing::FakeWorker {};

TEST_F(Rerun, SaysEqualAndLeavesTheFirstRunAlone) {
  ASSERT_EQ(run("ok", {"-S", "image_size=80", "--seeds", "7", "--categories", "b"}).code, 0);
  const auto first = only_run("ok");
  const auto again = adbench({"rerun", "1", "--json"});
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  const auto answer = Json::parse(again.out).at("data");
  EXPECT_EQ(answer.at("equal"), true);
  EXPECT_EQ(answer.at("run"), 1);
  EXPECT_EQ(answer.at("again"), 2);
  const auto runs = store().find_runs();
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].finished_at, first.finished_at);
  EXPECT_EQ(runs[1].attempt, 2);
  EXPECT_EQ(runs[1].key, first.key);
  EXPECT_EQ(runs[1].seed, 7);
  EXPECT_EQ(runs[1].threads, first.threads);
  EXPECT_EQ(runs[1].options, first.options);
  EXPECT_THAT(adbench({"rerun", first.key.substr(0, 8)}).out,
              HasSubstr("repeated as run 3: equal"));
}

TEST_F(Rerun, SaysWhereItFirstDiffers) {
  ASSERT_EQ(run("wavering").code, 0);
  const auto again = adbench({"rerun", "1"});
  EXPECT_EQ(again.code, 5) << again.err;
  EXPECT_THAT(again.out, HasSubstr("different: cell"));
  EXPECT_THAT(again.out, HasSubstr("curve 'loss' of epoch 1: 0.5625 against 0.625"));
}

TEST_F(Rerun, DataThatChangedOrWentAreNamed) {
  ASSERT_EQ(run("ok").code, 0);
  std::ofstream(temp_.path() / "parts/a/train/good/0.png") << "another image";
  const auto changed = adbench({"rerun", "1"});
  EXPECT_EQ(changed.code, 3);
  EXPECT_THAT(changed.err, HasSubstr("is not what it was"));
  fs::rename(temp_.path() / "parts", temp_.path() / "moved");
  const auto gone = adbench({"rerun", "1"});
  EXPECT_EQ(gone.code, 3);
  EXPECT_THAT(gone.err, HasSubstr("no longer at"));
  std::ofstream(temp_.path() / "moved/a/train/good/0.png") << "fake a";
  EXPECT_EQ(adbench({"rerun", "1", "--dataset", "./moved"}).code, 0) << "the bytes count";
  EXPECT_EQ(store().find_runs().size(), 2U) << "a refused rerun starts nothing";
}

TEST_F(Rerun, OnlyFinishedRunsCanBeRepeated) {
  ASSERT_EQ(run("crash").code, 4);
  const auto refused = adbench({"rerun", "1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("run 1 did not finish (killed)"));
  const auto unknown = adbench({"rerun", "9"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("has no run '9'"));
  const auto absent = adbench({"rerun", "1", "--store", "none.sqlite"});
  EXPECT_EQ(absent.code, 7);
  EXPECT_FALSE(fs::exists(temp_.path() / "none.sqlite"));
}

TEST_F(Rerun, ShowTellsEverythingAboutARun) {
  ASSERT_EQ(run("ok,crash", {"-S", "image_size=80"}).code, 4);
  const auto text = adbench({"show", "1"});
  ASSERT_EQ(text.code, 0) << text.err;
  for (const char* part : {"ok on parts, multi, seed 42",
                           "finished",
                           "image_size",
                           "--set (recipe: 64)",
                           "default",
                           "loss",
                           "pixel.aupro",
                           "train_s",
                           "fake worker: ok"}) {
    EXPECT_THAT(text.out, HasSubstr(part));
  }
  const auto failed = adbench({"show", "2"});
  EXPECT_THAT(failed.out, HasSubstr("killed by signal 6"));
  EXPECT_THAT(failed.out, HasSubstr("fake worker: crash"));

  const auto json = Json::parse(adbench({"show", "1", "--json"}).out);
  EXPECT_EQ(json.at("schema"), "adbench.run.1");
  const auto& data = json.at("data");
  EXPECT_EQ(data.at("run").at("status"), "finished");
  EXPECT_EQ(data.at("run").at("options").at("image_size"), 80);
  EXPECT_EQ(data.at("run").at("changed_options").at(0).at("origin"), "--set");
  EXPECT_EQ(data.at("curves").at("loss").at("value"), 0.5);
  EXPECT_EQ(data.at("environment").at("libraries").at("libtorch"), "none");
  EXPECT_EQ(data.at("log_tail").at(0), "fake worker: ok");

  const auto list = adbench({"show"});
  EXPECT_THAT(list.out, HasSubstr("crash"));
  EXPECT_EQ(Json::parse(adbench({"show", "--json"}).out).at("data").size(), 2U);
  EXPECT_EQ(adbench({"show", "abcd"}).code, 2);
}

}  // namespace
}  // namespace adb
