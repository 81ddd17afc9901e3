// Every loader keeps the promises of a data set, and the kit that says so can fail.
#include "datasets/conformance.h"

#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/synth/synth.h"
#include "images/codec.h"
#include "tests/datasets/tree.h"

namespace adb {
namespace {

using testing::add_category;
using ::testing::HasSubstr;
using testing::TempFolder;
using testing::touch;

// The broken promises of whatever lies there, one a line.
std::string problems(const std::filesystem::path& place) {
  return fmt::format("{}",
                     fmt::join(check_dataset_conformance([&](const OpenOptions& options) {
                                 return open_path(place, "set", options);
                               }),
                               "\n"));
}

TEST(DatasetConformance, FolderLayout) {
  const TempFolder folder;
  add_category(folder, "bottle/");
  add_category(folder, "cable/");
  EXPECT_EQ(problems(folder.path()), "");
}

TEST(DatasetConformance, Visa) {
  const TempFolder folder;
  std::string split = "object,split,label,image,mask\n";
  for (const std::string object : {"pcb1", "candle"}) {
    touch(folder, {object + "/0.JPG", object + "/1.JPG", object + "/2.JPG", object + "/2.png"});
    split += fmt::format(
        "{0},train,normal,{0}/0.JPG,\n{0},test,normal,{0}/1.JPG,\n{0},test,anomaly,{0}/2.JPG,{0}/"
        "2.png\n",
        object);
  }
  folder.write("split_csv/1cls.csv", split);
  EXPECT_EQ(problems(folder.path()), "");
}

TEST(DatasetConformance, Table) {
  const TempFolder folder;
  touch(folder, {"a0.png", "a1.png", "b0.png", "b1.png"});
  folder.write("manifest.csv",
               "split,category,label,image,defect\ntrain,b,good,b0.png,\ntest,b,good,b1.png,\n"
               "train,a,good,a0.png,\ntest,a,1,a1.png,rust\n");
  EXPECT_EQ(problems(folder.path()), "");
}

TEST(DatasetConformance, Sample) {
  const TempFolder folder;
  const SynthSpec spec{
      .size = 64, .train = 2, .test_good = 1, .test_defective = 2, .categories = {}};
  make_synth_dataset(
      folder.path() / "set", spec, [](const Image& image) { return encode_png(image); });
  EXPECT_EQ(problems(folder.path() / "set"), "");
}

// A loader that does one thing wrong.
struct Broken {
  const char* promise;
  std::function<void(Dataset&, const OpenOptions&, int time)> spoil;
};

class DatasetConformanceFinds : public ::testing::TestWithParam<Broken> {};

TEST_P(DatasetConformanceFinds, ABrokenPromise) {
  const TempFolder folder;
  add_category(folder, "bottle/");
  add_category(folder, "cable/");
  int time = 0;
  const auto found = check_dataset_conformance([&](const OpenOptions& options) {
    auto dataset = open_path(folder.path(), "set", options);
    GetParam().spoil(dataset, options, time++);
    return dataset;
  });
  EXPECT_THAT(fmt::format("{}", fmt::join(found, "\n")), HasSubstr(GetParam().promise));
}

INSTANTIATE_TEST_SUITE_P(
    Kit,
    DatasetConformanceFinds,
    ::testing::Values(
        Broken{"the id 'bottle/test/broken/000.png' stands twice",
               [](Dataset& d, const OpenOptions&, int) { d.test[1].id = d.test[0].id; }},
        Broken{"has no image",
               [](Dataset& d, const OpenOptions&, int) { d.train[0].image += ".x"; }},
        Broken{"has no mask", [](Dataset& d, const OpenOptions&, int) { *d.test[0].mask += ".x"; }},
        Broken{"is anomalous",
               [](Dataset& d, const OpenOptions&, int) { d.train[0].anomalous = true; }},
        Broken{"its defect is 'good'",
               [](Dataset& d, const OpenOptions&, int) { d.test[0].defect = "good"; }},
        Broken{"do not come by category",
               [](Dataset& d, const OpenOptions&, int) {
                 std::swap(d.train.front(), d.train.back());
               }},
        Broken{"a category stands twice",
               [](Dataset& d, const OpenOptions&, int) { d.categories.push_back("cable"); }},
        Broken{"opened again, it is another data set",
               [](Dataset& d, const OpenOptions&, int time) {
                 if (time == 1) {
                   std::swap(d.train[0], d.train[1]);
                 }
               }},
        Broken{"it is not that part of the whole",
               [](Dataset& d, const OpenOptions& o, int) {
                 if (!o.categories.empty()) {
                   d.test.pop_back();
                 }
               }},
        Broken{"without the need of training images", [](Dataset& d, const OpenOptions& o, int) {
                 if (!o.need_train) {
                   d.test.pop_back();
                 }
               }}));

TEST(DatasetConformance, FindsALoaderThatTakesAnyCategory) {
  const TempFolder folder;
  add_category(folder, "bottle/");
  add_category(folder, "cable/");
  const auto found = check_dataset_conformance([&](OpenOptions options) {
    std::erase_if(options.categories, [](const auto& name) { return name != "cable"; });
    return open_path(folder.path(), "set", options);
  });
  EXPECT_THAT(found, ::testing::ElementsAre("an unknown category is not refused"));
}

}  // namespace
}  // namespace adb
