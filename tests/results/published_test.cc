#include "results/published.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using adb::testing::expect_error;
using adb::testing::TempFolder;

const std::vector<PublishedRow>& shipped() {
  static const auto rows = read_published(std::string(ADB_SOURCE) + "/results/published");
  return rows;
}

double value_of(const std::string& table,
                const std::string& method,
                const std::string& category,
                const std::string& metric,
                const std::string& variant = "") {
  for (const auto& row : shipped()) {
    if (row.table_id == table && row.method == method && row.category == category &&
        row.metric == metric && row.variant == variant) {
      return row.value;
    }
  }
  ADD_FAILURE() << table << " " << method << " " << category << " " << metric << " " << variant;
  return 0;
}

TEST(Published, TranslatesToKeys) {
  EXPECT_EQ(value_of("V", "draem", "carpet", "image.f1_max"), 96.7);
  EXPECT_EQ(value_of("VI", "vitad", "", "pixel.aupro"), 91.4);
  EXPECT_EQ(value_of("XIII", "vitad", "", "macs"), 10.7);
  EXPECT_EQ(value_of("I", "vitad", "", "image.auroc", "pretraining/Rand"), 59.5);
  EXPECT_EQ(value_of("II", "vitad", "", "image.auroc", "restraint_stages/2,3"), 97.0);
  EXPECT_GT(value_of("XI", "uniad", "", "mad", "loss_uniad/mse"), 50);
}

TEST(Published, EveryRowHasItsOwnKey) {
  std::map<std::string, int> seen;
  for (const auto& row : shipped()) {
    ++seen[row.table_id + "|" + row.dataset + "|" + row.method + "|" + row.variant + "|" +
           row.category + "|" + row.metric];
  }
  EXPECT_EQ(seen.size(), shipped().size());
  EXPECT_GT(shipped().size(), 1500u);
}

// The printed means are means of the printed parts, but for the three that the data's README names.
TEST(Published, PrintedMeansMatchTheirParts) {
  std::map<std::string, std::vector<double>> parts;
  std::map<std::string, double> means;
  for (const auto& row : shipped()) {
    if (row.variant.empty() && row.unit == "percent" && row.metric != "mad") {
      const std::string column = row.table_id + " " + row.method + " " + row.metric;
      if (row.category.empty()) {
        means[column] = row.value;
      } else {
        parts[column].push_back(row.value);
      }
    }
  }
  std::vector<std::string> off;
  for (const auto& [column, values] : parts) {
    double sum = 0;
    for (const double value : values) {
      sum += value;
    }
    if (std::abs(sum / static_cast<double>(values.size()) - means.at(column)) > 0.1 + 1e-9) {
      off.push_back(column);
    }
  }
  EXPECT_EQ(off,
            (std::vector<std::string>{
                "V destseg image.auroc", "V destseg image.f1_max", "V simplenet image.f1_max"}));
}

TEST(Published, NamesTheLineThatDoesNotFit) {
  const auto expect_bad = [](const std::string& text, const std::string& part) {
    const TempFolder folder;
    folder.write("main_results.csv", text);
    expect_error(ErrorKind::kConfig, part, [&] { read_published(folder.path()); });
  };
  const std::string header = "table,dataset,method,class,metric,value\n";
  expect_bad("a,b\n", "main_results.csv:1: expected 'table,");
  expect_bad(header + "V,visa,rd\n", "main_results.csv:2: expected 6 fields, got 3");
  expect_bad(header + "V,visa,rd,pcb1,image_auc,1\n", ":2: unknown metric 'image_auc'");
  expect_bad(header + "V,visa,rd,pcb1,image_ap,1x\n", ":2: expected a number, got '1x'");
  expect_bad(header + "V,visa,rd,pcb1,image_ap,nan\n", ":2: expected a number");
  const TempFolder empty;
  EXPECT_TRUE(read_published(empty.path()).empty());
}

}  // namespace
}  // namespace adb
