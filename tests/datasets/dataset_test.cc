#include "datasets/dataset.h"

#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/catalog.h"
#include "datasets/parallel.h"
#include "tests/datasets/tree.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::add_category;
using ::testing::ElementsAre;
using testing::expect_error;
using testing::TempFolder;

TEST(Dataset, RestrictKeepsOrder) {
  const TempFolder folder;
  for (const char* name : {"a/", "b/", "c/"}) {
    add_category(folder, name);
  }
  const Dataset all = open_path(folder.path(), "x", {});
  const Dataset part = all.restrict({"c", "a"});
  EXPECT_THAT(part.categories, ElementsAre("a", "c"));
  EXPECT_EQ(part.train.size(), 4U);
  EXPECT_EQ(part.test.size(), 6U);
  EXPECT_EQ(all.restrict({}).test.size(), 9U);
  expect_error(ErrorKind::kUsage, "unknown category of 'x' 'd'", [&] { all.restrict({"d"}); });
}

TEST(ManifestHash, SeesEveryFactAndByteButNotThePlace) {
  const TempFolder one, two;
  add_category(one, "cup/");
  add_category(two, "cup/");
  const Dataset dataset = open_path(one.path(), "x", {});
  const std::string hash = manifest_hash(dataset);
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_EQ(manifest_hash(open_path(two.path(), "another name", {}), 1), hash);

  std::set<std::string> hashes = {hash};
  const auto expect_new = [&](const Dataset& changed) {
    EXPECT_TRUE(hashes.insert(manifest_hash(changed)).second);
  };
  two.write("cup/train/good/001.png", "other bytes");
  expect_new(open_path(two.path(), "x", {}));
  two.write("cup/ground_truth/broken/000_mask.png", "other bytes");
  expect_new(open_path(two.path(), "x", {}));
  Dataset changed = dataset;
  changed.test[0].anomalous = false;
  expect_new(changed);
  changed = dataset;
  changed.test[0].mask.reset();
  expect_new(changed);
  changed = dataset;
  changed.test[0].defect += "!";
  expect_new(changed);
  changed = dataset;
  std::swap(changed.train[0], changed.train[1]);  // batches, so models, would differ
  expect_new(changed);
}

TEST(ManifestHash, NamesAnUnreadableFile) {
  const TempFolder folder;
  add_category(folder, "cup/");
  const Dataset dataset = open_path(folder.path(), "x", {});
  std::filesystem::remove(folder.path() / "cup/test/good/000.png");
  expect_error(ErrorKind::kData, "cup/test/good/000.png", [&] { manifest_hash(dataset); });
}

TEST(ParallelFor, EachOnceAndTheFirstErrorWins) {
  for (const int threads : {0, 1, 2, 5}) {
    std::vector<int> calls(100);
    parallel_for(calls.size(), threads, [&](std::size_t i) { ++calls[i]; });
    EXPECT_EQ(calls, std::vector<int>(100, 1));
    EXPECT_THROW(parallel_for(10,
                              threads,
                              [](std::size_t i) {
                                if (i == 3) {
                                  throw std::runtime_error("three");
                                }
                              }),
                 std::runtime_error);
  }
  parallel_for(0, 2, [](std::size_t) { FAIL(); });
}

}  // namespace
}  // namespace adb
