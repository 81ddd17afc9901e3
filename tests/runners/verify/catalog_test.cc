#include "runners/verify/catalog.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "runners/verify/data_golden.h"
#include "runners/verify/metric_golden.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using adb::testing::TempFolder;
using ::testing::HasSubstr;

const std::filesystem::path kGoldens = ADB_TEST_GOLDENS;

// A copy of a stored case, changed.
VerifyCase changed(const std::string& name, const std::function<void(Json&)>& change) {
  const TempFolder folder;
  auto json = read_json(kGoldens / (name + ".json"), ErrorKind::kData);
  change(json);
  folder.write(name + ".json", json.dump());
  std::filesystem::copy_file(kGoldens / (name + ".safetensors"),
                             folder.path() / (name + ".safetensors"));
  VerifyOptions options;
  options.folder = folder.path();
  VerifyCase last;
  run_verify(options,
             {data_golden_function(), metric_golden_function()},
             [&](const VerifyCase& result) { last = result; });
  return last;
}

std::vector<std::string> failed(const VerifyCase& result) {
  std::vector<std::string> paths;
  for (const auto& row : result.rows) {
    if (!row.passed()) {
      paths.push_back(row.path);
    }
  }
  return paths;
}

TEST(MetricGolden, PassesTheStoredCases) {
  VerifyOptions options;
  options.folder = kGoldens;
  options.cases = "metrics_*";
  const auto counts = run_verify(options, {metric_golden_function()}, [](const VerifyCase& result) {
    EXPECT_EQ(result.outcome, VerifyOutcome::kPassed) << result.name << ' ' << result.message;
  });
  EXPECT_EQ(counts.passed, 22);
}

TEST(MetricGolden, SeesEveryKindOfDeviation) {
  const auto expect_failure = [](const std::string& name,
                                 const std::string& path,
                                 const std::function<void(Json&)>& change) {
    const auto result = changed(name, change);
    EXPECT_EQ(result.outcome, VerifyOutcome::kDeviated) << path << ' ' << result.message;
    EXPECT_THAT(failed(result), ::testing::ElementsAre(path));
  };
  expect_failure("metrics_random", "exact/pixel/auroc", [](Json& j) {
    j["expected"]["exact"]["pixel"]["auroc"] = 0.4;
  });
  expect_failure("metrics_random", "exact/image/ap", [](Json& j) {
    j["expected"]["exact"]["image"]["ap"] = nullptr;
  });
  expect_failure("metrics_random", "exact/pixel/auroc_ratio", [](Json& j) {
    j["expected"]["exact"]["pixel"]["auroc_ratio"] = "1/2";
  });
  expect_failure("metrics_random", "exact/undefined", [](Json& j) {
    j["expected"]["exact"]["undefined"] = {"mad"};
  });
  expect_failure("metrics_random", "exact/pixel/pro_at_fpr/0.3", [](Json& j) {
    j["expected"]["exact"]["pixel"]["pro_at_fpr"]["0.3"] = 0.1;
  });
  expect_failure("metrics_random", "ader/pixel/aupro_points", [](Json& j) {
    j["expected"]["ader"]["pixel"]["aupro_points"] = 29;
  });
  expect_failure("metrics_random", "ader/image_labels_from_masks", [](Json& j) {
    j["expected"]["ader"]["image_labels_from_masks"][0] = 0;
  });
  expect_failure(
      "metrics_random", "counts/components_8", [](Json& j) { j["counts"]["components_8"] = 9; });
  expect_failure("metrics_random", "image_score_from_map/max/0", [](Json& j) {
    j["expected"]["image_score_from_map"]["max"][0] = 1.0;
  });
  expect_failure("metrics_no_anomalous", "exact/image/auroc", [](Json& j) {
    j["expected"]["exact"]["image"]["auroc"] = 0.5;
  });
  expect_failure("metrics_average", "mad", [](Json& j) { j["expected"]["mad"] = 0.5; });
  expect_failure("metrics_nonfinite", "reject/first_image", [](Json& j) {
    j["expected"]["reject"]["first_image"] = 0;
  });
}

TEST(MetricGolden, RefusesDamagedCases) {
  const auto unreadable = [](const std::string& part, const std::function<void(Json&)>& change) {
    const auto result = changed("metrics_random", change);
    EXPECT_EQ(result.outcome, VerifyOutcome::kUnreadable);
    EXPECT_THAT(result.message, HasSubstr(part));
  };
  unreadable("'tolerance' is missing", [](Json& j) { j.erase("tolerance"); });
  unreadable("'exact' is missing", [](Json& j) { j["expected"].erase("exact"); });
  unreadable("expected a number", [](Json& j) { j["expected"]["exact"]["mad"] = "x"; });
  unreadable("expected one per image",
             [](Json& j) { j["expected"]["image_score_from_map"]["max"] = {1}; });
  unreadable("not a rate", [](Json& j) { j["expected"]["exact"]["pixel"]["pro_at_fpr"]["7"] = 1; });
}

TEST(DataGolden, PassesAndFails) {
  const auto same = changed("protocol_resize", [](Json&) {});
  EXPECT_EQ(same.outcome, VerifyOutcome::kPassed) << same.message;
  EXPECT_EQ(same.rows.size(), 16U);
  const auto seed =
      changed("protocol_resize", [](Json& j) { j["inputs"][0]["recipe"][0]["seed"] = 1; });
  EXPECT_THAT(failed(seed), ::testing::ElementsAre("tensors/down.tensor", "tensors/down.u8"));
  const auto key = changed("protocol_resize", [](Json& j) { j["config"]["filtre"] = "x"; });
  EXPECT_THAT(key.message, HasSubstr("did you mean 'filter'"));
  const auto big = changed("protocol_resize", [](Json& j) {
    j["tensors"]["down.u8"]["shape"] = {3, 100000, 100000};
  });
  EXPECT_EQ(big.outcome, VerifyOutcome::kUnreadable);
}

TEST(VerifyCatalog, KnowsEveryKindOfCase) {
  const Registry<MethodEntry> methods("method");
  std::vector<std::string> kinds;
  for (const auto& function : all_golden_functions(methods)) {
    kinds.push_back(function.method);
  }
  EXPECT_THAT(kinds, ::testing::UnorderedElementsAre("", "anomaly synthesis", "backbone", "data"));
}

}  // namespace
}  // namespace adb
