// An array job on a real Slurm of one node (../shared/slurm/one-node.sh): cells as tasks, one of
// them killed and requeued, merged into the store of a local run. Skipped, saying so, where Slurm
// cannot be started. The script itself is tested everywhere.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/files.h"
#include "core/json.h"
#include "results/store.h"
#include "runners/schedule/submit.h"
#include "tests/support/expect_error.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramResult;
using testing::run_program;
using testing::TempFolder;

SlurmJob sample_job() {
  SlurmJob job;
  job.folder = "/data/my jobs";
  job.start_folder = "/home/me";
  job.run_command = {"/opt/adbench", "run", "--methods", "rd", "--dataset", "./it's mine"};
  job.cells = {"aaaa", "bbbb", "cccc"};
  job.array_limit = 2;
  job.options = {"--time=1:00:00"};
  return job;
}

TEST(SlurmScript, QuotesWhatTheShellWouldSplit) {
  EXPECT_EQ(shell_quote("--set"), "--set");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_quote(""), "''");
}

TEST(SlurmScript, HoldsEveryOptionAndTheCommand) {
  const auto script = fill_template(slurm_template(), "slurm", sample_job());
  EXPECT_THAT(script, HasSubstr("#!/bin/bash\n#SBATCH --job-name=adbench\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --array=0-2%2\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --requeue\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --signal=B:USR1@180\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --time=1:00:00\n"));
  EXPECT_THAT(script, HasSubstr("cd /home/me || exit 1\nfolder='/data/my jobs'\n"));
  EXPECT_THAT(script,
              HasSubstr("/opt/adbench run --methods rd --dataset './it'\\''s mine' --cell "));
  EXPECT_THAT(script, Not(HasSubstr("{{")));
}

TEST(SlurmScript, ATemplateIsCheckedByLine) {
  using testing::expect_error;
  expect_error(ErrorKind::kUsage, "--signal: expected SIGNAL@SECONDS", [] {
    auto job = sample_job();
    job.signal = "USR1; rm -rf /";
    fill_template(slurm_template(), "slurm", job);
  });
  expect_error(ErrorKind::kConfig, "mine.sh:2: unknown placeholder 'optons'; did you mean", [] {
    fill_template("#!/bin/sh\n{{optons}}\n{{command}}", "mine.sh", sample_job());
  });
  expect_error(ErrorKind::kConfig, "mine.sh: the placeholder {{command}} is missing", [] {
    fill_template("{{options}}\n", "mine.sh", sample_job());
  });
}

std::string output_of(const std::string& command, const TempFolder& temp) {
  const auto result = run_program("/bin/bash", {"-c", command}, temp.path());
  EXPECT_EQ(result.code, 0) << command << "\n" << result.out << result.err;
  return result.out;
}

// A node of its own for one test.
class Slurm : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* chosen = std::getenv("ADB_SLURM_NODE");
    node_ = chosen != nullptr ? chosen : ADB_SHARED "/slurm/one-node.sh";
    for (const char* program : {"/usr/sbin/slurmctld", "/usr/sbin/slurmd", "/usr/bin/sbatch"}) {
      if (::access(program, X_OK) != 0) {
        GTEST_SKIP() << program << " is missing: apt-get install slurm-wlm munge";
      }
    }
    if (::geteuid() != 0 || !fs::exists(node_)) {
      GTEST_SKIP() << "needs root and '" << node_ << "'";
    }
    if (!fs::exists(ADB_BIN "/adbench-worker")) {
      GTEST_SKIP() << "needs adbench-worker, which this build has not";
    }
    const auto started = run_program("/bin/bash", {node_, "start", slurm().string()}, temp_.path());
    started_ = started.code == 0;
    if (!started_) {
      GTEST_SKIP() << "Slurm did not start: " << started.err;
    }
  }
  void TearDown() override {
    if (started_) {
      run_program("/bin/bash", {node_, "stop", slurm().string()}, temp_.path());
    }
  }

  fs::path slurm() const { return temp_.path() / "slurm"; }
  std::string with_slurm(const std::string& command) const {
    return "export SLURM_CONF=" + (slurm() / "slurm.conf").string() + "; " + command;
  }
  ProgramResult adbench(const fs::path& folder, const std::vector<std::string>& arguments) const {
    return run_program(ADB_BIN "/adbench",
                       arguments,
                       folder,
                       {"SLURM_CONF=" + (slurm() / "slurm.conf").string(), "OMP_NUM_THREADS=1"});
  }

  TempFolder temp_;
  std::string node_;
  bool started_ = false;
};

bool within(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

TEST_F(Slurm, AnArrayWithAKilledTaskMergesIntoTheLocalLeaderboard) {
  const auto local = temp_.path() / "local", cluster = temp_.path() / "cluster";
  fs::create_directories(local);
  fs::create_directories(cluster);
  const auto parts = (temp_.path() / "parts").string();
  ASSERT_EQ(adbench(temp_.path(),
                    {"data",
                     "synth",
                     "parts",
                     "--size",
                     "64",
                     "--train",
                     "4",
                     "--test-good",
                     "1",
                     "--test-defective",
                     "2",
                     "--categories",
                     "gear,wood"})
                .code,
            0);
  const std::vector<std::string> selection = {"--methods",
                                              "null,vitad",
                                              "--dataset",
                                              parts,
                                              "--protocol",
                                              "smoke",
                                              "--seeds",
                                              "0..1",
                                              "-S",
                                              "vitad.epochs=60",
                                              "--checkpoint-every",
                                              "0"};
  auto words = selection;
  words.insert(words.begin(), "run");
  const auto run = adbench(local, words);
  ASSERT_EQ(run.code, 0) << run.err;

  words = selection;
  words.insert(words.begin(), {"submit", "slurm"});
  words.insert(words.end(), {"--array-limit", "2", "--time", "10", "--go", "--json"});
  const auto submitted = adbench(cluster, words);
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  const auto answer = Json::parse(submitted.out).at("data");
  const auto job = answer.at("job").get<std::string>();
  ASSERT_EQ(answer.at("cells").size(), 4U);

  // Kill one task of ViTAD in the middle: Slurm stops it and puts it back into the queue.
  const fs::path folder = answer.at("folder").get<std::string>();
  int task = -1;
  ASSERT_TRUE(within(std::chrono::seconds(120), [&] {
    for (int i = 0; i < 4; ++i) {
      const auto store =
          cell_store(folder, answer.at("cells").at(static_cast<std::size_t>(i)).get<std::string>());
      try {
        const auto opened = Store::open_for_read(store);
        for (const auto& row : opened.find_runs()) {
          if (row.method == "vitad" && row.status == RunStatus::kRunning &&
              !opened.curves(row.id).empty()) {
            task = i;
            return true;
          }
        }
      } catch (const Error&) {
        // not there yet
      }
    }
    return false;
  })) << output_of(with_slurm("squeue; cat " + (folder / "log").string() + "/*"), temp_);
  const auto name = job + "_" + std::to_string(task);
  output_of(with_slurm("scontrol requeue " + name), temp_);
  // Slurm lets a requeued job wait for two minutes; the test does not.
  EXPECT_TRUE(within(std::chrono::seconds(180), [&] {
    output_of(with_slurm("scontrol update JobId=" + name + " StartTime=now || true"), temp_);
    return output_of(with_slurm("squeue -h -j " + job + " || true"), temp_).empty();
  })) << output_of(with_slurm("squeue; scontrol show job " + job), temp_);
  EXPECT_THAT(output_of("cat " + (folder / "log").string() + "/*", temp_), HasSubstr("restart 1"));

  const auto merge = answer.at("merge").get<std::string>();
  const auto merged = run_program("/bin/bash", {"-c", "PATH=" ADB_BIN ":$PATH; " + merge}, cluster);
  EXPECT_EQ(merged.code, 0) << merged.err;
  EXPECT_THAT(merged.out, HasSubstr("4 runs added"));
  const auto again = run_program("/bin/bash", {"-c", "PATH=" ADB_BIN ":$PATH; " + merge}, cluster);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("0 runs added, 4 already there"));
  const auto diff =
      adbench(cluster, {"store", "diff", (local / "adbench.sqlite").string(), "adbench.sqlite"});
  EXPECT_EQ(diff.code, 0) << diff.out << diff.err;
  EXPECT_EQ(adbench(cluster, {"store", "check"}).code, 0) << "files must be found after the merge";
}

}  // namespace
}  // namespace adb
