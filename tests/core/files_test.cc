#include "core/files.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using testing::expect_error;
using testing::TempFolder;

TEST(Files, AtomicWriteReplacesAndLeavesNothingBehind) {
  const TempFolder temp;
  const auto file = temp.path() / "a.txt";
  write_file_atomic(file, "one");
  write_file_atomic(file, "two");
  EXPECT_EQ(read_text(file, ErrorKind::kData), "two");
  EXPECT_EQ(files_below(temp.path()), (std::vector<std::string>{"a.txt"}));
}

TEST(Files, AFailedWriteKeepsTheOldFile) {
  const TempFolder temp;
  temp.write("folder/inside", "x");
  // The target is a folder: the rename fails after everything else worked.
  expect_error(
      ErrorKind::kData, "cannot write", [&] { write_file_atomic(temp.path() / "folder", "new"); });
  EXPECT_EQ(files_below(temp.path()), (std::vector<std::string>{"folder/inside"}));
  expect_error(
      ErrorKind::kData, "no/such", [&] { write_file_atomic(temp.path() / "no/such/file", "x"); });
}

TEST(Files, ReadingHasALimit) {
  const TempFolder temp;
  const auto file = temp.write("big", std::string(100, 'x'));
  expect_error(ErrorKind::kConfig, "has 100 bytes, more than the limit of 99", [&] {
    read_text(file, ErrorKind::kConfig, 99);
  });
  expect_error(
      ErrorKind::kData, "not a regular file", [&] { read_text(temp.path(), ErrorKind::kData); });
}

TEST(Files, MapsFilesAndEmptyOnes) {
  const TempFolder temp;
  const MappedFile map(temp.write("a", "abc"), ErrorKind::kData);
  EXPECT_EQ(map.bytes().size(), 3U);
  EXPECT_EQ(map.bytes()[2], 'c');
  EXPECT_TRUE(MappedFile(temp.write("b", ""), ErrorKind::kData).bytes().empty());
}

}  // namespace
}  // namespace adb
