// VisA's split file, and manifests.
#include "datasets/table.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/csv.h"
#include "tests/datasets/tree.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::ids;
using testing::TempFolder;
using testing::touch;

Dataset open(const TempFolder& folder, const OpenOptions& options = {}) {
  return open_path(folder.path(), "set", options);
}

TEST(Csv, QuotesAndLineEnds) {
  const CsvTable table = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n2,",
      "f.csv");
  EXPECT_EQ(table.columns.at("b"), 1U);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("1", "x, \"y\"\nz"));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("2", ""));
  EXPECT_EQ(table.rows[1].line, 5U);
}

TEST(Csv, ErrorsNameTheLine) {
  const auto refuse = [](const std::string& part, const std::string& text) {
    expect_error(ErrorKind::kData, part, [&] { parse_csv(text, "f.csv"); });
  };
  refuse("f.csv:2: a quoted field does not end", "a,b\n1,\"open\n\n");
  refuse("f.csv:3: 1 fields where the header has 2", "a,b\n1,2\n3\n");
  refuse("f.csv:2: expected a comma", "a,b\n\"1\"x,2\n");
  refuse("f.csv:1: column 'a' is named twice", "a,a\n");
  refuse("not valid UTF-8", "a,\xC0\x80\n");
  EXPECT_TRUE(parse_csv("", "f.csv").rows.empty());
}

const std::string kVisaHeader = "object,split,label,image,mask\n";

TempFolder& visa_tree(TempFolder& folder) {
  touch(folder,
        {"candle/Data/Images/Normal/0001.JPG",
         "candle/Data/Images/Normal/0000.JPG",
         "candle/Data/Images/Anomaly/000.JPG",
         "candle/Data/Masks/Anomaly/000.png",
         "pcb1/Data/Images/Normal/0000.JPG",
         "pcb1/Data/Images/Normal/0001.JPG"});
  folder.write("split_csv/1cls.csv",
               kVisaHeader +
                   "candle,train,normal,candle/Data/Images/Normal/0001.JPG,\n"
                   "candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/"
                   "Anomaly/000.png\n"
                   "candle,test,normal,candle/Data/Images/Normal/0000.JPG,\n"
                   "pcb1,train,normal,pcb1/Data/Images/Normal/0000.JPG,\n"
                   "pcb1,test,normal,pcb1/Data/Images/Normal/0001.JPG,\n");
  return folder;
}

TEST(Visa, FileOrderAndCardOrder) {
  TempFolder folder;
  const Dataset dataset = open(visa_tree(folder));
  EXPECT_THAT(dataset.categories, ElementsAre("pcb1", "candle"));
  EXPECT_THAT(ids(dataset.test),
              ElementsAre("pcb1/Data/Images/Normal/0001.JPG",
                          "candle/Data/Images/Anomaly/000.JPG",
                          "candle/Data/Images/Normal/0000.JPG"));
  EXPECT_EQ(dataset.test[1].mask, folder.path() / "candle/Data/Masks/Anomaly/000.png");
  EXPECT_EQ(dataset.test[1].defect, "anomaly");
  EXPECT_EQ(dataset.test[2].defect, "good");
}

TEST(Visa, ChosenCategoriesOnly) {
  TempFolder folder;
  visa_tree(folder);
  std::filesystem::remove_all(folder.path() / "candle");
  OpenOptions options;
  options.categories = {"pcb1"};
  EXPECT_THAT(open(folder, options).categories, ElementsAre("pcb1"));
  options.categories = {"pcb9"};
  expect_error(ErrorKind::kUsage, "pcb9", [&] { open(folder, options); });
}

TEST(Visa, BrokenRowsAreNamed) {
  TempFolder folder;
  visa_tree(folder);
  const auto refuse = [&](const std::string& part, const std::string& rows) {
    folder.write("split_csv/1cls.csv", kVisaHeader + rows);
    expect_error(ErrorKind::kData, part, [&] { open(folder); });
  };
  const std::string image = "candle/Data/Images/Normal/0000.JPG";
  refuse("1cls.csv:2: the image '", "candle,train,normal,candle/none.JPG,\n");
  refuse("1cls.csv:2: the mask '", "candle,test,anomaly," + image + ",candle/none.png\n");
  refuse("1cls.csv:2: unknown split 'val'", "candle,val,normal," + image + ",\n");
  refuse("1cls.csv:2: unknown label 'odd'", "candle,test,odd," + image + ",\n");
  refuse("1cls.csv:2: a training image is labelled 'anomaly'",
         "candle,train,anomaly," + image + ",\n");
  refuse("1cls.csv:2: no image is given", "candle,train,normal,,\n");
  refuse("leads out of", "candle,train,normal,../secret.png,\n");
  refuse("leads out of", "candle,train,normal,candle/../../secret.png,\n");
  refuse("leads out of", "candle,train,normal,/etc/passwd,\n");
  refuse("'a/b' cannot be a category", "a/b,train,normal," + image + ",\n");
  refuse("1cls.csv:3: image '" + image + "' is listed before, at",
         "candle,train,normal," + image + ",\ncandle,test,normal,./" + image + ",\n");
  refuse("category 'candle' of", "candle,train,normal," + image + ",\n");
  refuse("lists no images", "");
  folder.write("split_csv/1cls.csv", "object,split,label,image\n");
  expect_error(ErrorKind::kData, "has no column 'mask'", [&] { open(folder); });
}

TEST(Manifest, CsvWithoutMasks) {
  TempFolder folder;
  touch(folder, {"img/a.png", "img/b.png", "img/c.png"});
  const auto file = folder.write("list.csv",
                                 "split,category,label,image,defect\n"
                                 "train,part,good,img/a.png,\n"
                                 "test,part,0,img/b.png,\n"
                                 "test,part,1," +
                                     (folder.path() / "img/c.png").string() + ",rust\n");
  const Dataset dataset = open_path(file, "mine", {});
  EXPECT_EQ(dataset.name, "mine");
  EXPECT_THAT(ids(dataset.test), ElementsAre("img/b.png", "img/c.png"));
  EXPECT_EQ(dataset.test[1].defect, "rust");
  EXPECT_THAT(dataset.notes,
              ElementsAre(HasSubstr("pixel figures of 'part' are undefined: 1 of 1")));
}

TEST(Manifest, JsonListAndObject) {
  TempFolder folder;
  touch(folder, {"a.png", "b.png", "m.png"});
  const std::string samples =
      R"([{"image": "a.png", "category": "part", "split": "train", "label": "normal"},
          {"image": "b.png", "category": "part", "split": "test", "anomalous": true, "mask": "m.png"}])";
  for (const std::string& text :
       {samples, R"({"title": "My parts", "samples": )" + samples + "}"}) {
    folder.write("manifest.json", text);
    const Dataset dataset = open(folder);  // a folder that holds only a manifest
    EXPECT_EQ(dataset.test[0].mask, folder.path() / "m.png");
    EXPECT_TRUE(dataset.test[0].anomalous);
    EXPECT_EQ(dataset.title, text == samples ? "set" : "My parts");
  }
}

TEST(Manifest, ErrorsNameThePlace) {
  TempFolder folder;
  touch(folder, {"a.png"});
  const auto refuse =
      [&](const std::string& part, const std::string& name, const std::string& text) {
        const auto file = folder.write(name, text);
        expect_error(ErrorKind::kData, part, [&] { open_path(file, "x", {}); });
      };
  refuse("m.csv' has no column 'label'", "m.csv", "image,category,split\na.png,p,train\n");
  refuse("m.csv: unknown column 'masks'", "m.csv", "image,category,split,label,masks\n");
  refuse("m.json: samples[0]: unknown field 'imag'", "m.json", R"([{"imag": "a.png"}])");
  refuse("samples[0].anomalous", "m.json", R"([{"image": "a.png", "anomalous": 1}])");
  refuse("samples[0] must be an object", "m.json", "[5]");
  refuse("m.json:1:", "m.json", "[");
  refuse("samples must be a list", "m.json", R"({"samples": {}})");
  refuse("m.txt' is no data set", "m.txt", "");
}

TEST(Manifest, KeepGoingRecordsMissingFiles) {
  TempFolder folder;
  touch(folder, {"a.png", "b.png"});
  const auto file = folder.write("m.csv",
                                 "image,category,split,label,mask\n"
                                 "a.png,p,train,0,\nb.png,p,test,1,gone.png\nlost.png,p,test,0,\n");
  OpenOptions options;
  options.keep_going = true;
  const Dataset dataset = open_path(file, "x", options);
  EXPECT_THAT(dataset.missing,
              ElementsAre(HasSubstr("m.csv:3: the mask"), HasSubstr("m.csv:4: the image")));
  EXPECT_THAT(ids(dataset.test), ElementsAre("b.png"));
}

}  // namespace
}  // namespace adb
