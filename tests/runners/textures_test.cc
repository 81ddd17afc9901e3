#include "runners/worker/textures.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/files.h"
#include "images/codec.h"
#include "images/resize.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::expect_error;

Image flat(int side, std::uint8_t value) {
  Image image(side, side, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), value);
  return image;
}

TEST(Textures, FolderIsReadRecursivelyInOrderOfPaths) {
  const testing::TempFolder temp;
  make_folder(temp.path() / "b");
  write_png(temp.path() / "b" / "1.png", flat(20, 30));
  write_png(temp.path() / "a.PNG", flat(40, 10));
  write_png(temp.path() / "c.png", flat(8, 50));
  write_file_atomic(temp.path() / "README.txt", "not an image");
  for (const std::int64_t budget : {0, 1 << 20}) {
    const auto pool = open_textures(temp.path(), 1, budget);
    ASSERT_EQ(pool->size(), 3);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(pool->texture(0, 16), flat(16, 10));
      EXPECT_EQ(pool->texture(1, 16), flat(16, 30));
      EXPECT_EQ(pool->texture(2, 16), flat(16, 50));
      EXPECT_EQ(pool->texture(2, 24), flat(24, 50));  // another size than the kept one
    }
  }
}

TEST(Textures, BudgetLimitsWhatIsKept) {
  const testing::TempFolder temp;
  write_png(temp.path() / "0.png", flat(16, 1));
  write_png(temp.path() / "1.png", flat(16, 2));
  const auto pool = folder_textures(temp.path(), 16 * 16 * 3);  // room for one
  EXPECT_EQ(pool->texture(0, 16), flat(16, 1));
  EXPECT_EQ(pool->texture(1, 16), flat(16, 2));
  write_png(temp.path() / "0.png", flat(16, 8));
  write_png(temp.path() / "1.png", flat(16, 9));
  EXPECT_EQ(pool->texture(0, 16), flat(16, 1));  // kept
  EXPECT_EQ(pool->texture(1, 16), flat(16, 9));  // read again
}

TEST(Textures, ErrorsNameThePlace) {
  const testing::TempFolder temp;
  expect_error(ErrorKind::kData, "no texture image", [&] { folder_textures(temp.path(), 0); });
  expect_error(ErrorKind::kData, "absent", [&] { folder_textures(temp.path() / "absent", 0); });
  write_file_atomic(temp.path() / "broken.png", "not a PNG");
  const auto pool = folder_textures(temp.path(), 0);
  expect_error(ErrorKind::kData, "broken.png", [&] { pool->texture(0, 16); });
}

TEST(Textures, ProceduralOnesDependOnSeedAndIndexAlone) {
  const auto first = open_textures({}, 5, 0), second = open_textures({}, 5, 0);
  EXPECT_GT(first->size(), 100'000);
  EXPECT_EQ(first->texture(77, 32), second->texture(77, 32));
  EXPECT_NE(first->texture(77, 32), first->texture(78, 32));
  EXPECT_NE(first->texture(77, 32), procedural_textures(6)->texture(77, 32));
}

TEST(Textures, ThreadsMayShareAPool) {
  const testing::TempFolder temp;
  for (int i = 0; i < 8; ++i) {
    write_png(temp.path() / (std::to_string(i) + ".png"),
              flat(32, static_cast<std::uint8_t>(10 * i)));
  }
  const auto pool = folder_textures(temp.path(), 4 * 16 * 16 * 3);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 64; ++i) {
        const auto image = pool->texture(i % 8, 16);
        wrong[t] += image == flat(16, static_cast<std::uint8_t>(10 * (i % 8))) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace adb
