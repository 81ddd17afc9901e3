#include "formats/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;

const std::filesystem::path kData = ADB_SOURCE "/tests/formats/data";
const std::filesystem::path kCorpus = ADB_SOURCE "/tests/formats/corpus";

std::vector<double> numbers(const Array& array) {
  return to_doubles(array.view(), "x", ErrorKind::kData);
}

TEST(Npz, reads_stored_and_packed_archives) {
  for (const char* name : {"stored.npz", "packed.npz"}) {
    auto file = NpzFile::open(kData / name, ErrorKind::kData);
    EXPECT_THAT(file.names(), ElementsAre("map", "labels")) << name;
    const Array map = file.read("map");
    EXPECT_THAT(map.shape, ElementsAre(16, 16));
    EXPECT_THAT(numbers(map), ::testing::Each(0.25));
    EXPECT_THAT(numbers(file.read("labels")), ElementsAre(0, 1));
    expect_error(ErrorKind::kData, "array 'absent' is missing", [&] { file.read("absent"); });
  }
}

TEST(Npz, refuses_hostile_archives) {
  auto bomb = NpzFile::open(kCorpus / "npz/bomb", ErrorKind::kData);
  expect_error(ErrorKind::kData, "entry 'a.npy': would unpack", [&] { bomb.read("a"); });
  expect_error(ErrorKind::kData, "not a complete zip archive", [] {
    NpzFile::open(kCorpus / "npz/many_declared", ErrorKind::kData);
  });
  expect_error(ErrorKind::kData, "not a complete zip archive", [] {
    NpzFile::open(kCorpus / "npz/zip64_entries", ErrorKind::kData);
  });
  auto lie = [] { NpzFile::open(kCorpus / "npz/size_lie", ErrorKind::kData).read("a"); };
  expect_error(ErrorKind::kData, "npz/size_lie: ", lie);
  const std::string whole = read_text(kData / "packed.npz", ErrorKind::kData);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(
        NpzFile::parse(
            {reinterpret_cast<const std::uint8_t*>(whole.data()), size}, "x", ErrorKind::kData),
        Error)
        << size;
  }
}

TEST(Npz, finds_damaged_data) {
  std::string whole = read_text(kData / "stored.npz", ErrorKind::kData);
  const std::string quarter("\x00\x00\x80\x3e", 4);  // 0.25F
  whole[whole.find(quarter)] = 1;
  auto file = NpzFile::parse({reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size()},
                             "x.npz",
                             ErrorKind::kData);
  expect_error(ErrorKind::kData, "x.npz: entry 'map.npy': cannot unpack: CRC error", [&] {
    file.read("map");
  });
}

}  // namespace
}  // namespace adb
