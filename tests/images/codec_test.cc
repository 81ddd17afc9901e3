#include "images/codec.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "core/files.h"
#include "images/resize.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::TempFolder;

class Codec : public ::testing::Test {
 protected:
  fs::path save(const std::string& name,
                const cv::Mat& pixels,
                const std::vector<int>& options = {}) const {
    std::vector<std::uint8_t> bytes;
    EXPECT_TRUE(cv::imencode(fs::path(name).extension().string(), pixels, bytes, options));
    return folder_.write(name, std::string(bytes.begin(), bytes.end()));
  }

  // The file's first `bytes` bytes under another name.
  fs::path cut(const fs::path& file, std::size_t bytes) const {
    return folder_.write("cut" + file.extension().string(),
                         read_text(file, ErrorKind::kData).substr(0, bytes));
  }

  TempFolder folder_;
};

fs::path data(const std::string& name) {
  return fs::path(ADB_SOURCE) / "tests/images/data" / name;
}

// 3 wide, 2 high; every channel value differs.
Image small_rgb() {
  Image image(3, 2, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(10 * i + 1);
  }
  return image;
}

// 64 x 48 with enough detail that its files are some kilobytes long.
cv::Mat detailed() {
  cv::Mat pixels(48, 64, CV_8UC3);
  for (int y = 0; y < pixels.rows; ++y) {
    for (int x = 0; x < pixels.cols; ++x) {
      const auto value = static_cast<std::uint8_t>((x * x * 31 + y * 17 * x + y * y) % 251);
      pixels.at<cv::Vec3b>(y, x) = {value, static_cast<std::uint8_t>(value / 2), 7};
    }
  }
  return pixels;
}

TEST_F(Codec, PngRoundTripIsRgb) {
  const fs::path file = folder_.path() / "a.png";
  write_png(file, small_rgb());
  EXPECT_EQ(read_image(file), small_rgb());
  const cv::Mat stored = cv::imread(file.string());
  EXPECT_EQ(stored.at<cv::Vec3b>(0, 0), cv::Vec3b(21, 11, 1)) << "OpenCV reads B, G, R";
}

TEST_F(Codec, GreyIsReplicated) {
  Image grey(2, 1, 1);
  grey.pixels = {5, 250};
  write_png(folder_.path() / "grey.png", grey);
  EXPECT_EQ(read_image(folder_.path() / "grey.png").pixels,
            (std::vector<std::uint8_t>{5, 5, 5, 250, 250, 250}));
  EXPECT_EQ(read_mask(folder_.path() / "grey.png"), grey);
}

TEST_F(Codec, SixteenBitsKeepTheUpperEight) {
  const std::vector<std::uint16_t> values = {0x1234, 0xFFFF, 0x00FF, 0};
  const fs::path file = folder_.write("deep.png", encode_png16(4, 1, values));
  EXPECT_EQ(probe_image(file).bits, 16);
  const Image image = read_image(file);
  EXPECT_EQ(to_grey(image).pixels, (std::vector<std::uint8_t>{0x12, 0xFF, 0, 0}));
  EXPECT_EQ(read_mask(file).pixels, (std::vector<std::uint8_t>{0x12, 0xFF, 1, 0}))
      << "a non-zero mask value stays non-zero";
  EXPECT_EQ(read_map(file).values, (std::vector<float>{4660, 65535, 255, 0}));
  const cv::Mat colour(1, 1, CV_16UC3, cv::Scalar(0x0102, 0x0304, 0x05FF));
  EXPECT_EQ(read_image(save("deep_colour.png", colour)).pixels,
            (std::vector<std::uint8_t>{5, 3, 1}));
  EXPECT_EQ(read_image(save("deep_colour.tiff", colour)).pixels,
            (std::vector<std::uint8_t>{5, 3, 1}));
}

TEST_F(Codec, AlphaIsDropped) {
  const cv::Mat clear(1, 1, CV_8UC4, cv::Scalar(30, 20, 10, 0));  // fully transparent
  for (const char* name : {"alpha.png", "alpha.tiff"}) {
    EXPECT_EQ(read_image(save(name, clear)).pixels, (std::vector<std::uint8_t>{10, 20, 30}))
        << name;
  }
  EXPECT_EQ(read_mask(data("grey_alpha.png")).pixels, (std::vector<std::uint8_t>{7, 200}));
}

TEST_F(Codec, PalettesAreLookedUp) {
  const std::vector<std::uint8_t> expected = {200, 100, 50, 10, 20, 30};
  for (const char* name : {"palette.png", "palette.tif", "palette.bmp"}) {
    EXPECT_TRUE(probe_image(data(name)).palette) << name;
    EXPECT_EQ(read_image(data(name)).pixels, expected) << name;
  }
  expect_error(
      ErrorKind::kData, "palette.png' has a palette", [] { read_map(data("palette.png")); });
}

TEST_F(Codec, OneBitMasksAreBlackAndWhite) {
  EXPECT_EQ(read_mask(data("one_bit.png")).pixels,
            (std::vector<std::uint8_t>{255, 0, 0, 0, 0, 0, 0, 0, 255}));
}

TEST_F(Codec, ExifRotationIsIgnored) {
  const Image image = read_image(data("rotated.jpg"));
  EXPECT_EQ(image.width, 4);
  EXPECT_EQ(image.height, 2);
  expect_error(
      ErrorKind::kData, "oriented.tif' is stored turned", [] { read_image(data("oriented.tif")); });
}

TEST_F(Codec, FourInksBecomeRgb) {
  const Image image = read_image(data("cmyk.jpg"));
  EXPECT_EQ(image.channels, 3);
  EXPECT_GT(image.pixels[0], 200);  // red
  EXPECT_LT(image.pixels[1], 60);
}

TEST_F(Codec, CompressedTiff) {
  const Image image = read_mask(data("lzw.tif"));
  ASSERT_EQ(image.pixels.size(), 48U);
  EXPECT_EQ(image.pixels[47], 235);
}

TEST_F(Codec, JpegAndBmpAndTiff) {
  for (const char* name : {"d.jpg", "d.bmp", "d.tiff"}) {
    const fs::path file = save(name, detailed());
    const ImageInfo info = probe_image(file);
    EXPECT_EQ(info.width, 64) << name;
    EXPECT_EQ(info.height, 48) << name;
    EXPECT_EQ(info.channels, 3) << name;
    EXPECT_EQ(read_image(file).height, 48) << name;
  }
  const fs::path progressive = save(
      "p.jpg", detailed(), {cv::IMWRITE_JPEG_PROGRESSIVE, 1, cv::IMWRITE_JPEG_RST_INTERVAL, 1});
  EXPECT_EQ(read_image(progressive).width, 64);
}

TEST_F(Codec, TheContentDecidesTheFormat) {
  const fs::path file = folder_.write("really_png.jpg", encode_png(small_rgb()));
  EXPECT_EQ(probe_image(file).format, ImageFormat::kPng);
  EXPECT_EQ(read_image(file), small_rgb());
}

TEST_F(Codec, TruncatedFilesAreRefusedAtEveryLength) {
  for (const char* name : {"t.png", "t.jpg", "t.bmp", "t.tiff"}) {
    const fs::path file = save(name, detailed());
    const std::size_t whole = fs::file_size(file);
    for (std::size_t bytes = 0; bytes < whole; bytes += 1 + bytes / 7) {
      SCOPED_TRACE(std::string(name) + " cut to " + std::to_string(bytes));
      const fs::path part = cut(file, bytes);
      expect_error(ErrorKind::kData, part.string(), [&] { read_image(part); });
    }
    const fs::path almost = cut(file, whole - 1);
    const bool is_tiff =
        file.extension() == ".tiff";  // the last byte may belong to any of its tags
    expect_error(ErrorKind::kData, is_tiff ? "cut.tiff' is" : "is truncated: it ends after", [&] {
      read_image(almost);
    });
  }
}

TEST_F(Codec, DamagedPixelsAreRefused) {
  std::string bytes = encode_png(read_image(save("d.bmp", detailed())));
  for (std::size_t k = 0; k < 40; ++k) {
    bytes[bytes.size() / 2 + k] = 'x';
  }
  const fs::path file = folder_.write("damaged.png", bytes);
  expect_error(ErrorKind::kData,
               "damaged.png' is damaged: its 64 x 48 pixels cannot be decoded",
               [&] { read_image(file); });
}

TEST_F(Codec, OtherFilesAreRefusedByName) {
  const fs::path text = folder_.write("notes.png", "these are no pixels");
  expect_error(ErrorKind::kData, "notes.png' is not a PNG, JPEG, BMP or TIFF file", [&] {
    read_image(text);
  });
  const fs::path empty = folder_.write("empty.png", "");
  expect_error(ErrorKind::kData, "empty.png' is empty", [&] { read_mask(empty); });
  expect_error(ErrorKind::kData, "absent.png", [&] { probe_image(folder_.path() / "absent.png"); });
  expect_error(ErrorKind::kData, "not a regular file", [&] { read_image(folder_.path()); });
}

TEST_F(Codec, MapsAreReadAsTheyAre) {
  const cv::Mat floats = (cv::Mat_<float>(2, 2) << 0.125F, -3.5F, 1e30F, 1e-40F);
  const fs::path file = save("map.tiff", floats);
  EXPECT_TRUE(probe_image(file).floating);
  EXPECT_EQ(read_map(file).values, (std::vector<float>{0.125F, -3.5F, 1e30F, 1e-40F}));
  expect_error(ErrorKind::kData, "map.tiff' has floating-point pixels of 32 bits", [&] {
    read_image(file);
  });

  const fs::path doubles = save("double.tiff", cv::Mat(2, 2, CV_64FC1, cv::Scalar(1)));
  expect_error(ErrorKind::kData, "floating-point values of 64 bits", [&] { read_map(doubles); });

  Image grey(2, 1, 1);
  grey.pixels = {3, 255};
  write_png(folder_.path() / "grey.png", grey);
  EXPECT_EQ(read_map(folder_.path() / "grey.png").values, (std::vector<float>{3, 255}));
  write_png(folder_.path() / "rgb.png", small_rgb());
  expect_error(
      ErrorKind::kData, "rgb.png' has 3 channels", [&] { read_map(folder_.path() / "rgb.png"); });
}

TEST_F(Codec, ThumbnailsAreSmallJpegs) {
  const Image image = read_image(save("d.bmp", detailed()));
  const std::string thumbnail = encode_jpeg(image, 80);
  const Image back = read_image(folder_.write("t.jpg", thumbnail));
  EXPECT_EQ(back.width, 64);
  EXPECT_LT(encode_jpeg(image, 20).size(), thumbnail.size());
}

}  // namespace
}  // namespace adb
