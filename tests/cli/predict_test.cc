// A stored run's model on images, and how fast methods are.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/json.h"
#include "images/codec.h"
#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::TempFolder;
namespace fs = std::filesystem;

class Predict : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    temp_ = new TempFolder;
    const auto run = adbench({"run",
                              "--methods",
                              "vitad",
                              "--protocol",
                              "smoke",
                              "--categories",
                              "gear",
                              "--save-maps",
                              "all"});
    ASSERT_EQ(run.code, 0) << run.err;
  }
  static void TearDownTestSuite() {
    delete temp_;
    temp_ = nullptr;
  }
  static testing::ProgramResult adbench(const std::vector<std::string>& arguments) {
    return testing::run_program(ADB_BIN "/adbench", arguments, temp_->path());
  }
  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(Json::parse(line));
    }
    return lines;
  }
  static fs::path test_folder() {
    for (const auto& entry : fs::directory_iterator(temp_->path() / "adbench-runs")) {
      if (entry.path().filename().string().starts_with("sample")) {
        return entry.path() / "gear" / "test";
      }
    }
    return {};
  }

  static TempFolder* temp_;
};

TempFolder* Predict::temp_ = nullptr;

TEST_F(Predict, GivesTheScoresThatTheRunStored) {
  const auto end = adbench({"predict", test_folder().string(), "--run", "1"});
  ASSERT_EQ(end.code, 0) << end.err;
  const auto lines = lines_of(end.out);
  const auto store = Store::open_for_read(temp_->path() / "adbench.sqlite");
  const auto scores = store.scores(store.find_runs()[0].id, 2);
  ASSERT_FALSE(scores.empty());
  ASSERT_EQ(lines.size(), scores.size());
  for (const auto& line : lines) {
    const auto id = "gear/test/" + line.at("image").get<std::string>();
    const auto found = std::find_if(
        scores.begin(), scores.end(), [&](const ScoreRow& row) { return row.sample == id; });
    ASSERT_NE(found, scores.end()) << id;
    // Float32 rounding in another batch.
    EXPECT_NEAR(line.at("score").get<double>(), found->score, 1e-5 * found->score) << id;
    EXPECT_FALSE(line.contains("map"));
  }
}

TEST_F(Predict, WritesMapMaskAndOverlayOfTheImagesSize) {
  const auto image = test_folder() / "good" / "000.png";
  ASSERT_TRUE(fs::exists(image)) << image;
  const auto end =
      adbench({"predict", image.string(), "--run", "1", "--out", "shown", "--threshold", "0.05"});
  ASSERT_EQ(end.code, 0) << end.err;
  const auto lines = lines_of(end.out);
  ASSERT_EQ(lines.size(), 1U);
  const auto original = read_image(image);
  for (const char* part : {"map", "mask", "overlay"}) {
    const auto info = probe_image(lines[0].at(part).get<std::string>());
    EXPECT_EQ(info.width, original.width) << part;
    EXPECT_EQ(info.height, original.height) << part;
    EXPECT_EQ(info.bits, std::string(part) == "map" ? 16 : 8) << part;
  }
  // One image: its least and largest value are the ends of the scale. The mask is the map again.
  const auto map = read_map(lines[0].at("map").get<std::string>());
  const auto mask = read_mask(lines[0].at("mask").get<std::string>());
  const double low = lines[0].at("map_low"), high = lines[0].at("map_high");
  ASSERT_GT(high, low);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const double value = low + (high - low) * map.values[i] / 65535;
    if (std::abs(value - 0.05) > 1e-4) {
      ASSERT_EQ(mask.pixels[i] == 255, value > 0.05) << i;
    }
  }
  EXPECT_FALSE(fs::exists(temp_->path() / "shown" / ".maps.partial"));
}

TEST_F(Predict, KeepsImagesOfOneNameApart) {
  const auto good = test_folder() / "good" / "000.png";
  const auto copy = temp_->path() / "elsewhere" / "000.png";
  std::filesystem::create_directories(copy.parent_path());
  std::filesystem::copy_file(good, copy);
  const auto end = adbench(
      {"predict", good.string(), copy.string(), good.string(), "--run", "1", "--out", "apart"});
  ASSERT_EQ(end.code, 0) << end.err;
  const auto lines = lines_of(end.out);
  ASSERT_EQ(lines.size(), 2U) << "each file once";
  EXPECT_EQ(lines[0].at("score"), lines[1].at("score"));
  EXPECT_NE(lines[0].at("map"), lines[1].at("map"));
}

TEST_F(Predict, NamesWhatIsWrong) {
  std::ofstream(temp_->path() / "broken.png") << "no image";
  const auto broken =
      adbench({"predict", "broken.png", (test_folder() / "good").string(), "--run", "1"});
  EXPECT_EQ(broken.code, 3);
  const auto lines = lines_of(broken.out);
  ASSERT_GT(lines.size(), 1U);
  EXPECT_THAT(lines[0].at("error").get<std::string>(), HasSubstr("broken.png"));
  EXPECT_TRUE(lines[1].contains("score")) << "the other images are done";

  const auto unseen = adbench({"predict", "broken.png", "--run", "1", "--threshold", "0.5"});
  EXPECT_EQ(unseen.code, 2) << "a mask that nobody would see";
  EXPECT_THAT(unseen.err, HasSubstr("--threshold requires --out"));

  const auto absent = adbench({"predict", "absent.png", "--run", "1"});
  EXPECT_EQ(absent.code, 3);
  EXPECT_THAT(absent.err, HasSubstr("'absent.png' does not exist"));
  EXPECT_EQ(adbench({"predict", "broken.png", "--run", "99"}).code, 2);

  const auto store = Store::open_for_read(temp_->path() / "adbench.sqlite");
  const auto run = store.find_runs()[0];
  const auto weights = temp_->path() / run.folder / "weights-000002.safetensors";
  auto bytes = read_text(weights, ErrorKind::kData);
  const auto before = bytes;
  bytes.back() ^= 1;
  write_file_atomic(weights, bytes);
  const auto changed = adbench({"predict", "broken.png", "--run", "1"});
  EXPECT_EQ(changed.code, 3);
  EXPECT_THAT(changed.err, HasSubstr("its hash differs"));
  write_file_atomic(weights, before);
}

TEST_F(Predict, DrawsTheFrequenciesOfRebuiltFeatures) {
  const auto image = (test_folder() / "good" / "000.png").string();
  const auto drawn =
      adbench({"figure", "frequency", image, "--run", "1", "--out", "frequency.svg"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_EQ(drawn.out, "");
  const auto svg = read_text(temp_->path() / "frequency.svg", ErrorKind::kData);
  EXPECT_THAT(svg, HasSubstr("vitad, run 1: low frequencies up to 0.25 of the highest"));
  EXPECT_THAT(svg, HasSubstr("block3 low"));
  EXPECT_THAT(svg, HasSubstr("000.png"));

  const auto expect = [&](int code, const char* part, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "figure");
    const auto end = adbench(arguments);
    EXPECT_EQ(end.code, code) << end.err;
    EXPECT_THAT(end.err, HasSubstr(part));
    EXPECT_EQ(end.out, "");
  };
  expect(3, "'absent.png' does not exist", {"frequency", "absent.png", "--run", "1"});
  expect(2, "needs --run N and images", {"frequency", "--run", "1"});
  expect(2, "needs --run N and images", {"frequency", image});
  expect(2, "are of the figure 'frequency', not of 'ranking'", {"ranking", image});
  expect(2, "has no run '99'", {"frequency", image, "--run", "99"});
  expect(2, "--cutoff", {"frequency", image, "--run", "1", "--cutoff", "2"});
  ASSERT_EQ(
      adbench({"run", "--methods", "null", "--protocol", "smoke", "--categories", "gear"}).code, 0);
  expect(2, "method 'null' rebuilds no features", {"frequency", image, "--run", "2"});
}

TEST_F(Predict, SpeedKeepsEverySample) {
  const auto end = adbench({"speed",
                            "--methods",
                            "vitad",
                            "--size",
                            "64",
                            "--batches",
                            "1,4",
                            "--seconds",
                            "0.1",
                            "--store",
                            "speed.sqlite",
                            "--json"});
  ASSERT_EQ(end.code, 0) << end.err;
  const auto row = Json::parse(end.out).at("data").at(0);
  for (const char* series : {"step", "step_cached", "features", "predict_1", "predict_4"}) {
    EXPECT_GE(row.at("series").at(series).size(), 5U) << series;
  }
  EXPECT_GT(row.at("cache_bound").get<double>(), 1);
  const auto kept = Store::open_for_read(temp_->path() / "speed.sqlite").speeds();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(Json(kept[0].series), row.at("series"));
  EXPECT_EQ(adbench({"speed", "--methods", "vitat"}).code, 2);
  EXPECT_EQ(adbench({"speed", "--batches", "0"}).code, 2);
}

}  // namespace
}  // namespace adb
