#include "formats/report_files.h"

#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "core/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::expect_error;
using testing::TempFolder;

const std::string kPng = std::string("\x89PNG\r\n\x1a\n", 8) + "rest";
const std::string kJpeg = "\xFF\xD8\xFF rest";

TestCurves sample_curves() {
  CategoryCurves curves;
  curves.category = "a \"b\" <c>";
  curves.image_roc = {{0, 0}, {0.25, 0.5}, {1, 1}};
  curves.pixel_pro = {{0, 0}, {0.3, 1.0 / 3}};
  curves.scores = {.low = -1.5, .high = 2, .normal = {3, 0}, .anomalous = {0, 7}};
  return {.epoch = 80, .categories = {curves}};
}

Thumbnail sample_thumbnail(const std::string& name) {
  return {.category = "grid",
          .sample = name,
          .anomalous = true,
          .score = 0.5,
          .low = 0,
          .high = 1,
          .input = kJpeg,
          .truth = kPng,
          .heat = kPng + name};
}

TEST(ReportFiles, CurvesComeBackAsTheyWere) {
  const TempFolder temp;
  const auto file = temp.path() / curves_file_name(80);
  EXPECT_EQ(file.filename(), "curves-80.json");
  write_curves(file, sample_curves());
  EXPECT_EQ(read_curves(file), sample_curves());
}

TEST(ReportFiles, CurvesThatCannotBeDrawnAreNotWritten) {
  const TempFolder temp;
  const auto refused = [&](const char* part, const auto& change) {
    auto curves = sample_curves();
    change(curves.categories[0]);
    expect_error(ErrorKind::kInternal, part, [&] { write_curves(temp.path() / "c.json", curves); });
  };
  refused("point 1 lies outside", [](auto& c) { c.image_roc[1][0] = std::nan(""); });
  refused("point 0 lies outside", [](auto& c) { c.image_roc[0][1] = 1.01; });
  refused("point 2 lies left", [](auto& c) { c.image_roc[2][0] = 0.2; });
  refused("513 points", [](auto& c) { c.image_pr.assign(513, {0.5, 0.5}); });
  refused("bins", [](auto& c) { c.scores.normal.pop_back(); });
  refused("finite", [](auto& c) { c.scores.high = std::numeric_limits<double>::infinity(); });
  refused("negative", [](auto& c) { c.scores.normal[0] = -1; });
}

TEST(ReportFiles, HostileCurvesAreNamedAndRefused) {
  const TempFolder temp;
  write_curves(temp.path() / "good.json", sample_curves());
  const std::string good = read_text(temp.path() / "good.json", ErrorKind::kData);
  const auto refused = [&](const char* part, const std::string& from, const std::string& to) {
    std::string text = good;
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    const auto file = temp.write("bad.json", text);
    expect_error(ErrorKind::kData, "bad.json", [&] { read_curves(file); });
    expect_error(ErrorKind::kData, part, [&] { read_curves(file); });
  };
  refused("schema 2", "\"schema\":1", "\"schema\":2");
  refused("image_roc", "\"image_roc\"", "\"image_rac\"");
  refused("two numbers", "[0.25,0.5]", "[0.25]");
  refused("point 1 lies outside", "[0.25,0.5]", "[0.25,1e9]");
  refused("no list", "\"normal\":[3,0]", "\"normal\":3");
  expect_error(ErrorKind::kData, "absent.json", [&] { read_curves(temp.path() / "absent.json"); });
}

TEST(ReportFiles, ThumbnailsComeBackAsTheyWere) {
  const TempFolder temp;
  auto normal = sample_thumbnail("good/0");
  normal.anomalous = false;
  normal.truth.clear();
  const std::vector<Thumbnail> images = {sample_thumbnail("cut/1"), normal};
  const auto file = temp.path() / thumbnails_file_name(7);
  write_thumbnails(file, 7, images);
  const auto read = ThumbnailFile::open(file);
  EXPECT_EQ(read.epoch(), 7);
  ASSERT_EQ(read.images().size(), 2U);
  EXPECT_TRUE(read.images()[0].heat.empty()) << "pictures are read when asked for";
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Thumbnail got = read.read(i);
    EXPECT_EQ(got.category, "grid");
    EXPECT_EQ(got.sample, images[i].sample);
    EXPECT_EQ(got.anomalous, images[i].anomalous);
    EXPECT_EQ(got.score, 0.5);
    EXPECT_EQ(got.high, 1);
    EXPECT_EQ(got.input, images[i].input);
    EXPECT_EQ(got.truth, images[i].truth);
    EXPECT_EQ(got.heat, images[i].heat);
  }
}

TEST(ReportFiles, BytesThatAreNoPictureAreRefusedOnBothSides) {
  const TempFolder temp;
  auto bad = sample_thumbnail("x");
  bad.heat = "<svg onload=alert(1)>";
  expect_error(ErrorKind::kInternal, "no picture", [&] {
    write_thumbnails(temp.path() / "t.safetensors", 1, std::vector{bad});
  });
  bad = sample_thumbnail("x");
  bad.score = std::nan("");
  expect_error(ErrorKind::kInternal, "finite", [&] {
    write_thumbnails(temp.path() / "t.safetensors", 1, std::vector{bad});
  });

  const auto file = temp.path() / "t.safetensors";
  write_thumbnails(file, 1, std::vector{sample_thumbnail("x")});
  std::string bytes = read_text(file, ErrorKind::kData);
  const auto at = bytes.find(kJpeg);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 4, "<svg");
  std::ofstream(file, std::ios::binary) << bytes;
  expect_error(ErrorKind::kData, "no picture", [&] { ThumbnailFile::open(file).read(0); });
  const auto empty = temp.write("e.safetensors", "x");
  expect_error(ErrorKind::kData, "e.safetensors", [&] { ThumbnailFile::open(empty); });
}

}  // namespace
}  // namespace adb
