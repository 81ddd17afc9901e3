// `adbench rescore` on a store made by hand.
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "datasets/catalog.h"
#include "formats/safetensors.h"
#include "images/codec.h"
#include "metrics/keys.h"
#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::TempFolder;
using Words = std::vector<std::string>;

constexpr int kSide = 8;
constexpr std::size_t kPlane = kSide * kSide;

// One class with a normal and an anomalous test image. The map of the anomalous one is 1 on half of
// its mask and 0 elsewhere, so half of the mask is found.
class RescoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write("part/train/good/0.png", Image(kSide, kSide, 3));
    write("part/test/good/0.png", Image(kSide, kSide, 3));
    write("part/test/bad/0.png", Image(kSide, kSide, 3));
    Image mask(kSide, kSide, 1);
    std::fill_n(mask.pixels.begin(), 4 * kSide, std::uint8_t{255});
    write("part/ground_truth/bad/0_mask.png", mask);
    std::vector<float> maps(2 * kPlane, 0);
    std::fill_n(maps.begin() + kPlane, 2 * kSide, 1.0F);
    write_maps(maps, {"part/test/good/0.png", "part/test/bad/0.png"});
    add_run("their_first");
  }

  void write(const std::string& name, const Image& image) {
    const auto file = temp_.path() / "data" / "set" / name;
    fs::create_directories(file.parent_path());
    write_png(file, image);
  }

  fs::path maps_file() const { return temp_.path() / "runs" / "one" / "maps-000003.safetensors"; }

  void write_maps(const std::vector<float>& maps, const std::vector<std::string>& samples) {
    fs::create_directories(maps_file().parent_path());
    Array array{DType::kF32,
                {static_cast<std::int64_t>(maps.size() / kPlane), kSide, kSide},
                std::vector<std::uint8_t>(maps.size() * sizeof(float))};
    std::memcpy(array.bytes.data(), maps.data(), array.bytes.size());
    write_safetensors(maps_file(),
                      {{"part", array.view()}},
                      {{"samples", canonical_json({{"part", samples}})}},
                      ErrorKind::kData);
  }

  void add_run(const std::string& method, const std::vector<MetricRow>& metrics = {}) {
    RunRow row;
    row.key = method;
    row.method = method;
    row.method_title = method;
    row.dataset = "set";
    row.classes = {"part"};
    row.folder = "runs/one";
    row.data_manifest = manifest_hash(open_path(temp_.path() / "data" / "set", "set"));
    EventBatch rows;
    rows.metrics = metrics;
    rows.scores = {{3, "part", "part/test/good/0.png", false, 0, 0.5},
                   {3, "part", "part/test/bad/0.png", true, 1, 0.25}};
    rows.artifacts = {{"maps",
                       3,
                       "",
                       maps_file().filename().string(),
                       sha256_file(maps_file(), ErrorKind::kData),
                       static_cast<std::int64_t>(fs::file_size(maps_file()))}};
    auto store = Store::open_for_write(store_file());
    const RunId id = store.begin_run(row, {});
    store.finish_run(id, {RunStatus::kFinished, {}, 3, 3}, rows);
    store.close();
  }

  ProgramResult rescore(Words arguments) {
    arguments.insert(arguments.begin(), "rescore");
    return testing::run_program(ADB_BIN "/adbench", arguments, temp_.path());
  }

  // --json with the data set
  Json answer(Words arguments, int code = 0) {
    arguments.insert(arguments.end(), {"--data-root", "data", "--json"});
    const auto result = rescore(arguments);
    EXPECT_EQ(result.code, code) << result.err;
    return Json::parse(result.out).at("data");
  }

  // The message of a rescore that reaches nothing.
  std::string refusal(Words arguments) {
    const auto result = rescore(std::move(arguments));
    EXPECT_EQ(result.code, 3) << result.err;
    return result.err;
  }

  fs::path store_file() const { return temp_.path() / "adbench.sqlite"; }

  std::vector<MetricRow> stored(RunId run) const {
    return Store::open_for_read(store_file()).metrics(run);
  }

  const TempFolder temp_;
};

double value_of(const std::vector<MetricRow>& rows, const std::string& key, double limit = 0.3) {
  for (const MetricRow& row : rows) {
    if (row.key == key && row.category == "part" && row.setting.fpr_limit == limit) {
      return row.value.value();
    }
  }
  ADD_FAILURE() << "no " << key;
  return -1;
}

TEST_F(RescoreTest, AddsTheFiguresOfTheKeptMaps) {
  const auto first = answer({});
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].at("added"), 16);
  EXPECT_EQ(first[0].at("epoch"), 3);
  EXPECT_EQ(first[0].at("setting").at("eval_size"), "8");
  EXPECT_TRUE(first[0].at("reference").is_null());
  const auto rows = stored(RunId{1});
  // 16 of 32 anomalous pixels above all 96 normal ones, 16 equal to them.
  EXPECT_EQ(value_of(rows, "pixel.auroc"), 0.75);
  EXPECT_EQ(value_of(rows, "image.auroc"), 1.0);
  // Again, nothing changes; another limit is added beside, and compared.
  EXPECT_EQ(answer({})[0].at("as_stored"), 16);
  const auto other = answer({"--fpr-limit", "1"});
  EXPECT_EQ(other[0].at("added"), 16);
  ASSERT_EQ(other[0].at("changes").size(), 4U) << "AU-PRO and mAD, of the class and the mean";
  EXPECT_EQ(other[0].at("reference").at("fpr_limit"), 0.3);
  EXPECT_EQ(stored(RunId{1}).size(), 32U);
  EXPECT_EQ(value_of(stored(RunId{1}), "pixel.aupro", 1), 0.75);
  // `ader` mode takes the other image score.
  EXPECT_EQ(answer({"--metric-mode", "ader"})[0].at("added"), 16);
  for (const MetricRow& row : stored(RunId{1})) {
    if (row.setting.mode == "ader" && row.key == "image.auroc") {
      EXPECT_EQ(row.value, 0.0);
    }
  }
  const auto text = rescore({"--dataset", "data/set"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("0 figures added, 16 as stored, 0 deviate"));
}

TEST_F(RescoreTest, AStoredFigureThatDeviatesStaysAndIsNamed) {
  MetricRow wrong{3, "part", "pixel.auroc", 0.5, {}, {"exact", kMetricVersion, 0.3, "8"}};
  add_run("second", {wrong});
  const auto data = answer({"--methods", "second"}, 5);
  ASSERT_EQ(data[0].at("deviations").size(), 1U);
  EXPECT_EQ(data[0].at("deviations")[0].at("old"), 0.5);
  EXPECT_EQ(data[0].at("deviations")[0].at("new"), 0.75);
  EXPECT_EQ(data[0].at("added"), 15);
  EXPECT_EQ(value_of(stored(RunId{2}), "pixel.auroc"), 0.5);
}

TEST_F(RescoreTest, AnOlderVersionIsComparedAndKept) {
  MetricRow old{3, "part", "pixel.ap", 0.25, {}, {"exact", kMetricVersion - 1, 0.3, "8"}};
  add_run("older", {old});
  const auto data = answer({"--runs", "2"});
  EXPECT_EQ(data[0].at("reference").at("metric_version"), kMetricVersion - 1);
  ASSERT_EQ(data[0].at("changes").size(), 1U);
  EXPECT_EQ(data[0].at("changes")[0].at("old"), 0.25);
  EXPECT_EQ(stored(RunId{2}).size(), 17U);
}

TEST_F(RescoreTest, NamesWhatIsMissingOrChanged) {
  const Words with_data = {"--data-root", "data"};
  EXPECT_THAT(refusal({}), HasSubstr("the masks of data set 'set' are needed"));
  EXPECT_THAT(refusal({"--data-root", "nowhere"}), HasSubstr("nowhere"));

  write("part/ground_truth/bad/0_mask.png", Image(kSide, kSide, 1));
  EXPECT_THAT(refusal(with_data), HasSubstr("are not those of the run: manifest"));
  Image mask(kSide, kSide, 1);
  std::fill_n(mask.pixels.begin(), 4 * kSide, std::uint8_t{255});
  write("part/ground_truth/bad/0_mask.png", mask);

  const auto bytes = read_text(maps_file(), ErrorKind::kData);
  auto changed = bytes;
  changed.back() = '\1';
  write_file_atomic(maps_file(), changed);
  EXPECT_THAT(refusal(with_data), HasSubstr("does not have the stored hash"));
  fs::remove(maps_file());
  EXPECT_THAT(refusal(with_data),
              HasSubstr("run 1 (their_first on set, multi, seed 0): its maps of epoch 3 are "
                        "missing"));
  EXPECT_TRUE(stored(RunId{1}).empty());

  // With another run that works: the one that does not is named, the other stored.
  write_maps(std::vector<float>(kPlane, 0), {"part/test/good/0.png"});
  add_run("partial");
  EXPECT_THAT(refusal({"--data-root", "data", "--methods", "partial"}),
              HasSubstr("holds the maps of 1 of 2 images of 'part'"));
  write_maps(std::vector<float>(2 * kPlane, 0), {"part/test/good/0.png", "part/test/bad/0.png"});
  add_run("whole");
  EXPECT_EQ(answer({}, 4).size(), 1U);
}

TEST_F(RescoreTest, WrongUsageIsExitCode2) {
  for (const Words& words : {Words{"--runs", "9"},
                             Words{"--methods", "nobody"},
                             Words{"--dataset", "data/other"},
                             Words{"--fpr-limit", "0"},
                             Words{"--metric-mode", "ader", "--fpr-limit", "0.05"}}) {
    EXPECT_EQ(rescore(words).code, 2) << words[0];
  }
  EXPECT_EQ(rescore({"--store", "absent.sqlite"}).code, 7);
  EXPECT_FALSE(fs::exists(temp_.path() / "absent.sqlite"));
}

}  // namespace
}  // namespace adb
