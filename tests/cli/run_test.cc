// The programs as a user meets them: runs, resumes, reports and every kind of wrong input.
#include <algorithm>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "core/files.h"
#include "core/json.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::Program;
using testing::ProgramResult;
using testing::TempFolder;

// adbench with a store of its own.
ProgramResult adbench(const TempFolder& temp, std::vector<std::string> arguments) {
  return testing::run_program(ADB_BIN "/adbench", std::move(arguments), temp.path());
}

const std::vector<std::string> kSmoke = {"run", "--methods", "vitad", "--protocol", "smoke"};

std::vector<std::string> operator+(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Run, StoresAndReportsAndSkipsTheSecondTime) {
  const TempFolder temp;
  const auto first = adbench(temp, {"run", "--methods", "null", "--protocol", "smoke"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("1 finished, 0 finished before"));
  EXPECT_THAT(first.out, HasSubstr("adbench.sqlite"));
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "adbench.sqlite-wal"))
      << "the store must be one file";

  const auto second = adbench(temp, {"run", "--methods", "null", "--protocol", "smoke"});
  EXPECT_EQ(second.code, 0);
  EXPECT_THAT(second.out, HasSubstr("0 finished, 1 finished before"));

  const auto report = adbench(temp, {"report", "--json"});
  ASSERT_EQ(report.code, 0) << report.err;
  const auto json = Json::parse(report.out);
  EXPECT_TRUE(json.contains("schema"));
  EXPECT_TRUE(json.at("errors").empty());
  for (const char* format : {"markdown", "csv", "latex", "terminal", "html"}) {
    const auto shown = adbench(temp, {"report", "--format", format});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("Null"));
    EXPECT_THAT(shown.out, HasSubstr("36.0")) << "mAD of a constant map on the sample data";
  }
  EXPECT_EQ(adbench(temp, {"store", "check"}).code, 0);
}

TEST(Run, ResumesBitwiseAfterAStop) {
  const TempFolder whole, stopped;
  const auto command = kSmoke + std::vector<std::string>{"--epochs", "6"};
  ASSERT_EQ(adbench(whole, command).code, 0);

  // Stop it in the middle: after the first line that tells of an epoch.
  Program program(ADB_BIN "/adbench", command + std::vector<std::string>{"--json"}, stopped.path());
  ASSERT_TRUE(program.wait_for_output("\"event\":\"epoch\"")) << program.finish().err;
  program.signal(SIGINT);
  const auto end = program.finish();
  ASSERT_EQ(end.code, 75) << end.err;

  const auto again = adbench(stopped, command);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("goes on after epoch"));
  const auto diff = adbench(stopped,
                            {"store",
                             "diff",
                             (whole.path() / "adbench.sqlite").string(),
                             (stopped.path() / "adbench.sqlite").string()});
  EXPECT_EQ(diff.code, 0) << diff.out << diff.err;
}

TEST(Run, ResumesBitwiseAfterSigkillOfTheWholeGroup) {
  const TempFolder whole, killed;
  const auto command =
      kSmoke + std::vector<std::string>{"--epochs", "6", "--checkpoint-every", "0"};
  ASSERT_EQ(adbench(whole, command).code, 0);
  for (const char* moment :
       {"\"event\":\"started\"", "\"event\":\"checkpoint\"", "\"event\":\"evaluation\""}) {
    Program program(
        ADB_BIN "/adbench", command + std::vector<std::string>{"--json"}, killed.path());
    ASSERT_TRUE(program.wait_for_output(moment)) << program.finish().err;
    program.signal(SIGKILL);
    EXPECT_EQ(program.finish().signal, SIGKILL);
  }
  const auto again = adbench(killed, command);
  ASSERT_EQ(again.code, 0) << again.err;
  const auto diff = adbench(killed,
                            {"store",
                             "diff",
                             (whole.path() / "adbench.sqlite").string(),
                             (killed.path() / "adbench.sqlite").string()});
  EXPECT_EQ(diff.code, 0) << diff.out << diff.err;
}

TEST(Run, FeatureCacheChangesNoBit) {
  const TempFolder off, memory, disk;
  for (const auto& [temp, mode] :
       {std::pair(&off, "off"), std::pair(&memory, "memory"), std::pair(&disk, "disk")}) {
    const auto done = adbench(*temp, kSmoke + std::vector<std::string>{"--feature-cache", mode});
    ASSERT_EQ(done.code, 0) << done.err;
  }
  for (const auto* other : {&memory, &disk}) {
    const auto diff = adbench(off,
                              {"store",
                               "diff",
                               (off.path() / "adbench.sqlite").string(),
                               (other->path() / "adbench.sqlite").string()});
    EXPECT_EQ(diff.code, 0) << diff.out;
  }
}

TEST(Run, TestImagesAreChangedOnlyWhenAsked) {
  const TempFolder plain, changed, again, full_size;
  for (const auto& [temp, tests, resized] : {std::tuple(&plain, "false", "true"),
                                             std::tuple(&changed, "true", "true"),
                                             std::tuple(&again, "true", "true"),
                                             std::tuple(&full_size, "true", "false")}) {
    const auto done =
        adbench(*temp,
                kSmoke + std::vector<std::string>{"--epochs",
                                                  "1",
                                                  "-S",
                                                  "augment=cc_cj",
                                                  "-S",
                                                  std::string("augment_tests=") + tests,
                                                  "-S",
                                                  std::string("augment_resized=") + resized});
    ASSERT_EQ(done.code, 0) << done.err;
  }
  const auto diff = [&](const TempFolder& other) {
    return adbench(changed,
                   {"store",
                    "diff",
                    (changed.path() / "adbench.sqlite").string(),
                    (other.path() / "adbench.sqlite").string()});
  };
  EXPECT_EQ(diff(again).code, 0) << "every draw comes from a named stream";
  EXPECT_EQ(diff(plain).code, 5);
  EXPECT_EQ(diff(full_size).code, 5) << "crops of images of their own size are other images";
}

// Of the worker, whose memory must not grow with the length of the training.
TEST(Run, PeakMemoryIsFlatOverEpochs) {
  const TempFolder temp;
  for (const char* epochs : {"1", "12"}) {
    const auto done = adbench(temp, kSmoke + std::vector<std::string>{"--epochs", epochs});
    ASSERT_EQ(done.code, 0) << done.err;
  }
  const auto report = Json::parse(adbench(temp, {"report", "--json"}).out);
  std::vector<double> peaks;
  for (const auto& row : report.at("data").at("efficiency").at("rows")) {
    peaks.push_back(row.at("figures").at("peak_memory_bytes").at("value").get<double>());
  }
  ASSERT_EQ(peaks.size(), 2U);
  EXPECT_LT(std::max(peaks[0], peaks[1]), 1.05 * std::min(peaks[0], peaks[1]));
}

TEST(Run, SeedsAndSinglesAreCellsOfTheirOwn) {
  const TempFolder temp;
  const auto done = adbench(temp,
                            {"run",
                             "--methods",
                             "null",
                             "--protocol",
                             "smoke",
                             "--setting",
                             "single",
                             "--categories",
                             "gear,wood",
                             "--seeds",
                             "1..2"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("4 finished"));
  const auto plan = adbench(temp,
                            {"plan",
                             "--methods",
                             "null",
                             "--protocol",
                             "smoke",
                             "--setting",
                             "single",
                             "--categories",
                             "gear,wood",
                             "--seeds",
                             "0..2",
                             "--json"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  int finished = 0, waiting = 0;
  const auto planned = Json::parse(plan.out);
  for (const auto& cell : planned.at("data")) {
    finished += cell.at("state") == "finished";
    waiting += cell.at("state") == "to run";
  }
  EXPECT_EQ(finished, 4);
  EXPECT_EQ(waiting, 2);
}

TEST(Run, LimitsAreRecordedAndTheRestGoesOn) {
  const TempFolder temp;
  const auto done = adbench(temp,
                            {"run",
                             "--methods",
                             "vitad,null",
                             "--protocol",
                             "smoke",
                             "-S",
                             "vitad.epochs=5000",
                             "--timeout",
                             "10s"});
  EXPECT_EQ(done.code, 4) << done.err;
  EXPECT_THAT(done.err, HasSubstr("vitad on sample: timeout: ran longer than 10 s"));
  EXPECT_THAT(done.out, HasSubstr("1 finished, 0 finished before, 1 failed"));
}

// --- wrong input: one message, the right code, nothing lost

struct Mistake {
  const char* name;
  std::vector<std::string> arguments;
  int code;
  const char* message;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

class Mistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, AreNamed) {
  const TempFolder temp;
  const auto& mistake = GetParam();
  const auto result = adbench(temp, mistake.arguments);
  EXPECT_EQ(result.code, mistake.code) << result.out << result.err;
  EXPECT_THAT(result.err, HasSubstr(mistake.message));
  EXPECT_EQ(result.out, "");
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine,
    Mistakes,
    ::testing::Values(
        Mistake{"command", {"rum"}, 2, "unknown command 'rum'; did you mean 'run'?"},
        Mistake{"flag", {"run", "--methods", "null", "--colour"}, 2, "--colour"},
        Mistake{"no methods", {"run"}, 2, "--methods"},
        Mistake{"method",
                {"run", "--methods", "vitat"},
                2,
                "unknown method 'vitat'; did you mean 'vitad'?"},
        Mistake{"option",
                {"run", "--methods", "null", "-S", "epoch=3"},
                2,
                "--set: unknown option 'epoch'; did you mean 'epochs'?"},
        Mistake{"option of a method",
                {"run", "--methods", "null", "-S", "null.lr=3"},
                2,
                "--set: unknown option 'lr'"},
        Mistake{"value",
                {"run", "--methods", "null", "-S", "epochs=many"},
                2,
                "--set: epochs: expected an integer, got 'many'"},
        Mistake{"range",
                {"run", "--methods", "null", "-S", "image_size=4"},
                2,
                "image_size: must be in [16, 2048], got 4"},
        Mistake{"no equals",
                {"run", "--methods", "null", "-S", "epochs"},
                2,
                "expected OPTION=VALUE, got 'epochs'"},
        Mistake{"protocol",
                {"run", "--methods", "null", "--dataset", "./x", "--protocol", "papier"},
                2,
                "unknown protocol 'papier'; did you mean 'paper'?"},
        Mistake{"data name",
                {"run", "--methods", "null", "--dataset", "mvtek"},
                2,
                "unknown data set 'mvtek'"},
        Mistake{"data folder", {"run", "--methods", "null", "--dataset", "./none"}, 3, "./none"},
        Mistake{"category",
                {"run", "--methods", "null", "--protocol", "smoke", "--categories", "gears"},
                2,
                "gears"},
        Mistake{"seeds", {"run", "--methods", "null", "--seeds", "3..1"}, 2, "--seeds"},
        Mistake{"timeout",
                {"run", "--methods", "null", "--timeout", "soon"},
                2,
                "--timeout: expected a time"},
        Mistake{"memory",
                {"run", "--methods", "null", "--max-rss", "8"},
                2,
                "--max-rss: expected a size"},
        Mistake{"save maps",
                {"run", "--methods", "null", "--save-maps", "best"},
                2,
                "--save-maps: expected none, worst:N or all"},
        Mistake{"weights file",
                {"run", "--methods", "vitad", "--protocol", "smoke", "-S", "weights=no/file.pth"},
                3,
                "weights file 'no/file.pth' does not exist"},
        Mistake{"report without store", {"report"}, 7, "adbench.sqlite"},
        Mistake{"diff without store", {"store", "diff", "a.sqlite", "b.sqlite"}, 7, "a.sqlite"},
        Mistake{"describe",
                {"describe", "method", "rdd"},
                2,
                "unknown method 'rdd'; did you mean 'rd'?"},
        Mistake{
            "store folder",
            {"run", "--methods", "null", "--protocol", "smoke", "--store", "/proc/none/a.sqlite"},
            7,
            "/proc/none"}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

TEST(Run, AWeightlessPaperRunIsRefusedBeforeItStarts) {
  const TempFolder temp;
  ASSERT_EQ(adbench(temp,
                    {"data",
                     "synth",
                     "parts",
                     "--size",
                     "64",
                     "--train",
                     "2",
                     "--test-good",
                     "1",
                     "--test-defective",
                     "2"})
                .code,
            0);
  const auto refused =
      adbench(temp, {"run", "--methods", "vitad", "--dataset", "./parts", "--weights-dir", "none"});
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("adbench weights fetch vit_small_patch16_224.dino"));
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "adbench.sqlite"))
      << "nothing may have started";
}

TEST(Run, BrokenDataIsNamedAndNothingStoredIsLost) {
  const TempFolder temp;
  ASSERT_EQ(adbench(temp, {"run", "--methods", "null", "--protocol", "smoke"}).code, 0);
  ASSERT_EQ(adbench(temp,
                    {"data",
                     "synth",
                     "parts",
                     "--size",
                     "64",
                     "--train",
                     "8",
                     "--test-good",
                     "1",
                     "--test-defective",
                     "4",
                     "--categories",
                     "gear"})
                .code,
            0);
  const auto image = temp.path() / "parts/gear/train/good/003.png";
  std::filesystem::resize_file(image, std::filesystem::file_size(image) / 2);
  const auto failed =
      adbench(temp, {"run", "--methods", "vitad", "--dataset", "./parts", "--protocol", "smoke"});
  EXPECT_EQ(failed.code, 4) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("train/good/003.png"));
  const auto verify = adbench(temp, {"data", "verify", "./parts"});
  EXPECT_EQ(verify.code, 3);
  EXPECT_THAT(verify.out, HasSubstr("train/good/003.png"));
  const auto report = adbench(temp, {"report"});
  EXPECT_EQ(report.code, 0);
  EXPECT_THAT(report.out, HasSubstr("Null"));
}

TEST(Run, DefectsWithoutMasksGiveImageFiguresOnly) {
  const TempFolder temp;
  ASSERT_EQ(adbench(temp,
                    {"data",
                     "synth",
                     "parts",
                     "--size",
                     "64",
                     "--train",
                     "8",
                     "--test-good",
                     "2",
                     "--test-defective",
                     "4",
                     "--categories",
                     "gear"})
                .code,
            0);
  std::filesystem::remove_all(temp.path() / "parts/gear/ground_truth");
  const auto done =
      adbench(temp, {"run", "--methods", "null", "--dataset", "./parts", "--protocol", "smoke"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("n/a"));
  EXPECT_THAT(done.out, HasSubstr("mask"));
}

TEST(Store, ANewerOrDamagedOneIsRefusedUntouched) {
  const TempFolder temp;
  ASSERT_EQ(adbench(temp, {"run", "--methods", "null", "--protocol", "smoke"}).code, 0);
  const auto store = temp.path() / "adbench.sqlite";
  const auto good = read_text(store, ErrorKind::kData);
  std::ofstream(temp.path() / "broken.sqlite", std::ios::binary) << good.substr(0, good.size() / 2);
  const auto broken = adbench(temp, {"report", "--store", "broken.sqlite"});
  EXPECT_EQ(broken.code, 7) << broken.out;
  EXPECT_THAT(broken.err, HasSubstr("broken.sqlite"));
  std::ofstream(temp.path() / "text.sqlite") << "not a store";
  EXPECT_EQ(adbench(temp, {"run", "--methods", "null", "--store", "text.sqlite"}).code, 7);
  EXPECT_EQ(read_text(temp.path() / "text.sqlite", ErrorKind::kData), "not a store");
}

TEST(Commands, AnswerWithoutWorker) {
  const TempFolder temp;
  const auto version = adbench(temp, {"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, HasSubstr("0."));
  for (const char* what : {"methods", "datasets", "metrics", "protocols"}) {
    const auto list = adbench(temp, {"list", what, "--json"});
    ASSERT_EQ(list.code, 0) << list.err;
    EXPECT_FALSE(Json::parse(list.out).at("data").empty());
  }
  const auto described = adbench(temp, {"describe", "method", "vitad", "--json"});
  ASSERT_EQ(described.code, 0) << described.err;
  EXPECT_EQ(Json::parse(described.out).at("data").at("parameters").at("total"), 38586472);
  const auto smaller = adbench(temp, {"describe", "method", "vitad", "--size", "64", "--json"});
  ASSERT_EQ(smaller.code, 0) << smaller.err;
  EXPECT_LT(Json::parse(smaller.out).at("data").at("macs").get<std::int64_t>(), 1'000'000'000);
  const auto wrong = adbench(temp, {"describe", "method", "vitad", "-S", "image_size=250"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("multiple of the patch"));
}

// The light program must not load LibTorch or OpenCV.
TEST(Commands, LightProgramLinksNothingHeavy) {
  const TempFolder temp;
  const auto linked = testing::run_program("/usr/bin/ldd", {ADB_BIN "/adbench"}, temp.path());
  ASSERT_EQ(linked.code, 0) << linked.err;
  EXPECT_THAT(linked.out, HasSubstr("libsqlite3"));
  EXPECT_THAT(linked.out, ::testing::Not(HasSubstr("torch")));
  EXPECT_THAT(linked.out, ::testing::Not(HasSubstr("opencv")));
}

TEST(Verify, PassesCasesAndFindsADeviation) {
  const TempFolder temp;
  const std::filesystem::path goldens = ADB_TEST_GOLDENS;
  const auto passed = adbench(temp, {"verify", goldens.string(), "--cases", "vitad_block_eps"});
  EXPECT_EQ(passed.code, 0) << passed.out << passed.err;
  std::filesystem::copy(goldens / "vitad_block_eps.json", temp.path());
  std::filesystem::copy(goldens / "vitad_block_eps.safetensors", temp.path());
  auto bytes = read_text(temp.path() / "vitad_block_eps.safetensors", ErrorKind::kData);
  bytes[bytes.size() - 1] =
      static_cast<char>(bytes[bytes.size() - 1] ^ 0x40);  // exponent of the last number
  temp.write("vitad_block_eps.safetensors", bytes);
  const auto deviated = adbench(temp, {"verify", temp.path().string()});
  EXPECT_EQ(deviated.code, 5) << deviated.out << deviated.err;
  EXPECT_EQ(adbench(temp, {"verify", (temp.path() / "none").string()}).code, 3);
}

}  // namespace
}  // namespace adb
