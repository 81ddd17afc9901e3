// What the page takes from a store and the folders of its runs.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "reports/html/page.h"
#include "tests/reports/sample_page.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;

// A store with one finished run whose folder holds curves and thumbnails of the reported epoch.
std::filesystem::path write_store(const TempFolder& temp) {
  const auto file = temp.path() / "adbench.sqlite";
  ReportRun sample = testing::sample_report_run(1, "rd", 0, 0.7);
  sample.run.folder = "runs/rd";
  const auto folder = temp.path() / sample.run.folder;
  std::filesystem::create_directories(folder);
  write_curves(folder / curves_file_name(80),
               {.epoch = 80, .categories = testing::sample_page_run(sample).classes});
  std::vector<Thumbnail> images;
  const std::vector<std::pair<bool, double>> facts = {
      {false, 0.1}, {false, 0.8}, {true, 0.9}, {true, 0.05}};
  for (const auto& [anomalous, score] : facts) {
    images.push_back({.category = "grid",
                      .sample = "image" + std::to_string(images.size()),
                      .anomalous = anomalous,
                      .score = score,
                      .low = 0,
                      .high = 1,
                      .input = testing::picture_header(64, "input"),
                      .heat = testing::picture_header(64, "heat")});
  }
  write_thumbnails(folder / thumbnails_file_name(80), 80, images);

  EventBatch events{
      .metrics = sample.metrics, .counts = sample.counts, .efficiency = sample.efficiency};
  for (const std::int64_t epoch : {40, 60}) {
    testing::append(events.metrics, testing::sample_figures(epoch, "", 0.5));
    testing::append(events.metrics, testing::sample_figures(epoch, "grid", 0.5));
  }
  events.curves = {{.epoch = 1, .name = "loss", .value = 2}};
  events.artifacts = {
      {.kind = kCurvesKind, .epoch = 80, .path = curves_file_name(80), .sha256 = "a"},
      {.kind = kThumbnailsKind, .epoch = 80, .path = thumbnails_file_name(80), .sha256 = "b"}};
  auto store = Store::open_for_write(file);
  const RunId id = store.begin_run(sample.run, sample.environment);
  store.finish_run(
      id, {.status = RunStatus::kFinished, .reported_epoch = 80, .last_epoch = 100}, events);
  store.close();
  return file;
}

PageInput read(const std::filesystem::path& file) {
  return read_page(Store::open_for_read(file), {}, {});
}

TEST(ReadPage, TakesMeansCurvesAndTheWorstImages) {
  const TempFolder temp;
  const PageInput input = read(write_store(temp));
  EXPECT_EQ(input.store, "adbench.sqlite");
  ASSERT_EQ(input.runs.size(), 1U);
  const PageRun& more = input.more.at(to_int(input.runs[0].run.id));
  EXPECT_EQ(more.means.size(), 4 * main_columns().size()) << "of four tests, no class among them";
  for (const auto& row : more.means) {
    EXPECT_EQ(row.category, "");
  }
  EXPECT_EQ(more.curves.size(), 1U);
  EXPECT_EQ(more.classes.size(), 2U);
  EXPECT_TRUE(more.problems.empty());
  std::vector<std::string> order;
  for (const auto& picture : input.pictures) {
    order.push_back(picture.picture.sample);
    EXPECT_EQ(picture.rivals, 2);
    EXPECT_FALSE(picture.picture.heat.empty());
  }
  EXPECT_THAT(order, ElementsAre("image3", "image0", "image1", "image2"));
  EXPECT_EQ(input.pictures[0].wrong, 1);
  EXPECT_EQ(input.pictures[1].wrong, 0.5);
}

TEST(ReadPage, NamesFilesThatAreAbsentOrDamaged) {
  const TempFolder temp;
  const auto file = write_store(temp);
  const auto folder = temp.path() / "runs/rd";
  std::filesystem::remove(folder / thumbnails_file_name(80));
  PageInput input = read(file);
  EXPECT_EQ(input.more.begin()->second.classes.size(), 2U);
  EXPECT_THAT(input.more.begin()->second.problems, ElementsAre(HasSubstr("thumbs-80.safetensors")));
  std::ofstream(folder / curves_file_name(80)) << "{";
  input = read(file);
  EXPECT_TRUE(input.more.begin()->second.classes.empty());
  EXPECT_EQ(input.more.begin()->second.problems.size(), 2U) << "each file by itself";
  EXPECT_THAT(html_page(std::move(input)), HasSubstr("curves-80.json"));
}

// The store refuses such a row; a file that somebody else made may hold one.
TEST(ReadPage, NeverLeavesTheStoresFolder) {
  const TempFolder temp;
  const auto file = write_store(temp);
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(database, "UPDATE run SET folder = '../elsewhere'", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  const PageInput input = read(file);
  EXPECT_THAT(input.more.begin()->second.problems,
              ::testing::Each(HasSubstr("outside the store's folder")));
  EXPECT_EQ(input.more.begin()->second.problems.size(), 2U);
  EXPECT_TRUE(input.pictures.empty());
}

}  // namespace
}  // namespace adb
