#include "datasets/verify.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/catalog.h"
#include "images/codec.h"
#include "images/resize.h"
#include "tests/datasets/tree.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::TempFolder;

Image filled(int width, int height, int channels, std::uint8_t value) {
  Image image(width, height, channels);
  image.pixels.assign(image.pixels.size(), value);
  return image;
}

// A mask with one marked square.
Image marked(int width, int height, int x, int y, int side) {
  Image mask(width, height, 1);
  for (int row = y; row < y + side; ++row) {
    for (int column = x; column < x + side; ++column) {
      mask.pixels[mask.offset(column, row)] = 255;
    }
  }
  return mask;
}

// Two training images, one normal and two anomalous test images of 40 x 30, all right.
class Verify : public ::testing::Test {
 protected:
  Verify() {
    put("train/good/0.png", filled(40, 30, 3, 10));
    put("train/good/1.png", filled(40, 30, 3, 11));
    put("test/good/0.png", filled(40, 30, 3, 12));
    put("test/hole/0.png", filled(40, 30, 3, 13));
    put("test/hole/1.png", filled(40, 30, 1, 14));
    put("ground_truth/hole/0_mask.png", marked(40, 30, 3, 4, 9));
    put("ground_truth/hole/1_mask.png", marked(40, 30, 8, 4, 9));
  }

  void put(const std::string& name, const Image& image) {
    const fs::path file = folder_.path() / "cup" / name;
    fs::create_directories(file.parent_path());
    write_png(file, image);
  }

  VerifyReport verify(int eval_size = 16) const {
    OpenOptions options;
    options.keep_going = true;
    dataset_ = open_path(folder_.path(), "x", options);
    return verify_dataset(dataset_, {read_image, read_mask, resize_mask}, eval_size);
  }

  // The one finding there should be.
  void expect_finding(FindingKind kind, const std::string& part, int eval_size = 16) const {
    const VerifyReport report = verify(eval_size);
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(finding_name(report.findings[0].kind), finding_name(kind));
    EXPECT_THAT(report.findings[0].message, HasSubstr(part));
    EXPECT_EQ(report.count(kind), 1);
    EXPECT_EQ(report.ok(), !is_error(kind));
  }

  TempFolder folder_;
  mutable Dataset dataset_;
};

TEST_F(Verify, CountsAndHash) {
  const VerifyReport report = verify();
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.findings.empty());
  ASSERT_EQ(report.categories.size(), 1U);
  EXPECT_EQ(report.categories[0].train, 2);
  EXPECT_EQ(report.categories[0].test_normal, 1);
  EXPECT_EQ(report.categories[0].test_anomalous, 2);
  EXPECT_EQ(report.categories[0].masks, 2);
  EXPECT_EQ(report.categories[0].defects.at("hole"), 2);
  EXPECT_EQ(report.manifest_hash, manifest_hash(dataset_));
}

TEST_F(Verify, MissingMask) {
  fs::remove(folder_.path() / "cup/ground_truth/hole/1_mask.png");
  expect_finding(FindingKind::kMissing, "1_mask.png");
  EXPECT_EQ(verify().manifest_hash, "");
}

TEST_F(Verify, UnreadableImageAndMask) {
  folder_.write("cup/train/good/1.png", "text");
  expect_finding(FindingKind::kUnreadable, "train/good/1.png' is not a PNG");
  put("train/good/1.png", filled(40, 30, 3, 11));
  folder_.write("cup/ground_truth/hole/0_mask.png", "");
  expect_finding(FindingKind::kUnreadable, "0_mask.png' is empty");
}

TEST_F(Verify, MaskOfAnotherSize) {
  put("ground_truth/hole/0_mask.png", marked(30, 40, 3, 4, 9));
  expect_finding(FindingKind::kMaskSize, "0_mask.png' has 30 x 40 pixels, its image 40 x 30");
}

TEST_F(Verify, MaskWithOtherValues) {
  Image mask = marked(40, 30, 3, 4, 9);
  mask.pixels[0] = 1;
  put("ground_truth/hole/0_mask.png", mask);
  expect_finding(FindingKind::kMaskValues, "0_mask.png' has the value 1");
}

TEST_F(Verify, EmptyMaskAlsoFlipsTheLabel) {
  put("ground_truth/hole/0_mask.png", filled(40, 30, 1, 0));
  const VerifyReport report = verify();
  EXPECT_EQ(report.count(FindingKind::kMaskEmpty), 1);
  EXPECT_EQ(report.count(FindingKind::kLabelFlip), 1);
  EXPECT_EQ(report.findings.size(), 2U);
  EXPECT_TRUE(report.ok());
}

TEST_F(Verify, SmallDefectsVanishInTheResize) {
  put("ground_truth/hole/0_mask.png", marked(40, 30, 3, 4, 1));
  expect_finding(FindingKind::kLabelFlip, "resized to 8 x 8 marks no pixel", 8);
}

TEST_F(Verify, DuplicatesAreFoundByPixels) {
  put("test/good/0.png", filled(40, 30, 1, 10));  // grey in the file, the same pixels when decoded
  expect_finding(FindingKind::kDuplicate, "test/good/0.png' has the same pixels as training image");
}

}  // namespace
}  // namespace adb
