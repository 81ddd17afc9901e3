#include "core/hash.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace adb {
namespace {

// Source: FIPS 180-4 example.
TEST(Hash, KnownDigest) {
  const std::string digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256("abc"), digest);
  EXPECT_EQ(Sha256().add("a").add("bc").hex(), digest);
  const testing::TempFolder temp;
  EXPECT_EQ(sha256_file(temp.write("f", "abc"), ErrorKind::kData), digest);
}

}  // namespace
}  // namespace adb
