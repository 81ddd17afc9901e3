// The proof of the gate on trained runs: bugs that cost quality, time and memory are caught, and an
// unchanged build never fails. ADB_LONG=1 repeats the last fifty times while other programs come
// and go (`ctest -L slow`).
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "core/seed.h"
#include "metrics/keys.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::TempFolder;

ProgramResult adbench(const TempFolder& temp, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--plugin", ADB_FAULTY_METHOD});
  return testing::run_program(ADB_BIN "/adbench", arguments, temp.path());
}

// Trains once more, into a store of its own for each build.
ProgramResult run(const TempFolder& temp, const std::string& build, const std::string& fault) {
  return adbench(temp,
                 {"run",
                  "--methods",
                  "faulty",
                  "--categories",
                  "board",
                  "--protocol",
                  "smoke",
                  "--epochs",
                  "4",
                  "--fresh",
                  "--set",
                  "faulty.fault=" + fault,
                  "--store",
                  build + ".sqlite"});
}

void train(const TempFolder& temp, const std::string& build, const std::string& fault = "none") {
  const auto end = run(temp, build, fault);
  ASSERT_EQ(end.code, 0) << end.out << end.err;
}

void make_baseline(const TempFolder& temp, const std::string& build) {
  ASSERT_EQ(adbench(temp, {"baseline", "set", "main", "--store", build + ".sqlite"}).code, 0);
}

ProgramResult gate(const TempFolder& temp,
                   const std::string& build,
                   const std::vector<std::string>& more = {},
                   const std::string& baseline = "before") {
  std::vector<std::string> words = {"gate",
                                    "--baseline",
                                    "main",
                                    "--baseline-store",
                                    baseline + ".sqlite",
                                    "--store",
                                    build + ".sqlite"};
  words.insert(words.end(), more.begin(), more.end());
  return adbench(temp, words);
}

class Regression : public ::testing::Test {
 protected:
  // Five turns of a baseline, the same build again, and one that sleeps.
  static void SetUpTestSuite() {
    temp_ = new TempFolder;
    for (int turn = 0; turn < 5; ++turn) {
      train(*temp_, "before");
      train(*temp_, "same");
      train(*temp_, "sleep", "sleep");
    }
    make_baseline(*temp_, "before");
  }
  static void TearDownTestSuite() {
    delete temp_;
    temp_ = nullptr;
  }

  // Expects exit code 5, and that the cell is named with `regressed` as the only kind of figure
  // that got worse.
  static void expect_regressed(const std::string& build,
                               const std::string& metric,
                               const std::set<std::string>& kinds) {
    const auto text = gate(*temp_, build);
    EXPECT_EQ(text.code, 5) << text.out << text.err;
    EXPECT_THAT(text.out,
                HasSubstr("regressed: faulty on sample, multi, protocol smoke: " + metric + ": "));
    std::set<std::string> found;
    const auto json = Json::parse(gate(*temp_, build, {"--json"}).out);
    for (const auto& judgement : json.at("data").at("judgements")) {
      const auto key = judgement.at("metric").get<std::string>();
      if (judgement.at("verdict") == "regressed") {
        found.insert(find_metric(key) ? "quality" : key.ends_with("_bytes") ? "memory" : "time");
      }
    }
    EXPECT_EQ(found, kinds) << text.out;
  }

  static TempFolder* temp_;
};

TempFolder* Regression::temp_ = nullptr;

TEST_F(Regression, AnUnchangedBuildPasses) {
  const auto same = gate(*temp_, "same");
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, HasSubstr("no regression: 0 regressed"));
  EXPECT_THAT(same.out, HasSubstr("0 did not run"));
}

TEST_F(Regression, AWrongScheduleIsCaught) {
  train(*temp_, "schedule", "schedule");
  expect_regressed("schedule", "pixel.auroc", {"quality"});
}

TEST_F(Regression, ASleepInTheStepIsCaught) {
  expect_regressed("sleep", "train_s", {"time"});
}

TEST_F(Regression, ALeakIsCaught) {
  train(*temp_, "leak", "leak");
  expect_regressed("leak", "peak_memory_bytes", {"memory"});
}

TEST_F(Regression, ADivergedTrainingDidNotRun) {
  const auto end = run(*temp_, "diverge", "diverge");
  EXPECT_EQ(end.code, 4);
  EXPECT_THAT(end.out + end.err, HasSubstr("the loss became nan in epoch 1, step 1"));
  const auto text = gate(*temp_, "diverge");
  EXPECT_EQ(text.code, 4) << text.out;
  EXPECT_THAT(text.out, HasSubstr("did not run: faulty on sample"));
}

// Busy for a while, quiet for a while, as the neighbours of a hosted runner are.
class Neighbours {
 public:
  explicit Neighbours(int number) {
    for (int i = 0; i < number; ++i) {
      threads_.emplace_back([this, i] { work(i); });
    }
  }
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;
  ~Neighbours() { leaving_ = true; }

 private:
  void work(int index) const {
    using Clock = std::chrono::steady_clock;
    Stream random(0, "regression_test.neighbours", 0, index);
    while (!leaving_) {
      const auto until = Clock::now() + std::chrono::milliseconds(random.below(4000));
      while (Clock::now() < until && !leaving_) {
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random.below(4000)));
    }
  }

  std::atomic<bool> leaving_ = false;
  std::vector<std::jthread> threads_{};
};

TEST(RegressionLong, FiftyRepetitionsOfAnUnchangedBuildNeverFail) {
  if (std::getenv("ADB_LONG") == nullptr) {
    GTEST_SKIP() << "takes minutes: ctest -L slow";
  }
  const TempFolder temp;
  for (int run = 0; run < 5; ++run) {
    ASSERT_NO_FATAL_FAILURE(train(temp, "earlier"));  // on a quiet machine
  }
  make_baseline(temp, "earlier");
  const Neighbours neighbours(2);
  for (int repetition = 1; repetition <= 50; ++repetition) {
    SCOPED_TRACE(repetition);
    ASSERT_NO_FATAL_FAILURE(train(temp, "before"));
    ASSERT_NO_FATAL_FAILURE(train(temp, "same"));
    if (repetition == 1) {
      make_baseline(temp, "before");
    }
    for (const char* baseline : {"before", "earlier"}) {
      const auto end = gate(temp, "same", {}, baseline);
      EXPECT_EQ(end.code, 0) << "against '" << baseline << "': " << end.out << end.err;
    }
  }
  // The times were compared, not passed over.
  EXPECT_THAT(gate(temp, "same", {"--json"}).out, HasSubstr("50 and 50 turns"));
  EXPECT_THAT(gate(temp, "same", {"--json"}, "earlier").out, HasSubstr("5 and 50 samples"));
}

}  // namespace
}  // namespace adb
