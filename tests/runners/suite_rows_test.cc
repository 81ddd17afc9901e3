// Every row of every suite is one that its method can train: one step and one prediction of each,
// at reduced size with random weights. Rows that then have equal options run once.
#include <algorithm>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "methods/catalog.h"
#include "runners/schedule/plan.h"
#include "runners/worker/conformance.h"

namespace adb {
namespace {

const std::filesystem::path kShare = std::filesystem::path(ADB_SOURCE) / "configs";

const Registry<MethodEntry>& entries() {
  static const auto all = [] {
    Registry<MethodEntry> list("method");
    add_builtin_methods(list);
    return list;
  }();
  return all;
}

// What the light program reads from the catalogue file.
const Registry<MethodInfo>& methods() {
  static const auto all = [] {
    Registry<MethodInfo> list("method");
    for (const auto& entry : entries()) {
      MethodInfo info;
      info.name = entry.name;
      info.title = entry.title;
      info.options = entry.options;
      info.weights_option = entry.weights.option;
      info.weights = entry.weights.checkpoints;
      list.add(std::move(info));
    }
    return list;
  }();
  return all;
}

// The sizes of the smoke recipe. A row that names its encoder keeps that one's width and patches,
// cut to four blocks; 112 pixels are whole patches of 8, 14 and 16.
std::vector<Setting> reductions(bool names_encoder) {
  std::vector<Setting> settings = {{"weights", "random", "test"},
                                   {"epochs", 2, "test"},
                                   {"batch", 2, "test"},
                                   {"image_size", names_encoder ? 112 : 64, "test"}};
  if (names_encoder) {
    for (const char* option : {"vitad.patch", "vitad.dim", "vitad.heads"}) {
      settings.push_back({option, 0, "test"});
    }
    settings.push_back({"vitad.encoder_depth", 4, "test"});
  }
  return settings;
}

bool names_encoder(const Suite& suite, const SuiteRow& row) {
  for (const auto& cell : suite.cells) {
    if (cell.name == row.cell) {
      return cell.method == "vitad" &&
             std::any_of(cell.settings.begin(), cell.settings.end(), [](const Setting& setting) {
               return setting.path == "backbone";
             });
    }
  }
  return false;
}

struct Row {
  std::string name;  // "paper/table-08-fuser, Cat 34"
  std::string method;
  Json options;  // that differ from the method's defaults
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name << " " << row.options;
}

std::vector<Row> rows() {
  std::vector<Row> all;
  std::set<std::pair<std::string, Json>> seen;
  const auto weights = read_weights_catalogue(kShare);
  const PlanSources sources{kShare, &methods(), &weights, {}, nullptr};
  for (const auto& name : suite_names(kShare)) {
    Selection selection;
    selection.suites = {read_suite(kShare, name, methods())};
    selection.protocol = "smoke";
    for (const bool with_encoder : {false, true}) {
      const auto& suite = selection.suites.front();
      const bool any_vitad =
          std::any_of(suite.cells.begin(), suite.cells.end(), [](const SuiteCell& cell) {
            return cell.method == "vitad";
          });
      if (with_encoder && !any_vitad) {
        continue;  // its settings would reach no method
      }
      selection.settings = reductions(with_encoder);
      for (const auto& draft : draft_cells(selection, sources)) {
        const auto& row = suite.rows[draft.row];
        if (names_encoder(suite, row) == with_encoder &&
            seen.emplace(draft.cell.method->name, draft.cell.changed).second) {
          all.push_back({draft.cell.row, draft.cell.method->name, draft.cell.changed});
        }
      }
    }
  }
  return all;
}

class EveryRow : public ::testing::TestWithParam<Row> {};

TEST_P(EveryRow, TrainsAStepAndPredicts) {
  EXPECT_EQ(check_one_step(entries().at(GetParam().method), GetParam().options), "");
}

INSTANTIATE_TEST_SUITE_P(Suites, EveryRow, ::testing::ValuesIn(rows()), [](const auto& test) {
  std::string name = test.param.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

}  // namespace
}  // namespace adb
