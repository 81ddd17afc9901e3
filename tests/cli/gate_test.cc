// baseline, gate and compare as a user meets them: exit codes, files, wrong input.
#include <algorithm>
#include <set>
#include <string>

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"
#include "tests/tracking/runs.h"

namespace adb {
namespace {

using testing::add_run;
using testing::constant;
using ::testing::HasSubstr;
using testing::Program;
using testing::ProgramResult;
using testing::run_of;
using testing::run_program;
using ::testing::StartsWith;
using testing::TempFolder;

ProgramResult adbench(const TempFolder& temp, const std::vector<std::string>& arguments) {
  return run_program(ADB_BIN "/adbench", arguments, temp.path());
}

Environment commit(const std::string& name) {
  auto environment = testing::sample_environment();
  environment.code_commit = name;
  return environment;
}

// Adds a run of `rd` on eight classes with all figures alike.
void add(const TempFolder& temp,
         double figure,
         const std::string& code,
         const std::string& file = "adbench.sqlite") {
  auto store = Store::open_for_write(temp.path() / file);
  add_run(store, run_of("rd", 0, 8), constant(figure), commit(code));
  store.close();
}

// A store with a baseline `main` at 0.9 and a newer run.
void fill(const TempFolder& temp, double figure) {
  add(temp, 0.9, "abc");
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 0);
  add(temp, figure, "def");
}

const std::vector<std::string> kGate = {"gate", "--baseline", "main"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// --- baseline

TEST(Baseline, SetListShowAndRemove) {
  const TempFolder temp;
  fill(temp, 0.8);
  EXPECT_THAT(adbench(temp, {"baseline", "list"}).out, StartsWith("main  "));
  const auto shown = adbench(temp, {"baseline", "show", "main"});
  EXPECT_THAT(shown.out, HasSubstr("run 1: rd on sample, multi, protocol smoke, seed 0, code abc"));

  // Set again, it takes the newest run.
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 0);
  const auto json =
      Json::parse(adbench(temp, {"baseline", "show", "main", "--json"}).out).at("data");
  ASSERT_EQ(json.at("runs").size(), 1);
  EXPECT_EQ(json.at("runs")[0].at("run"), 2);

  EXPECT_EQ(adbench(temp, {"baseline", "rm", "main"}).code, 0);
  EXPECT_EQ(Json::parse(adbench(temp, {"baseline", "list", "--json"}).out).at("data").size(), 0);
  EXPECT_EQ(Store::open_for_read(temp.path() / "adbench.sqlite").find_runs().size(), 2)
      << "runs stay";
}

TEST(Baseline, MistakesAreNamed) {
  const TempFolder temp;
  EXPECT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 7);
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "adbench.sqlite"));
  add(temp, 0.9, "abc");
  const auto nothing = adbench(temp, {"baseline", "set", "main", "--methods", "vitad"});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("no finished run"));
  EXPECT_EQ(adbench(temp, {"baseline", "set", "a b"}).code, 2);
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 0);
  const auto unknown = adbench(temp, {"baseline", "rm", "mainn"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("unknown baseline 'mainn'; did you mean 'main'?"));
  EXPECT_EQ(adbench(temp, {"baseline"}).code, 2);
}

// --- exit codes

TEST(Gate, PassesFailsAndCannotTell) {
  const TempFolder better, worse, unsure;
  fill(better, 0.95);
  EXPECT_EQ(adbench(better, kGate).code, 0);
  fill(worse, 0.85);
  const auto regressed = adbench(worse, kGate);
  EXPECT_EQ(regressed.code, 5);
  EXPECT_THAT(regressed.out,
              HasSubstr("regressed: rd on sample, multi, protocol smoke: mad: "
                        "90.00 -> 85.00 (-5.00"));
  EXPECT_EQ(regressed.err, "");

  add(unsure, 0.9, "abc");
  ASSERT_EQ(adbench(unsure, {"baseline", "set", "main"}).code, 0);
  auto run = run_of("rd", 0, 8);
  run.device = "cuda:0";
  auto store = Store::open_for_write(unsure.path() / "adbench.sqlite");
  add_run(store, run, constant(0.5), commit("def"));
  store.close();
  EXPECT_EQ(adbench(unsure, kGate).code, 0) << "printed, but no failure without rules";
  unsure.write("gate.yaml", "fail_on: [cannot_tell]\n");
  EXPECT_EQ(adbench(unsure, kGate + std::vector<std::string>{"--rules", "gate.yaml"}).code, 6);
}

// A pipe whose reader is gone from the start.
TEST(Gate, AReaderThatWentAwayDoesNotHideTheVerdict) {
  const TempFolder temp;
  fill(temp, 0.85);
  const auto into_nothing = [&](const std::string& streams, const std::string& words) {
    return run_program(
        "/bin/sh",
        {"-c",
         "rm -f pipe && mkfifo pipe && exec 3<>pipe 4>pipe 3<&- && exec '" ADB_BIN "/adbench' " +
             words + " " + streams},
        temp.path());
  };
  const auto json = into_nothing(">&4", "gate --baseline main --json");
  EXPECT_EQ(json.code, 5) << json.err << json.signal;
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(into_nothing(">&4 2>&4", "gate --baseline main --store absent.sqlite").code, 7);
  EXPECT_EQ(into_nothing(">&4 2>&4", "report --format json").code, 0);
}

TEST(Gate, UnknownBaselineEmptyStoreAndEmptySelectionAreSix) {
  const TempFolder temp;
  fill(temp, 0.5);
  const auto unknown = adbench(temp, {"gate", "--baseline", "mainn"});
  EXPECT_EQ(unknown.code, 6);
  EXPECT_THAT(unknown.out, HasSubstr("did you mean 'main'?"));
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--dataset", "visa"}).code, 6);
  Store::open_for_write(temp.path() / "empty.sqlite").close();
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--store", "empty.sqlite"}).code, 6);
}

TEST(Gate, ASecondStoreMayHoldTheBaseline) {
  const TempFolder temp;
  fill(temp, 0.9);
  add(temp, 0.8, "def", "pr.sqlite");
  const auto report = adbench(
      temp,
      {"gate", "--baseline", "main", "--store", "pr.sqlite", "--baseline-store", "adbench.sqlite"});
  EXPECT_EQ(report.code, 5) << report.out << report.err;
  Store::open_for_write(temp.path() / "empty.sqlite").close();
  const auto nothing = adbench(temp,
                               {"gate",
                                "--baseline",
                                "main",
                                "--store",
                                "empty.sqlite",
                                "--baseline-store",
                                "adbench.sqlite"});
  EXPECT_EQ(nothing.code, 4);
  EXPECT_THAT(nothing.out, HasSubstr("did not run"));
}

TEST(Gate, ARunThatWasKilledDidNotRun) {
  const TempFolder temp;
  fill(temp, 0.9);
  auto store = Store::open_for_write(temp.path() / "adbench.sqlite");
  store.begin_run(run_of("rd", 0, 8), commit("def"));
  store.close();  // as a killed process leaves it
  const auto report = adbench(temp, kGate);
  EXPECT_EQ(report.code, 4);
  EXPECT_THAT(report.out, HasSubstr("did not run: rd on sample"));
}

TEST(Gate, AbsentDamagedAndNewerStoresAreSeven) {
  const TempFolder temp;
  EXPECT_EQ(adbench(temp, kGate).code, 7);
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "adbench.sqlite"));
  fill(temp, 0.9);
  {
    SQLite::Database database((temp.path() / "adbench.sqlite").string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 9999");
  }
  const auto newer = adbench(temp, kGate);
  EXPECT_EQ(newer.code, 7);
  EXPECT_THAT(newer.err, HasSubstr("9999"));
  EXPECT_EQ(newer.out, "");
  temp.write("text.sqlite", "not a store");
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--store", "text.sqlite"}).code, 7);
}

TEST(Gate, ABaselineFromAnotherMachineNeverFailsByTimesOrMemory) {
  const TempFolder temp;
  const auto add_costs = [&](const char* code, const char* host, const char* cpu, double factor) {
    auto environment = commit(code);
    environment.host = host;
    environment.cpu = cpu;
    auto store = Store::open_for_write(temp.path() / "adbench.sqlite");
    add_run(store,
            run_of("rd", 0, 8),
            constant(0.9),
            environment,
            {{.key = "train_s", .value = 10 * factor, .unit = "s"},
             {.key = "peak_memory_bytes", .value = 5e8 * factor, .unit = "B"}});
    store.close();
  };
  add_costs("abc", "bench", "four cores", 1);
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 0);
  add_costs("def", "runner-7", "two cores", 9);
  const auto report = adbench(temp, kGate);
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("0 regressed, 8 not regressed, 2 cannot tell"));
  EXPECT_THAT(report.out, HasSubstr("other machine: bench: four cores"));
  temp.write("gate.yaml", "fail_on: [cannot_tell]\n");
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--rules", "gate.yaml"}).code, 6);
  // Of other processors a single seed cannot tell of quality either, once a figure differs.
  auto elsewhere = commit("ghi");
  elsewhere.cpu = "two cores";
  auto store = Store::open_for_write(temp.path() / "adbench.sqlite");
  add_run(store, run_of("rd", 0, 8), constant(0.5), elsewhere);
  store.close();
  const auto quality = adbench(temp, kGate);
  EXPECT_EQ(quality.code, 0);
  EXPECT_THAT(quality.out, HasSubstr("0 regressed, 0 not regressed"));
}

TEST(Gate, TheStoreOfTheBaselineIsCheckedAsWell) {
  const TempFolder temp;
  fill(temp, 0.9);
  const auto gate = [&](const std::string& baseline_store) {
    return adbench(temp, kGate + std::vector<std::string>{"--baseline-store", baseline_store});
  };
  EXPECT_EQ(gate("none.sqlite").code, 7);
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "none.sqlite"));
  temp.write("text.sqlite", "not a store");
  EXPECT_EQ(gate("text.sqlite").code, 7);
  Store::open_for_write(temp.path() / "empty.sqlite").close();
  EXPECT_EQ(gate("empty.sqlite").code, 6) << "no baseline";
  {
    SQLite::Database database((temp.path() / "empty.sqlite").string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 9999");
  }
  const auto newer = gate("empty.sqlite");
  EXPECT_EQ(newer.code, 7);
  EXPECT_THAT(newer.err, HasSubstr("empty.sqlite"));
  EXPECT_THAT(newer.err, HasSubstr("9999"));
}

TEST(Gate, RulesAndFlagsAreChecked) {
  const TempFolder temp;
  fill(temp, 0.9);
  EXPECT_EQ(adbench(temp, {"gate"}).code, 2);
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--rules", "none.yaml"}).code, 2);
  temp.write("gate.yaml", "alpha: 0.01\nfail: []\n");
  const auto refused = adbench(temp, kGate + std::vector<std::string>{"--rules", "gate.yaml"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("gate.yaml:2:7: unknown key in the rules 'fail'"));
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--json", "--github"}).code, 2);
  temp.write("gate.yaml", "rules: [{method: rdd, level: warn}]\n");
  EXPECT_THAT(adbench(temp, kGate + std::vector<std::string>{"--rules", "gate.yaml"}).out,
              HasSubstr("gate.yaml:1:9: this rule matches nothing"));
}

// --- files

TEST(Gate, WritesEveryFormatAndTheSameBytesAgain) {
  const TempFolder temp;
  fill(temp, 0.8);
  const auto flags = std::vector<std::string>{"--junit",
                                              "junit.xml",
                                              "--gitlab",
                                              "gitlab.json",
                                              "--markdown",
                                              "comment.md",
                                              "--badge",
                                              "badge.svg"};
  std::vector<std::string> first;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(adbench(temp, kGate + flags).code, 5);
    std::vector<std::string> texts;
    for (const char* file : {"junit.xml", "gitlab.json", "comment.md", "badge.svg"}) {
      texts.push_back(read_text(temp.path() / file, ErrorKind::kData));
      EXPECT_THAT(texts.back(), HasSubstr("regressed")) << file;
    }
    EXPECT_TRUE(first.empty() || first == texts);
    first = texts;
  }
  // An unwritable place is said, not passed over.
  EXPECT_EQ(adbench(temp, kGate + std::vector<std::string>{"--junit", "no/such/junit.xml"}).code,
            3);
}

TEST(Gate, GitHubGetsAnnotationsAndASummary) {
  const TempFolder temp;
  fill(temp, 0.8);
  temp.write("summary.md", "before\n");
  const auto result = run_program("/usr/bin/env",
                                  {"GITHUB_STEP_SUMMARY=summary.md",
                                   ADB_BIN "/adbench",
                                   "gate",
                                   "--baseline",
                                   "main",
                                   "--github"},
                                  temp.path());
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(result.out,
              HasSubstr("\n::error title=rd on sample%2C multi%2C protocol smoke%3A "
                        "image.auroc::regressed: 90.00 -> 80.00"));
  const auto summary = read_text(temp.path() / "summary.md", ErrorKind::kData);
  EXPECT_THAT(summary, StartsWith("before\n<!-- adbench gate main -->"));
  // A summary that is nearly full is left alone: GitHub would drop all of it.
  temp.write("summary.md", std::string(900'000, 'x'));
  run_program("/usr/bin/env",
              {"GITHUB_STEP_SUMMARY=summary.md",
               ADB_BIN "/adbench",
               "gate",
               "--baseline",
               "main",
               "--github"},
              temp.path());
  EXPECT_EQ(std::filesystem::file_size(temp.path() / "summary.md"), 900'000);
}

TEST(Gate, JsonIsOneObject) {
  const TempFolder temp;
  fill(temp, 0.8);
  const auto json = Json::parse(adbench(temp, kGate + std::vector<std::string>{"--json"}).out);
  EXPECT_EQ(json.at("schema"), "adbench.gate.1");
  EXPECT_EQ(json.at("data").at("exit_code"), 5);
  EXPECT_EQ(json.at("data").at("counts").at("regressed"), 8);
  const auto problem = Json::parse(adbench(temp, {"gate", "--baseline", "x", "--json"}).out);
  EXPECT_EQ(problem.at("errors").size(), 1);
}

// --- compare

TEST(Compare, StoresRunsAndBaselines) {
  const TempFolder temp;
  fill(temp, 0.85);
  add(temp, 0.9, "ghi", "other.sqlite");
  const auto worse = adbench(temp, {"compare", "main", "2"});
  EXPECT_EQ(worse.code, 5) << worse.out << worse.err;
  EXPECT_THAT(worse.out, HasSubstr("-5.00"));
  EXPECT_THAT(worse.out, HasSubstr("worse"));
  EXPECT_EQ(adbench(temp, {"compare", "2", "1"}).code, 0) << "better";
  EXPECT_EQ(adbench(temp, {"compare", "main", "other.sqlite"}).code, 0) << "equal";
  EXPECT_EQ(adbench(temp, {"compare", "other.sqlite", "adbench.sqlite"}).code, 5);
  const auto json =
      Json::parse(adbench(temp, {"compare", "1", "2", "--metric", "pixel.ap", "--json"}).out);
  ASSERT_EQ(json.at("data").at("differences").size(), 9) << "the whole and eight classes";
  EXPECT_EQ(json.at("data").at("differences")[0].at("word"), "worse");
  EXPECT_NEAR(json.at("data").at("differences")[0].at("difference").get<double>(), -0.05, 1e-12);
}

TEST(Compare, MethodsOfOneStore) {
  const TempFolder temp;
  auto store = Store::open_for_write(temp.path() / "adbench.sqlite");
  for (const int seed : {0, 1, 2}) {
    add_run(store, run_of("rd", seed, 8), constant(0.9), commit("abc"));
    add_run(store, run_of("vitad", seed, 8), constant(0.8), commit("abc"));
  }
  store.close();
  const auto worse = adbench(temp, {"compare", "rd", "vitad"});
  EXPECT_EQ(worse.code, 5) << worse.out << worse.err;
  EXPECT_THAT(worse.out, HasSubstr("-10.00"));
  EXPECT_EQ(adbench(temp, {"compare", "vitad", "rd"}).code, 0);
  const auto absent = adbench(temp, {"compare", "rd", "uniad"});
  EXPECT_EQ(absent.code, 2);
  EXPECT_THAT(absent.err, HasSubstr("no finished run of a method of that name"));
}

TEST(Compare, MistakesAreNamed) {
  const TempFolder temp;
  fill(temp, 0.85);
  EXPECT_EQ(adbench(temp, {"compare", "main"}).code, 2);
  EXPECT_EQ(adbench(temp, {"compare", "main", "none"}).code, 2);
  EXPECT_EQ(adbench(temp, {"compare", "main", "none.sqlite"}).code, 7);
  EXPECT_EQ(adbench(temp, {"compare", "main", "99"}).code, 7);
  EXPECT_EQ(adbench(temp, {"compare", "1", "2", "--metric", "auroc"}).code, 2);
  EXPECT_EQ(adbench(temp, {"compare", "1", "2", "--dataset", "visa"}).code, 6);
}

// --- real runs: the null method in seconds

class RealGate : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(ADB_BIN "/adbench-worker")) {
      GTEST_SKIP() << "built without LibTorch";
    }
  }
};

TEST_F(RealGate, AnUnchangedBuildPassesAndAKilledRunDidNotRun) {
  const TempFolder temp;
  const std::vector<std::string> run = {"run", "--methods", "null", "--protocol", "smoke"};
  ASSERT_EQ(adbench(temp, run).code, 0);
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main"}).code, 0);
  for (int repetition = 0; repetition < 2; ++repetition) {
    ASSERT_EQ(adbench(temp, run + std::vector<std::string>{"--fresh"}).code, 0);
    const auto same = adbench(temp, kGate);
    EXPECT_EQ(same.code, 0) << same.out;
    EXPECT_THAT(same.out, HasSubstr("0 regressed"));
  }
  Program program(
      ADB_BIN "/adbench", run + std::vector<std::string>{"--fresh", "--json"}, temp.path());
  ASSERT_TRUE(program.wait_for_output("\"event\":\"started\"")) << program.finish().err;
  program.signal(SIGKILL);
  program.finish();
  const auto killed = adbench(temp, kGate);
  EXPECT_EQ(killed.code, 4) << killed.out;
  EXPECT_THAT(killed.out, HasSubstr("did not run: null on sample"));
}

}  // namespace
}  // namespace adb
