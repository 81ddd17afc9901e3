// Suite files, the cells they make, and the stored runs that belong to them.
#include "runners/schedule/suite.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runners/schedule/plan.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using adb::testing::expect_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path kShare = std::filesystem::path(ADB_SOURCE) / "configs";

// Two methods: `vitad` with a checkpoint, `draem` without.
Registry<MethodInfo> methods() {
  Registry<MethodInfo> list("method");
  for (const char* name : {"vitad", "draem"}) {
    MethodInfo method;
    method.name = name;
    const OptionField epochs = {
        "epochs", OptionType::kInteger, 100, OptionRange{1, 1000}, {}, "passes"};
    const OptionField image_size = {
        "image_size", OptionType::kInteger, 256, OptionRange{16, 512}, {}, "side"};
    method.options = {epochs, image_size};
    method.options.push_back({"weights", OptionType::kText, "auto", {}, {}, "weights"});
    if (method.name == "vitad") {
      method.options.push_back(
          {"backbone", OptionType::kChoice, "small", {}, {"small", "big"}, ""});
      method.options.push_back(
          {"neck", OptionType::kIntegerList, Json::array(), OptionRange{0, 64}, {}, ""});
      method.weights_option = "backbone";
      method.weights = {{"small", "vit_small_patch16_224.dino"}};
    }
    list.add(std::move(method));
  }
  return list;
}

constexpr const char* kText = R"(title: Fusers
dataset: mvtec_ad
protocol: paper
method: vitad
cells:
  plain: {}
  deep: {epochs: 30, options: {neck: [3, 6]}}
  other: {method: draem}
  untrained: {options: {weights: random}}
table:
  published: [VIII]
  columns: [mad, image.auroc]
  rows:
    - {cell: deep, label: Deep, published: fuser/deep, note: a note, differs: a reason}
    - {cell: plain, label: Plain}
    - {cell: other}
    - {cell: untrained}
    - {cell: plain, label: Plain again}
)";

Suite suite_of(const std::string& text) {
  return parse_suite(text, "x/fusers", "suites/x/fusers.yaml", methods());
}

std::string with(const std::string& from, const std::string& to) {
  std::string text = kText;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_refused(ErrorKind kind, const std::string& text, const std::string& message) {
  expect_error(kind, message, [&] { suite_of(text); });
}

TEST(Suite, HasCellsAndATable) {
  const auto suite = suite_of(kText);
  EXPECT_EQ(suite.name, "x/fusers");
  ASSERT_EQ(suite.cells.size(), 4u);
  ASSERT_EQ(suite.cells[1].settings.size(), 2u);
  EXPECT_EQ(suite.cells[1].settings[0].path, "epochs");
  EXPECT_EQ(suite.cells[1].settings[1].value, Json({3, 6}));
  EXPECT_EQ(suite.cells[1].settings[1].place, "suites/x/fusers.yaml:7:38");
  EXPECT_EQ(suite.cells[2].method, "draem");
  ASSERT_EQ(suite.rows.size(), 5u);
  EXPECT_EQ(suite.rows[0].published, "fuser/deep");
  EXPECT_EQ(suite.rows[2].label, "other") << "a row without a label has its cell's name";
  EXPECT_EQ(suite.columns[0].text, "mad");
  EXPECT_FALSE(suite.by_class);
  EXPECT_TRUE(suite_of(with("  published: [VIII]", "  layout: classes")).by_class);
}

TEST(Suite, EveryMistakeIsNamedWithItsPlace) {
  expect_refused(ErrorKind::kConfig,
                 with("protocol: paper", "protokol: paper"),
                 "suites/x/fusers.yaml:3:11: unknown key in a suite 'protokol'; did you mean "
                 "'protocol'?");
  expect_refused(ErrorKind::kConfig, with("title: Fusers\n", ""), "'title' is missing");
  expect_refused(ErrorKind::kConfig,
                 with("method: vitad", "method: vitat"),
                 "suites/x/fusers.yaml:4:9: unknown method 'vitat'; did you mean 'vitad'?");
  expect_refused(ErrorKind::kUsage,
                 with("neck: [3, 6]", "nek: [3, 6]"),
                 "suites/x/fusers.yaml:7:37: unknown option 'nek'; did you mean 'neck'?");
  expect_refused(
      ErrorKind::kUsage, with("neck: [3, 6]", "neck: [3, six]"), "suites/x/fusers.yaml:7:38: neck");
  expect_refused(
      ErrorKind::kUsage, with("epochs: 30", "epochs: 0"), "epochs: must be in [1, 1000]");
  expect_refused(ErrorKind::kConfig,
                 with("options: {neck", "options: {epochs: 3, neck"),
                 "option 'epochs' is given twice");
  expect_refused(ErrorKind::kConfig,
                 with("epochs: 30", "epoch: 30"),
                 "unknown key in cell 'deep' 'epoch'; did you mean 'epochs'?");
  expect_refused(ErrorKind::kConfig,
                 with("cell: other", "cell: othr"),
                 "suites/x/fusers.yaml:16:14: unknown cell 'othr'; did you mean 'other'?");
  expect_refused(ErrorKind::kConfig,
                 with("    - {cell: other}\n", ""),
                 "cell 'other' stands in no row of the table");
  expect_refused(ErrorKind::kConfig,
                 with("label: Plain again", "label: Plain"),
                 "suites/x/fusers.yaml:18:7: label 'Plain' stands twice");
  expect_refused(
      ErrorKind::kConfig, with("[mad, image.auroc]", "[mad, mad]"), "column 'mad' stands twice");
  expect_refused(ErrorKind::kConfig,
                 with("  published: [VIII]", "  layout: clases"),
                 "unknown layout 'clases'; did you mean 'classes'?");
  expect_refused(ErrorKind::kConfig, "[1, 2", "suites/x/fusers.yaml");
  expect_refused(ErrorKind::kConfig, "just text", "a suite: expected keys and values");
}

TEST(Suite, NamesAreFilesBelowTheFolderOnly) {
  EXPECT_THAT(suite_names(kShare), ::testing::Contains("paper/table-08-fuser"));
  EXPECT_THAT(suite_names(kShare / "none"), IsEmpty());
  for (const char* name : {"paper/table-8-fuser", "../weights", "paper/table-08-fuser.yaml", ""}) {
    expect_error(ErrorKind::kUsage, "unknown suite", [&] { read_suite(kShare, name, methods()); });
  }
}

class Cells : public ::testing::Test {
 protected:
  std::vector<CellDraft> drafts(const Selection& selection) {
    return draft_cells(selection, {kShare, &methods_, &weights_, {}, nullptr});
  }

  Selection selection() {
    Selection selected;
    selected.suites = {suite_of(kText)};
    return selected;
  }

  Registry<MethodInfo> methods_ = methods();
  Registry<WeightsInfo> weights_ = read_weights_catalogue(kShare);
};

TEST_F(Cells, ComeInTheOrderOfTheRows) {
  const auto cells = drafts(selection());
  ASSERT_EQ(cells.size(), 5u);
  EXPECT_EQ(cells[0].cell.options.at("epochs"), 30);
  EXPECT_EQ(cells[0].cell.changed, Json({{"epochs", 30}, {"neck", {3, 6}}}));
  EXPECT_EQ(cells[0].cell.origins.at(0).origin, "suites/x/fusers.yaml:7:18");
  EXPECT_EQ(cells[0].cell.row, "x/fusers, Deep");
  EXPECT_EQ(cells[0].cell.dataset, "mvtec_ad");
  EXPECT_EQ(cells[0].cell.weights.name, "vit_small_patch16_224.dino");
  EXPECT_TRUE(cells[1].cell.changed.empty()) << "a row of defaults is the default cell";
  EXPECT_EQ(cells[2].cell.method->name, "draem");
  EXPECT_EQ(cells[3].cell.weights.resolved, "random");
  EXPECT_EQ(cells[4].row, 4u);
}

TEST_F(Cells, FlagsOverrideTheSuite) {
  auto selected = selection();
  selected.settings = {parse_setting("epochs=2"), parse_setting("vitad.neck=[]")};
  selected.settings[1].value = Json::array({9});
  selected.protocol = "sample";
  selected.datasets = {"sample"};
  selected.methods = {"vitad"};
  const auto cells = drafts(selected);
  ASSERT_EQ(cells.size(), 4u) << "rows of other methods are left out";
  EXPECT_EQ(cells[0].cell.options.at("epochs"), 2);
  EXPECT_EQ(cells[0].cell.options.at("neck"), Json({9}));
  EXPECT_EQ(cells[0].cell.protocol.name, "sample");
  EXPECT_EQ(cells[0].cell.dataset, "sample");
  const auto own = drafts(selection());
  EXPECT_THAT(departures(cells[0].cell, own[0].cell),
              ElementsAre("data set sample",
                          "protocol sample",
                          "epochs 2 instead of 30",
                          "neck [9] instead of [3,6]"));
  EXPECT_THAT(departures(own[1].cell, own[1].cell), IsEmpty());
  selected.methods = {"draem"};
  expect_error(ErrorKind::kUsage, "vitad.neck", [&] { drafts(selected); });
}

TEST_F(Cells, WeightsMayBeACheckpointByName) {
  auto selected = selection();
  selected.settings = {parse_setting("vitad.weights=resnet18.tv_in1k")};
  EXPECT_EQ(drafts(selected)[0].cell.weights.name, "resnet18.tv_in1k");
  selected.settings = {parse_setting("vitad.weights=./some/file.pth")};
  EXPECT_EQ(drafts(selected)[0].cell.weights.source, "file.pth");
  const auto plan =
      make_plan(selected, {kShare, &methods_, &weights_, {}, nullptr}, /*strict=*/false);
  EXPECT_EQ(plan.cells.at(0).lacks, "data missing, weights missing");
  selected.settings = {parse_setting("vitad.weights=resnet18.tv_in1")};
  expect_error(ErrorKind::kWeights, "did you mean the checkpoint 'resnet18.tv_in1k'?", [&] {
    make_plan(selected, {kShare, &methods_, &weights_, {}, nullptr}, /*strict=*/true);
  });
}

TEST_F(Cells, APlanNeedsNeitherDataNorWeightsAndSharesCells) {
  auto selected = selection();
  selected.suites.push_back(suite_of(kText));
  const auto plan =
      make_plan(selected, {kShare, &methods_, &weights_, {}, nullptr}, /*strict=*/false);
  EXPECT_EQ(plan.rows.size(), 10u);
  EXPECT_EQ(plan.cells.size(), 4u) << "rows with equal options are one training";
  EXPECT_THAT(plan.rows[1].cells, ElementsAre(1));
  EXPECT_THAT(plan.rows[4].cells, ElementsAre(1));
  EXPECT_THAT(plan.rows[5].cells, ElementsAre(0));
  EXPECT_EQ(plan.cells[0].key, "");
  EXPECT_EQ(plan.cells[0].lacks, "data missing, weights missing: vit_small_patch16_224.dino");
  EXPECT_EQ(plan.cells[2].lacks, "data missing");
}

RunRow run_of(const Cell& cell) {
  RunRow run;
  run.method = cell.method->name;
  run.dataset = "mvtec_ad";
  run.setting = "multi";
  run.protocol = "paper";
  run.options = cell.options;
  run.classes = {"carpet", "grid"};
  run.weights = {cell.weights.name, "file.pth", "0123"};
  return run;
}

TEST_F(Cells, RecogniseTheirRuns) {
  const auto cells = drafts(selection());
  const auto& deep = cells[0].cell;
  const auto run = run_of(deep);
  EXPECT_TRUE(run_matches(run, deep, {}));
  EXPECT_FALSE(run_matches(run, cells[1].cell, {})) << "other options";
  const auto expect_other = [&](const char* what, auto change) {
    auto other = run;
    change(other);
    EXPECT_FALSE(run_matches(other, deep, {})) << what;
  };
  expect_other("method", [](RunRow& r) { r.method = "draem"; });
  expect_other("data set", [](RunRow& r) { r.dataset = "sample"; });
  expect_other("protocol", [](RunRow& r) { r.protocol = "sample"; });
  expect_other("setting", [](RunRow& r) { r.setting = "single"; });
  expect_other("an option", [](RunRow& r) { r.options["image_size"] = 128; });
  expect_other("maps of another program", [](RunRow& r) { r.external = true; });
  expect_other("random weights", [](RunRow& r) { r.weights.resolved = "random"; });
  expect_other("another checkpoint", [](RunRow& r) { r.weights.name = "other"; });
  EXPECT_TRUE(run_matches(run, deep, {"carpet", "grid"}));
  EXPECT_FALSE(run_matches(run, deep, {"grid"}));
  auto older = run;
  older.options.erase("image_size");
  EXPECT_TRUE(run_matches(older, deep, {})) << "an option that a run did not have yet";

  auto untrained = run_of(cells[3].cell);
  EXPECT_FALSE(run_matches(untrained, cells[3].cell, {})) << "pretrained weights";
  untrained.weights.resolved = "random";
  EXPECT_TRUE(run_matches(untrained, cells[3].cell, {}));
  EXPECT_FALSE(run_matches(untrained, cells[1].cell, {}))
      << "the default row is not shown with random weights unless they are asked for";
  EXPECT_TRUE(run_matches(run_of(cells[2].cell), cells[2].cell, {})) << "a method without weights";
}

}  // namespace
}  // namespace adb
