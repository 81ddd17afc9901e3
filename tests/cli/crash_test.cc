// Kills, failing calls and full disks at any moment: afterwards the same command must reach the
// store of an undisturbed run, bit for bit. ADB_LONG=1 (`ctest -L slow`) runs at least 50 kills and
// fails every fsync and rename; of the writes, over a thousand, the first 30 and then one in an
// ever wider stretch. Faults come from tests/support/fault.cc, preloaded.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using testing::Program;
using testing::ProgramResult;
using testing::TempFolder;
using Clock = std::chrono::steady_clock;

const bool kLong = std::getenv("ADB_LONG") != nullptr;

ProgramResult adbench(const fs::path& folder,
                      const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {}) {
  return testing::run_program(ADB_BIN "/adbench", arguments, folder, environment);
}

class Crash : public ::testing::Test {
 protected:
  // One data set and one undisturbed store for all tests.
  static void SetUpTestSuite() {
    if (!fs::exists(ADB_BIN "/adbench-worker")) {
      return;
    }
    shared_ = new TempFolder;
    const auto made = adbench(shared_->path(),
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
                               "gear,wood"});
    ASSERT_EQ(made.code, 0) << made.err;
    const auto started = Clock::now();
    const auto whole = adbench(shared_->path(), command());
    ASSERT_EQ(whole.code, 0) << whole.err;
    duration_ = Clock::now() - started;
  }
  static void TearDownTestSuite() {
    delete shared_;
    shared_ = nullptr;
  }
  void SetUp() override {
    if (shared_ == nullptr) {
      GTEST_SKIP() << "needs adbench-worker, which this build has not";
    }
  }

  // A checkpoint after every epoch, maps kept; in the long version a second cell after the first.
  static std::vector<std::string> command() {
    return {"run",
            "--methods",
            kLong ? "vitad,null" : "vitad",
            "--protocol",
            "smoke",
            "--dataset",
            (shared_->path() / "parts").string(),
            "--epochs",
            "3",
            "--checkpoint-every",
            "0",
            "--save-maps",
            "all"};
  }

  // The same command, undisturbed, reaches the undisturbed store.
  static void expect_whole_after_restart(const fs::path& folder, const std::string& what) {
    const auto again = adbench(folder, command());
    ASSERT_EQ(again.code, 0) << what << "\n" << again.err;
    const auto diff = adbench(
        folder, {"store", "diff", (shared_->path() / "adbench.sqlite").string(), "adbench.sqlite"});
    EXPECT_EQ(diff.code, 0) << what << "\n" << diff.out << diff.err;
    const auto check = adbench(folder, {"store", "check"});
    EXPECT_EQ(check.code, 0) << what << "\n" << check.out << check.err;
    EXPECT_FALSE(fs::exists(folder / "adbench.sqlite-wal")) << what;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "adbench-runs")) {
      EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos)
          << what << ": left behind: " << entry.path();
    }
  }

  static TempFolder* shared_;
  static Clock::duration duration_;
};

TempFolder* Crash::shared_ = nullptr;
Clock::duration Crash::duration_{};

// The worker that a running adbench has a job with, -1 for none.
pid_t worker_of(pid_t parent) {
  std::ifstream children("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) +
                         "/children");
  pid_t child = -1;
  children >> child;
  std::ifstream command("/proc/" + std::to_string(child) + "/cmdline");
  std::string program, what;
  std::getline(command, program, '\0');
  std::getline(command, what, '\0');
  return what == "run" ? child : -1;
}

TEST_F(Crash, KillsAtRandomMomentsLoseNothing) {
  const int kills = kLong ? 50 : 6;
  std::mt19937 random(20260101);
  const auto up_to = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(n));
  };
  const auto whole_ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration_).count();
  int killed = 0, parents = 0, workers = 0;
  while (killed < kills) {
    const TempFolder temp;
    // Several kills in one store, so that what a resumed run writes is cut again.
    const int in_this_store = static_cast<int>(1 + up_to(4));
    for (int i = 0; i < in_this_store && killed < kills; ++i) {
      Program program(ADB_BIN "/adbench", command(), temp.path());
      const auto moment = std::chrono::milliseconds(up_to(whole_ms) + 1);
      std::this_thread::sleep_for(moment);
      const bool parent = up_to(2) == 0;
      const pid_t worker = worker_of(program.pid());
      if (parent) {
        program.signal(SIGKILL);
      } else if (worker > 0) {
        ::kill(worker, SIGKILL);
      }
      const auto end = program.finish();
      if (parent ? end.signal == SIGKILL : end.code == 4) {
        ++killed;
        ++(parent ? parents : workers);
      } else {
        // Too late, or between two workers: the run must have ended well by itself.
        EXPECT_EQ(end.code, 0) << end.err;
      }
      if (end.code == 4) {
        EXPECT_THAT(end.err, ::testing::HasSubstr("killed by signal 9"));
      }
    }
    expect_whole_after_restart(temp.path(), "seed 20260101, after kill " + std::to_string(killed));
    if (HasFailure()) {
      return;
    }
  }
  RecordProperty("parents", parents);
  RecordProperty("workers", workers);
  std::printf("%d kills of adbench, %d of adbench-worker\n", parents, workers);
}

struct FailingCall {
  const char* program;
  const char* call;
  int error;
};

class Faults : public Crash, public ::testing::WithParamInterface<FailingCall> {};

TEST_P(Faults, SurfaceAndLoseNothing) {
  const auto& fault = GetParam();
  const std::vector<int> some = {2, 7};  // in CI
  const bool many = std::string_view(fault.call) == "write";
  for (int k = 0, n = 0;; ++k) {
    if (kLong) {  // until a run had fewer
      n = many ? std::max(n + 1, n * 16 / 15) : n + 1;
    } else if (k < static_cast<int>(some.size())) {
      n = some[static_cast<std::size_t>(k)];
    } else {
      break;
    }
    const TempFolder temp;
    const auto mark = temp.path() / "fired";
    const auto spec = std::string(fault.program) + ":" + fault.call + ":" + std::to_string(n) +
                      ":" + std::to_string(fault.error);
    const auto struck = adbench(temp.path(),
                                command(),
                                {std::string("LD_PRELOAD=") + ADB_FAULT_LIBRARY,
                                 "ADB_FAULT=" + spec,
                                 "ADB_FAULT_MARK=" + mark.string()});
    if (!fs::exists(mark)) {
      EXPECT_EQ(struck.code, 0) << spec << "\n" << struck.err;
      EXPECT_GT(n, 1) << spec << ": never called";
      break;
    }
    // A fault that does no harm (a file that is only a convenience) may pass; else it is told.
    EXPECT_THAT(struck.code, AnyOf(0, 3, 4, 7)) << spec << "\n" << struck.err;
    if (struck.code != 0) {
      EXPECT_THAT(struck.err, ::testing::HasSubstr("adbench: ")) << spec;
      EXPECT_THAT(struck.err, ::testing::Not(::testing::HasSubstr("internal error"))) << spec;
    }
    expect_whole_after_restart(temp.path(), spec + ", exit " + std::to_string(struck.code));
    if (HasFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Calls,
                         Faults,
                         ::testing::Values(FailingCall{"adbench", "write", ENOSPC},
                                           FailingCall{"adbench", "fsync", EIO},
                                           FailingCall{"adbench-worker", "write", ENOSPC},
                                           FailingCall{"adbench-worker", "fsync", EIO},
                                           FailingCall{"adbench-worker", "rename", EIO}),
                         [](const auto& test) {
                           return std::string(test.param.program == std::string_view("adbench")
                                                  ? "adbench"
                                                  : "worker") +
                                  "_" + test.param.call;
                         });

// A file system of `kib` KiB at `folder`, in a mount namespace of this process.
bool mount_small(const fs::path& folder, int kib) {
  return ::mount("adbench-test",
                 folder.c_str(),
                 "tmpfs",
                 0,
                 ("size=" + std::to_string(kib) + "k").c_str()) == 0;
}

TEST_F(Crash, AFullDiskLosesNothing) {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    GTEST_SKIP() << "a small file system can only be mounted as root";
  }
  const std::vector<int> sizes =
      kLong ? std::vector<int>{64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 3072}
            : std::vector<int>{128, 512, 1024};
  int failed = 0;
  for (const int kib : sizes) {
    const TempFolder temp;
    const auto disk = temp.path() / "disk";
    fs::create_directory(disk);
    ASSERT_TRUE(mount_small(disk, kib));
    const auto what = std::to_string(kib) + " KiB";
    const auto full = adbench(disk, command());
    EXPECT_THAT(full.code, AnyOf(0, 3, 4, 7)) << what << "\n" << full.err;
    if (full.code != 0) {
      ++failed;
      EXPECT_THAT(full.err,
                  AnyOf(::testing::HasSubstr("No space left on device"),
                        ::testing::HasSubstr("disk is full")))
          << what;
    }
    ASSERT_EQ(::mount("adbench-test", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    expect_whole_after_restart(disk, what + ", exit " + std::to_string(full.code));
    ::umount2(disk.c_str(), MNT_DETACH);
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(failed, 0) << "no disk was small enough";
}

// Standard output on a full disk: the results are stored, and the exit code tells.
TEST_F(Crash, AnAnswerThatCannotBeWrittenIsTold) {
  const TempFolder temp;
  const auto told =
      testing::run_program("/bin/sh",
                           {"-c",
                            "exec '" ADB_BIN "/adbench' report --store \"$1\" > /dev/full",
                            "sh",
                            (shared_->path() / "adbench.sqlite").string()},
                           temp.path());
  EXPECT_EQ(told.code, 3) << told.err;
  EXPECT_THAT(told.err, ::testing::HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace adb
