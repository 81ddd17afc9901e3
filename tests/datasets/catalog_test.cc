#include "datasets/catalog.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/tree.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using testing::add_category;
using ::testing::ElementsAre;
using testing::expect_error;
using testing::TempFolder;

TEST(Catalog, Names) {
  Registry<DatasetEntry> datasets("data set");
  add_builtin_datasets(datasets);
  EXPECT_THAT(datasets.names(), ElementsAre("sample", "mvtec_ad", "visa"));
}

TEST(Catalog, NamesLieInTheDataRoot) {
  const TempFolder folder;
  add_category(folder, "mvtec_ad/bottle/");
  add_category(folder, "mine/cup/");
  EXPECT_EQ(open_dataset("mvtec_ad", folder.path()).title, "MVTec AD");
  const Dataset mine = open_dataset("mine", folder.path());
  EXPECT_EQ(mine.name, "mine");
  EXPECT_THAT(mine.categories, ElementsAre("cup"));
}

TEST(Catalog, UnknownNamesAreUsageErrors) {
  const TempFolder folder;
  add_category(folder, "mine/cup/");
  expect_error(
      ErrorKind::kUsage, "did you mean 'mine'", [&] { open_dataset("mime", folder.path()); });
  expect_error(ErrorKind::kUsage, "as ./mime", [&] { open_dataset("mime", ""); });
  expect_error(ErrorKind::kUsage, "unknown data set ''", [&] { open_dataset("", folder.path()); });
}

TEST(Catalog, KnownNamesWithoutDataAreDataErrors) {
  const TempFolder folder;
  expect_error(ErrorKind::kData, "give --data-root DIR", [&] { open_dataset("visa", ""); });
  expect_error(
      ErrorKind::kData, "visa' does not exist", [&] { open_dataset("visa", folder.path()); });
}

TEST(Catalog, PathsHaveASlash) {
  const TempFolder folder;
  add_category(folder, "parts/cup/");
  const Dataset dataset = open_dataset((folder.path() / "parts").string() + "/", "");
  EXPECT_EQ(dataset.name, "parts");
  expect_error(ErrorKind::kData, "nowhere' does not exist", [] { open_dataset("./nowhere", ""); });
  fs::create_directories(folder.path() / "void");
  expect_error(ErrorKind::kData, "holds no data set: expected folders CATEGORY/train/good", [&] {
    open_dataset((folder.path() / "void").string(), "");
  });
}

// The real images beside the repository, where a checkout has them.
TEST(Catalog, SharedData) {
  const fs::path root = fs::path(ADB_SHARED) / "data";
  if (!fs::is_directory(root)) {
    GTEST_SKIP() << "no real images: '" << root.string() << "' does not exist";
  }
  const Dataset dataset = open_path(root, "data", {});
  EXPECT_THAT(dataset.categories,
              ElementsAre("asphalt", "ball_screw", "commutator", "cookie", "magnetic_tile", "pcb"));
  const Dataset cookie = dataset.restrict({"cookie"});
  EXPECT_EQ(cookie.train.size(), 31U);
  EXPECT_EQ(cookie.test.size(), 46U);
  EXPECT_EQ(dataset.notes.size(), 1U);  // textures/
  for (const std::string& category : dataset.categories) {
    EXPECT_EQ(dataset.why_no_pixel_figures(category), std::nullopt);
  }
}

}  // namespace
}  // namespace adb
