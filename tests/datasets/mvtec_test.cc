#include "datasets/mvtec/mvtec.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/catalog.h"
#include "tests/datasets/tree.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using testing::add_category;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::ids;
using testing::TempFolder;
using testing::touch;

Dataset open(const TempFolder& folder, const OpenOptions& options = {}) {
  return open_path(folder.path(), "set", options);
}

TEST(MvtecLayout, SamplesAreInOrderWithMasks) {
  const TempFolder folder;
  add_category(folder, "cup/");
  touch(folder, {"cup/test/a_scratch/7.PNG", "cup/ground_truth/a_scratch/7.bmp"});
  const Dataset dataset = open(folder);
  EXPECT_THAT(dataset.categories, ElementsAre("cup"));
  EXPECT_THAT(ids(dataset.train), ElementsAre("cup/train/good/000.png", "cup/train/good/001.png"));
  EXPECT_THAT(ids(dataset.test),
              ElementsAre("cup/test/a_scratch/7.PNG",
                          "cup/test/broken/000.png",
                          "cup/test/broken/001.png",
                          "cup/test/good/000.png"));
  EXPECT_EQ(dataset.test[0].mask, folder.path() / "cup/ground_truth/a_scratch/7.bmp");
  EXPECT_EQ(dataset.test[2].mask, folder.path() / "cup/ground_truth/broken/001_mask.png");
  EXPECT_EQ(dataset.test[2].defect, "broken");
  EXPECT_TRUE(dataset.test[2].anomalous);
  EXPECT_FALSE(dataset.test[3].anomalous);
  EXPECT_FALSE(dataset.test[3].mask.has_value());
  EXPECT_THAT(dataset.notes, ElementsAre());
  EXPECT_EQ(dataset.why_no_pixel_figures("cup"), std::nullopt);
}

TEST(MvtecLayout, KnownCategoriesComeInTheCardsOrder) {
  const TempFolder folder;
  for (const char* name : {"bottle", "carpet", "zipper", "wood"}) {
    add_category(folder, std::string(name) + "/");
  }
  EXPECT_THAT(open(folder).categories, ElementsAre("carpet", "wood", "bottle", "zipper"));
  add_category(folder, "own/");
  EXPECT_THAT(open(folder).categories, ElementsAre("bottle", "carpet", "own", "wood", "zipper"));
}

TEST(MvtecLayout, OneCategoryIsADataset) {
  const TempFolder folder;
  add_category(folder, "cup/");
  const Dataset dataset = open_path(folder.path() / "cup/", "x", {});
  EXPECT_THAT(dataset.categories, ElementsAre("cup"));
  EXPECT_EQ(dataset.train[0].id, "cup/train/good/000.png");
}

TEST(MvtecLayout, OtherFoldersArePassedOverWithANote) {
  const TempFolder folder;
  add_category(folder, "cup/");
  touch(folder, {"textures/a.png", "README.md", ".hidden/train/good/0.png"});
  touch(folder, {"cup/train/good/notes.txt", "cup/train/good/.thumbs"});
  const Dataset dataset = open(folder);
  EXPECT_THAT(dataset.categories, ElementsAre("cup"));
  EXPECT_THAT(dataset.notes,
              ElementsAre(HasSubstr("textures' is not a category: it has no train/ and test/"),
                          HasSubstr("train/good': passed over one entry that is no image file")));
}

TEST(MvtecLayout, MasksAreOptional) {
  const TempFolder folder;
  touch(folder, {"cup/train/good/0.png", "cup/test/dirty/0.png", "cup/test/dirty/1.png"});
  const Dataset dataset = open(folder);
  EXPECT_FALSE(dataset.test[0].mask.has_value());
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("dirty' has no masks: pixel figures of 'cup'")));
  EXPECT_THAT(
      dataset.why_no_pixel_figures("cup").value_or(""),
      HasSubstr("2 of 2 anomalous images have no mask, the first is 'cup/test/dirty/0.png'"));
}

TEST(MvtecLayout, AMissingMaskIsNamed) {
  const TempFolder folder;
  add_category(folder, "cup/");
  fs::remove(folder.path() / "cup/ground_truth/broken/001_mask.png");
  expect_error(ErrorKind::kData, "001.png' is missing: expected", [&] { open(folder); });
  expect_error(ErrorKind::kData, "ground_truth/broken/001_mask.png", [&] { open(folder); });
  OpenOptions tolerant;
  tolerant.keep_going = true;
  const Dataset dataset = open(folder, tolerant);
  EXPECT_THAT(dataset.missing, ElementsAre(HasSubstr("001_mask.png")));
  EXPECT_FALSE(dataset.test[1].mask.has_value());
}

TEST(MvtecLayout, MasksWithOtherNamesArePairedInOrder) {
  const TempFolder folder;
  touch(folder,
        {"cup/train/good/0.png",
         "cup/test/dirty/b.png",
         "cup/test/dirty/a.png",
         "cup/ground_truth/dirty/m2.png",
         "cup/ground_truth/dirty/m1.png"});
  const Dataset dataset = open(folder);
  EXPECT_EQ(dataset.test[0].image.filename(), "a.png");
  EXPECT_EQ(dataset.test[0].mask->filename(), "m1.png");
  EXPECT_EQ(dataset.test[1].mask->filename(), "m2.png");
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("paired in sorted order")));
  touch(folder, {"cup/ground_truth/dirty/m3.png"});  // 3 masks for 2 images: no pairing is safe
  expect_error(ErrorKind::kData, "the mask of", [&] { open(folder); });
}

TEST(MvtecLayout, LeftOverMasksAreNoted) {
  const TempFolder folder;
  add_category(folder, "cup/");
  touch(folder, {"cup/ground_truth/broken/009_mask.png", "cup/ground_truth/gone/000_mask.png"});
  EXPECT_THAT(open(folder).notes,
              ElementsAre(HasSubstr("broken': 1 of 3 masks belong to no image"),
                          HasSubstr("gone' has no test images beside it")));
}

TEST(MvtecLayout, EmptyFoldersAreErrors) {
  const TempFolder folder;
  add_category(folder, "cup/");
  fs::create_directories(folder.path() / "pen/train/good");
  fs::create_directories(folder.path() / "pen/test");
  expect_error(
      ErrorKind::kData, "pen/train/good' has no images to train on", [&] { open(folder); });
  OpenOptions only_cup;
  only_cup.categories = {"cup"};  // the rest need not be complete
  EXPECT_THAT(open(folder, only_cup).categories, ElementsAre("cup"));
  touch(folder, {"pen/train/good/0.png"});
  expect_error(ErrorKind::kData, "category 'pen' of", [&] { open(folder); });
  expect_error(ErrorKind::kData, "has no test images", [&] { open(folder); });
}

TEST(MvtecLayout, TrainingImagesLieInGood) {
  const TempFolder folder;
  touch(folder, {"cup/train/0.png", "cup/test/good/0.png"});
  expect_error(ErrorKind::kData, "train/good' has no images to train on", [&] { open(folder); });
}

TEST(MvtecLayout, OneStemOnceAFolder) {
  const TempFolder folder;
  add_category(folder, "cup/");
  touch(folder, {"cup/test/broken/000.jpg"});
  expect_error(
      ErrorKind::kData, "two images called '000': '000.jpg' and '000.png'", [&] { open(folder); });
}

TEST(MvtecLayout, NamesMustBeUtf8) {
  const TempFolder folder;
  add_category(folder, "cup/");
  touch(folder, {"cup/test/bad\xFFname/000.png"});
  expect_error(ErrorKind::kData, "is not valid UTF-8", [&] { open(folder); });
}

TEST(MvtecLayout, GroundTruthAloneForEval) {
  const TempFolder folder;
  touch(folder,
        {"cup/test/good/0.png", "cup/test/broken/0.png", "cup/ground_truth/broken/0_mask.png"});
  OpenOptions options;
  options.need_train = false;
  for (const fs::path& root : {folder.path(), folder.path() / "cup"}) {
    const Dataset dataset = open_path(root, "x", options);
    EXPECT_THAT(ids(dataset.test), ElementsAre("cup/test/broken/0.png", "cup/test/good/0.png"));
    EXPECT_TRUE(dataset.train.empty());
  }
  expect_error(ErrorKind::kData, "holds no data set", [&] { open(folder); });
}

}  // namespace
}  // namespace adb
