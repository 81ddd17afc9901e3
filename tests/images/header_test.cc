#include "images/header.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/seed.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

std::string little(std::uint32_t value, int bytes) {
  std::string text;
  for (int k = 0; k < bytes; ++k) {
    text += static_cast<char>(value >> (8 * k));
  }
  return text;
}

std::string big(std::uint32_t value, int bytes) {
  const std::string reversed = little(value, bytes);
  return {reversed.rbegin(), reversed.rend()};
}

std::string png(std::uint32_t width, std::uint32_t height, bool with_end = true) {
  std::string file = "\x89PNG\r\n\x1A\n";
  file += big(13, 4) + "IHDR" + big(width, 4) + big(height, 4) + std::string("\x08\x02\0\0\0", 5) +
          "crc1";
  file += big(3, 4) + "IDAT" + "abc" + "crc2";
  return with_end ? file + big(0, 4) + "IEND" + "crc3" : file;
}

std::string jpeg(std::uint32_t width, std::uint32_t height, bool with_end = true) {
  std::string file = "\xFF\xD8";
  // A comment that holds an end marker: it must not count as the end.
  file += "\xFF\xFE" + big(4, 2) + "\xFF\xD9";
  file += "\xFF\xC0" + big(11, 2) + "\x08" + big(height, 2) + big(width, 2) +
          std::string("\x01\x01\x11\0", 4);
  file += "\xFF\xDA" + big(3, 2) + "\x01" + std::string("data\xFF\0more\xFF\xD3more", 15);
  return with_end ? file + "\xFF\xD9" : file;
}

std::string bmp(std::int32_t width, std::int32_t height, std::size_t pixel_bytes) {
  return "BM" + little(0, 4) + little(0, 4) + little(54, 4) + little(40, 4) +
         little(static_cast<std::uint32_t>(width), 4) +
         little(static_cast<std::uint32_t>(height), 4) + little(1, 2) + little(24, 2) +
         std::string(24, '\0') + std::string(pixel_bytes, 'p');
}

struct Tag {
  std::uint32_t tag, type, count, value;
};

std::string tiff(const std::vector<Tag>& tags, std::size_t pixel_bytes) {
  std::string file =
      std::string("II*\0", 4) + little(8, 4) + little(static_cast<std::uint32_t>(tags.size()), 2);
  for (const Tag& tag : tags) {
    file += little(tag.tag, 2) + little(tag.type, 2) + little(tag.count, 4) + little(tag.value, 4);
  }
  return file + little(0, 4) + std::string(pixel_bytes, 'p');
}

// One strip of `pixel_bytes` right after the directory.
std::vector<Tag> tiff_tags(std::uint32_t width, std::uint32_t height, std::uint32_t pixel_bytes) {
  return {{256, 4, 1, width},
          {257, 4, 1, height},
          {258, 3, 1, 8},
          {273, 4, 1, 74},
          {279, 4, 1, pixel_bytes}};
}

TEST(Header, SizesAreRead) {
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"a.png", png(300, 200)},
           {"a.jpg", jpeg(300, 200)},
           {"a.bmp", bmp(300, 200, 900 * 200)},
           {"upside.bmp", bmp(300, -200, 900 * 200)},
           {"a.tif", tiff(tiff_tags(300, 200, 60000), 60000)}}) {
    const ImageInfo info = parse_image_header(bytes, name);
    EXPECT_EQ(info.width, 300) << name;
    EXPECT_EQ(info.height, 200) << name;
  }
}

TEST(Header, HugeImagesAreRefusedBeforeDecoding) {
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"a.png", png(100'000, 100'000)},
           {"b.png", png(0xFFFFFFFF, 0xFFFFFFFF)},
           {"c.png", png(16384, 16384)},  // both sides are allowed, but not their product
           {"a.jpg", jpeg(65535, 65535)},
           {"a.bmp", bmp(2'000'000'000, 2'000'000'000, 10)},
           {"b.bmp", bmp(20000, INT32_MIN, 10)},
           {"a.tif", tiff(tiff_tags(4'000'000'000, 4'000'000'000, 10), 10)}}) {
    expect_error(
        ErrorKind::kData, "'" + name + "' is too large", [&] { parse_image_header(bytes, name); });
  }
}

TEST(Header, EmptyImagesAreRefused) {
  for (const std::string& bytes :
       {png(0, 5), jpeg(5, 0), bmp(-5, 5, 100), tiff(tiff_tags(5, 0, 10), 10)}) {
    expect_error(ErrorKind::kData, "'x' has no pixels", [&] { parse_image_header(bytes, "x"); });
  }
}

TEST(Header, MissingEndsAreTruncation) {
  for (const std::string& bytes : {png(3, 2, false),
                                   jpeg(3, 2, false),
                                   bmp(300, 200, 900 * 200 - 1),
                                   tiff(tiff_tags(3, 2, 6), 5)}) {
    expect_error(ErrorKind::kData, "'x' is truncated", [&] { parse_image_header(bytes, "x"); });
  }
}

TEST(Header, HostileTiffDirectories) {
  const auto refuse = [](const std::string& part, const std::string& bytes) {
    expect_error(ErrorKind::kData, part, [&] { parse_image_header(bytes, "x"); });
  };
  std::vector<Tag> tags = tiff_tags(3, 2, 6);
  tags[3].count = 0xFFFFFFFF;  // four thousand million strips
  tags[4].count = 0xFFFFFFFF;
  refuse("'x' is truncated", tiff(tags, 6));
  tags = tiff_tags(3, 2, 6);
  tags[3].value = 0xFFFFFFFF;  // a strip beyond the end
  refuse("'x' is truncated", tiff(tags, 6));
  tags = tiff_tags(3, 2, 6);
  tags[0].type = 5;  // a width that is a fraction
  refuse("unexpected type", tiff(tags, 6));
  tags = tiff_tags(3, 2, 6);
  tags.pop_back();
  refuse("no places or no sizes", tiff(tags, 6));
  tags = tiff_tags(3, 2, 6);
  tags.push_back({277, 3, 1, 65535});
  refuse("65535 samples", tiff(tags, 6));
  tags = tiff_tags(3, 2, 6);
  tags[3].tag = 324;
  tags[4].tag = 325;
  tags.push_back({322, 4, 1, 0xFFFFFFF0});
  tags.push_back({323, 4, 1, 16});
  refuse("tiles have an impossible size", tiff(tags, 6));
  refuse("'x' is truncated", std::string("II*\0\xFF\xFF\xFF\xFF", 8));
}

TEST(Header, RandomDamageNeverCrashes) {
  // Errors are fine, crashes and endless loops are not; sanitizers watch.
  Stream stream(0, "header_test");
  for (const std::string& whole :
       {png(30, 20), jpeg(30, 20), bmp(3, 2, 24), tiff(tiff_tags(3, 2, 6), 6)}) {
    for (int round = 0; round < 2000; ++round) {
      std::string bytes = whole;
      for (int k = 0; k < 3; ++k) {
        const auto place =
            static_cast<std::size_t>(stream.below(static_cast<std::int64_t>(bytes.size())));
        bytes[place] = static_cast<char>(stream.bits());
      }
      try {
        const ImageInfo info = parse_image_header(bytes, "x");
        EXPECT_LE(std::int64_t{info.width} * info.height, kMaxImagePixels);
      } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kData);
      }
    }
  }
}

}  // namespace
}  // namespace adb
