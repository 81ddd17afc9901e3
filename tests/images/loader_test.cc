#include "images/loader.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

TEST(Loader, CallsTheLibrary) {
  const ImagesApi& api = images_api();
  EXPECT_EQ(api.abi, kImagesAbi);
  Image image(4, 4, 3);
  image.pixels.assign(image.pixels.size(), 77);
  const testing::TempFolder folder;
  api.write_png(folder.path() / "a.png", image);
  EXPECT_EQ(api.read_image(folder.path() / "a.png"), image);
  EXPECT_EQ(api.resize_image(image, 2, 2).pixels, std::vector<std::uint8_t>(12, 77));
}

TEST(Loader, ErrorsCrossTheBorderAsErrors) {
  const testing::TempFolder folder;
  const auto file = folder.write("a.png", "text");
  testing::expect_error(
      ErrorKind::kData, "a.png' is not a PNG", [&] { images_api().read_mask(file); });
}

}  // namespace
}  // namespace adb
