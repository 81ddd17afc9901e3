#include "datasets/synth/synth.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/hash.h"
#include "datasets/catalog.h"
#include "datasets/synth/noise.h"
#include "images/codec.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::TempFolder;

SynthSpec small_spec() {
  SynthSpec spec;
  spec.size = 64;
  spec.train = 2;
  spec.test_good = 1;
  spec.test_defective = 4;
  return spec;
}

TEST(Synth, MathIsAccurate) {
  for (double turns = -2; turns < 2; turns += 0.013) {
    EXPECT_NEAR(synth::sine(turns), std::sin(2 * M_PI * turns), 1e-5);
    EXPECT_NEAR(synth::cosine(turns), std::cos(2 * M_PI * turns), 1e-5);
    const double x = 3 * std::cos(2 * M_PI * turns), y = 3 * std::sin(2 * M_PI * turns);
    EXPECT_NEAR(synth::angle_of(x, y), std::atan2(y, x) / (2 * M_PI), 1e-5) << turns;
  }
  EXPECT_EQ(synth::fraction(-0.25), 0.75);
  EXPECT_EQ(synth::floor_of(-3.0), -3);
}

TEST(Synth, TexturesAndObjectsWithSeveralDefectsEach) {
  const std::vector<SynthCategory> categories = synth_categories();
  EXPECT_GE(categories.size(), 6U);
  std::set<bool> kinds;
  for (const SynthCategory& category : categories) {
    kinds.insert(category.is_texture);
    EXPECT_GE(category.defects.size(), 3U) << category.name;
  }
  EXPECT_EQ(kinds.size(), 2U);
}

// The pixels of all kinds of images, seed 0, 64 pixels. A change here is a change of the sample
// data: raise kSynthVersion with it.
TEST(Synth, PixelsArePinned) {
  Sha256 hash;
  const SynthSpec spec = small_spec();
  for (const SynthItem& item : synth_items(spec)) {
    const SynthImage drawn = synth_image(spec, item);
    hash.add(drawn.image.pixels).add(drawn.mask.pixels);
  }
  EXPECT_EQ(hash.hex(), "a2bfd060933010c937226474bea9687ffb565cfcb2f2d48da957491345672133");
}

TEST(Synth, ImagesDependOnSeedAndIndexOnly) {
  SynthSpec spec = small_spec();
  const SynthItem item{"gear", Split::kTest, "oil", 1};
  const SynthImage one = synth_image(spec, item);
  spec.train = 7;
  spec.categories = {"gear"};
  EXPECT_EQ(synth_image(spec, item).image, one.image);
  spec.seed = 1;
  EXPECT_NE(synth_image(spec, item).image, one.image);
  EXPECT_NE(synth_image(small_spec(), {"gear", Split::kTest, "oil", 0}).image, one.image);
  EXPECT_NE(synth_image(small_spec(), {"gear", Split::kTrain, "good", 1}).image,
            synth_image(small_spec(), {"gear", Split::kTest, "good", 1}).image);
}

TEST(Synth, MasksAreExactAndNotEmpty) {
  const SynthSpec spec = small_spec();
  for (const SynthCategory& category : synth_categories()) {
    for (const std::string& defect : category.defects) {
      SCOPED_TRACE(category.name + " " + defect);
      const SynthItem item{category.name, Split::kTest, defect, 0};
      const SynthImage flawed = synth_image(spec, item);
      const SynthImage twin = synth_twin(spec, item);
      std::int64_t marked = 0, change = 0;
      for (std::size_t i = 0; i < flawed.mask.pixels.size(); ++i) {
        int most = 0;
        for (std::size_t c = 3 * i; c < 3 * i + 3; ++c) {
          most = std::max(most, std::abs(flawed.image.pixels[c] - twin.image.pixels[c]));
        }
        if (flawed.mask.pixels[i] == 0) {
          ASSERT_EQ(most, 0) << "changed outside the mask, at pixel " << i;
        } else {
          ASSERT_EQ(flawed.mask.pixels[i], 255);
          ++marked;
          change += most;
        }
      }
      ASSERT_GE(marked, 6);
      EXPECT_LE(marked, 64 * 64 / 4);
      EXPECT_GE(change / marked, 4) << "the mask marks what cannot be seen";
      EXPECT_EQ(std::count(twin.mask.pixels.begin(), twin.mask.pixels.end(), 0), 64 * 64);
    }
  }
}

TEST(Synth, ItemsFillTheLayout) {
  SynthSpec spec = small_spec();
  spec.categories = {"wood"};
  std::vector<std::string> paths;
  for (const SynthItem& item : synth_items(spec)) {
    paths.push_back(item.image_path());
  }
  EXPECT_THAT(paths,
              ::testing::ElementsAre("wood/test/crack/000.png",
                                     "wood/test/good/000.png",
                                     "wood/test/hole/000.png",
                                     "wood/test/scratch/000.png",
                                     "wood/test/stain/000.png",
                                     "wood/train/good/000.png",
                                     "wood/train/good/001.png"));
}

TEST(Synth, BadSpecsAreRefused) {
  SynthSpec spec;
  spec.size = 8;
  expect_error(
      ErrorKind::kUsage, "the image size must be in [64, 2048], got 8", [&] { synth_items(spec); });
  spec = {};
  spec.train = 0;
  expect_error(ErrorKind::kUsage, "training images", [&] { synth_items(spec); });
  spec = {};
  spec.categories = {"gears"};
  expect_error(ErrorKind::kUsage, "did you mean 'gear'", [&] { synth_items(spec); });
  expect_error(ErrorKind::kUsage, "unknown defect of 'gear' 'crack'", [] {
    synth_image(SynthSpec(), {"gear", Split::kTest, "crack", 0});
  });
}

class SynthFolder : public ::testing::Test {
 protected:
  SynthFolder() {
    spec_ = small_spec();
    spec_.categories = {"fabric", "gear"};
  }
  bool make() const { return make_synth_dataset(target_, spec_, encode_png); }

  TempFolder folder_;
  fs::path target_ = folder_.path() / "deep" / "sample";
  SynthSpec spec_;
};

TEST_F(SynthFolder, IsADataset) {
  EXPECT_TRUE(make());
  const Dataset dataset = open_path(target_, "sample", {});
  EXPECT_THAT(dataset.categories, ::testing::ElementsAre("fabric", "gear"));
  EXPECT_EQ(dataset.train.size(), 4U);
  EXPECT_EQ(dataset.test.size(), 10U);
  for (const Sample& sample : dataset.test) {
    EXPECT_EQ(sample.mask.has_value(), sample.anomalous);
  }
  EXPECT_EQ(read_image(target_ / "gear/test/oil/000.png"),
            synth_image(spec_, {"gear", Split::kTest, "oil", 0}).image);
  EXPECT_EQ(read_mask(target_ / "gear/ground_truth/oil/000_mask.png"),
            synth_image(spec_, {"gear", Split::kTest, "oil", 0}).mask);
}

TEST_F(SynthFolder, IsMadeOnce) {
  EXPECT_TRUE(make());
  const auto written = fs::last_write_time(target_ / "synth.json");
  EXPECT_FALSE(make());
  EXPECT_EQ(fs::last_write_time(target_ / "synth.json"), written);
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(target_.parent_path()), {}), 1);
}

TEST_F(SynthFolder, IsMadeAgainWhenDamagedOrDifferent) {
  make();
  const fs::path file = target_ / "gear/train/good/000.png";
  const std::string whole = read_text(file, ErrorKind::kData);
  write_file_atomic(file, whole.substr(0, 100));
  EXPECT_TRUE(make());
  EXPECT_EQ(read_text(file, ErrorKind::kData), whole);
  fs::remove(file);
  EXPECT_TRUE(make());
  write_file_atomic(target_ / "synth.json", "{");
  EXPECT_TRUE(make());
  spec_.seed = 5;
  EXPECT_TRUE(make());
  EXPECT_NE(read_text(file, ErrorKind::kData), whole);
}

TEST_F(SynthFolder, OtherFoldersAreLeftAlone) {
  fs::create_directories(target_);
  EXPECT_TRUE(make()) << "an empty folder may be filled";
  const fs::path precious = folder_.write("mine/work.txt", "precious").parent_path();
  expect_error(ErrorKind::kData, "exists and is no generated data set", [&] {
    make_synth_dataset(precious, spec_, encode_png);
  });
  EXPECT_TRUE(fs::exists(precious / "work.txt"));
  write_file_atomic(target_ / "gear/test/oil/notes.txt", "precious");
  expect_error(ErrorKind::kData, "also holds 'gear/test/oil/notes.txt'", [&] { make(); });
  expect_error(ErrorKind::kData, "work.txt", [&] {
    make_synth_dataset(precious / "work.txt", spec_, encode_png);
  });
}

TEST_F(SynthFolder, AFailureLeavesNothing) {
  expect_error(ErrorKind::kInternal, "no encoder", [&] {
    make_synth_dataset(target_, spec_, [](const Image&) -> std::string {
      fail(ErrorKind::kInternal, "no encoder");
    });
  });
  EXPECT_TRUE(fs::is_empty(target_.parent_path()));
}

}  // namespace
}  // namespace adb
