#include "runners/verify/verify.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runners/verify/formula.h"
#include "tensor/state.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using adb::testing::expect_error;
using adb::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A "method" with one parameter: y = w x (elementwise), loss = sum y.
GoldenResult run_product(const GoldenCase& golden) {
  golden.require_config({"size", "wrong"});
  const auto& x = golden.input("input");
  auto w = x.new_zeros({2, 3});
  golden.fill({{"w", w}});
  auto y = x.mul(w);
  if (golden.config.contains("wrong")) {
    y = y.add(0.5);
  }
  GoldenResult result;
  result.scalars["loss"] = y.sum().item<double>();
  result.scalars["sizes/parameters"] = 6;
  result.tensors = {{"y", y}};
  return result;
}

GoldenFunction product() {
  return {"Product", "*", run_product, {}, ""};
}

class VerifyTest : public ::testing::Test {
 protected:
  // A case that passes: every second element of y is stored.
  Json good() const {
    return parse_json(R"({
      "case": "c", "method": "Product", "config": {"size": 3}, "seed": 0,
      "parameters": [{"name": "w", "shape": [2, 3], "dtype": "float32", "filled": true}],
      "inputs": [{"name": "input", "kind": "image", "shape": [2, 3],
                  "recipe": [{"op": "image", "seed": 0, "name": "input", "shape": [2, 3]}]}],
      "expected": {"loss": 0}, "expected_float64": {"loss": 0},
      "tensors": {"y": {"shape": [2, 3], "stride": 2}},
      "sizes": {"parameters": 6},
      "limits": {"float32": {"expected/loss": {"rtol": 1e-5}, "tensors/y": {"atol": 1e-6}},
                 "float64": {"expected/loss": {"rtol": 1e-6}, "tensors/y": {"atol": 1e-6}}}})",
                      "good",
                      ErrorKind::kData);
  }

  void write(const std::string& name, Json json, bool tensors = true) const {
    const auto y = formula::image(0, "input", {2, 3}).mul(formula::fill(0, "w", {2, 3}));
    for (const auto* key : {"expected", "expected_float64"}) {
      if (json.contains(key) && json[key].contains("loss") && json[key]["loss"] == 0) {
        json[key]["loss"] = y.to(at::kDouble).sum().item<double>();
      }
    }
    folder_.write(name + ".json", json.dump());
    if (tensors) {
      const auto stored = y.view({-1}).slice(0, 0, 6, 2).contiguous();
      write_tensors(folder_.path() / (name + ".safetensors"), {{"y", stored}});
    }
  }

  VerifyCounts run(VerifyOptions options = {}) {
    options.folder = folder_.path();
    cases_.clear();
    return run_verify(
        options, functions_, [&](const VerifyCase& result) { cases_.push_back(result); });
  }

  // The outcome and message of the only case, in one precision.
  VerifyCase only(const Json& json, bool tensors = true) {
    write("c", json, tensors);
    VerifyOptions options;
    options.precision = 64;
    counts_ = run(options);
    EXPECT_EQ(cases_.size(), 1U);
    return cases_.empty() ? VerifyCase() : cases_.front();
  }

  const VerifyRow& row(const std::string& path) const {
    for (const auto& row : cases_.front().rows) {
      if (row.path == path) {
        return row;
      }
    }
    throw std::runtime_error("no row " + path);
  }

  TempFolder folder_;
  std::vector<GoldenFunction> functions_ = {product()};
  std::vector<VerifyCase> cases_;
  VerifyCounts counts_;
};

TEST_F(VerifyTest, RunsBothPrecisions) {
  write("c", good());
  const auto counts = run();
  ASSERT_EQ(cases_.size(), 2U);
  EXPECT_EQ(cases_[0].precision, "float64");
  EXPECT_EQ(cases_[1].precision, "float32");
  for (const auto& result : cases_) {
    EXPECT_EQ(result.outcome, VerifyOutcome::kPassed) << result.message;
    EXPECT_EQ(result.rows.size(), 3U);
  }
  EXPECT_EQ(counts.passed, 1);
  EXPECT_EQ(verify_exit_code(counts, true), 0);
  EXPECT_EQ(counts_line(counts), "1 passed, 0 deviated, 0 skipped, 0 unreadable");
}

TEST_F(VerifyTest, ReportsTheWorstElement) {
  auto json = good();
  json["config"]["wrong"] = true;
  EXPECT_EQ(only(json).outcome, VerifyOutcome::kDeviated);
  EXPECT_FALSE(row("tensors/y").passed());
  EXPECT_NEAR(row("tensors/y").got - row("tensors/y").want, 0.5, 1e-6);
  EXPECT_THAT(row("tensors/y").element, HasSubstr("["));
  EXPECT_EQ(verify_exit_code(counts_, false), 5);
}

TEST_F(VerifyTest, NamesThePlaceInTheWholeTensor) {
  functions_ = {{"Product",
                 "*",
                 [](const GoldenCase& golden) {
                   auto result = run_product(golden);
                   result.tensors.front().second.view({-1})[4].add_(
                       1);  // stored as its third element
                   return result;
                 },
                 {},
                 ""}};
  EXPECT_EQ(only(good()).outcome, VerifyOutcome::kDeviated);
  EXPECT_EQ(row("tensors/y").element, "[1, 1]");
}

TEST_F(VerifyTest, WhatIsNotReturnedFails) {
  functions_ = {{"Product", "*", [](const GoldenCase&) { return GoldenResult(); }, {}, ""}};
  EXPECT_EQ(only(good()).outcome, VerifyOutcome::kDeviated);
  EXPECT_EQ(row("tensors/y").note, "was not computed");
  EXPECT_EQ(row("expected/loss").note, "was not computed");
  functions_ = {{"Product",
                 "*",
                 [](const GoldenCase& golden) {
                   auto result = run_product(golden);
                   result.tensors.front().second = result.tensors.front().second.view({3, 2});
                   return result;
                 },
                 {},
                 ""}};
  EXPECT_EQ(only(good()).outcome, VerifyOutcome::kDeviated);
  EXPECT_EQ(row("tensors/y").note, "shape [3, 2] instead of [2, 3]");
}

TEST_F(VerifyTest, SizesMustBeEqual) {
  auto json = good();
  json["sizes"]["parameters"] = 7;
  EXPECT_EQ(only(json).outcome, VerifyOutcome::kDeviated);
  EXPECT_FALSE(row("sizes/parameters").passed());
}

TEST_F(VerifyTest, ParametersMustBeComplete) {
  auto json = good();
  json["parameters"][0]["shape"] = {3, 2};
  EXPECT_THAT(only(json).message, HasSubstr("of another shape: w [2, 3] instead of [3, 2]"));
  json = good();
  json["parameters"].push_back({{"name", "b"}, {"shape", {1}}, {"filled", true}});
  EXPECT_THAT(only(json).message, HasSubstr("not in the network: b"));
  json["parameters"][0]["name"] = "v";
  EXPECT_THAT(only(json).message, HasSubstr("not listed in the case: w; not in the network: b, v"));
  json = good();
  json["parameters"].push_back(json["parameters"][0]);
  EXPECT_THAT(only(json).message, HasSubstr("stands twice"));
  EXPECT_EQ(counts_.unreadable, 1);
}

TEST_F(VerifyTest, UnfilledParametersKeepTheirValues) {
  auto json = good();
  json["parameters"][0]["filled"] = false;  // w stays 0
  EXPECT_EQ(only(json).outcome, VerifyOutcome::kDeviated);
  EXPECT_EQ(row("tensors/y").got, 0);
}

TEST_F(VerifyTest, UnreadableCasesEndWith3) {
  const auto broken = [&](const std::function<void(Json&)>& change, const std::string& part) {
    auto json = good();
    change(json);
    const auto result = only(json);
    EXPECT_EQ(result.outcome, VerifyOutcome::kUnreadable) << part;
    EXPECT_THAT(result.message, HasSubstr(part));
    EXPECT_EQ(verify_exit_code(counts_, false), 3);
  };
  broken([](Json& j) { j["config"]["sise"] = 3; }, "did you mean 'size'");
  broken([](Json& j) { j["method"] = "Produkt"; }, "unknown method 'Produkt'");
  broken([](Json& j) { j.erase("limits"); }, "'limits' is missing");
  broken([](Json& j) { j["limits"]["float16"] = Json::object(); }, "'float16' is not a precision");
  broken([](Json& j) { j["limits"]["float64"] = Json::object(); }, "nothing is compared");
  broken([](Json& j) { j["limits"]["float64"]["tensors/z"] = {{"atol", 1}}; }, "no such tensor");
  broken(
      [](Json& j) {
        j["limits"]["float64"]["expected/los"] = {{"atol", 1}};
      },
      "expects no such number");
  broken(
      [](Json& j) {
        j["limits"]["float64"]["loss"] = {{"atol", 1}};
      },
      "neither a number nor a tensor");
  broken([](Json& j) { j["tensors"]["y"]["stride"] = 3; }, "holds 3 elements, expected 2");
  broken([](Json& j) { j["tensors"]["y"]["stride"] = 0; }, "stride 0");
  broken([](Json& j) { j["tensors"]["y"]["shape"] = {-2, 3}; }, "impossible shape");
  broken([](Json& j) { j["tensors"]["z"] = j["tensors"]["y"]; }, "'z'");
  broken([](Json& j) { j["inputs"][0]["recipe"][0]["shape"] = {1 << 20, 1 << 20}; }, "too large");
  broken([](Json& j) { j.erase("seed"); }, "'seed' is missing");
  broken([](Json& j) { j["inputs"] = 3; }, "expected a list");
  broken([](Json& j) { j["config"] = "x"; }, "expected an object");
}

TEST_F(VerifyTest, DamagedFilesAreReported) {
  write("c", good());
  folder_.write("d.json", R"({"case": "d", "limits": )");
  write("e", good());
  std::filesystem::resize_file(folder_.path() / "e.safetensors", 20);
  write("f", good());
  std::filesystem::remove(folder_.path() / "f.safetensors");
  const auto counts = run();
  EXPECT_EQ(counts.passed, 1);
  EXPECT_EQ(counts.unreadable, 3);
  EXPECT_EQ(verify_exit_code(counts, false), 3);
}

TEST_F(VerifyTest, IgnoresOtherFiles) {
  write("c", good());
  folder_.write("README.md", "hello");
  folder_.write("notes.json", R"({"text": "no case"})");
  folder_.write("list.json", "[1, 2]");
  std::filesystem::create_directory(folder_.path() / "sub.json");
  const auto counts = run();
  EXPECT_EQ(counts.passed + counts.unreadable, 1);
}

TEST_F(VerifyTest, SmallCasesComeFirst) {
  auto json = good();
  write("b_small", json);
  json["parameters"].push_back({{"name", "big"}, {"shape", {1000, 1000}}, {"filled", true}});
  write("a_large", json);
  run();
  EXPECT_EQ(cases_.front().name, "b_small");
  EXPECT_EQ(cases_.back().name, "a_large");
}

TEST_F(VerifyTest, SelectsByNameAndPrecision) {
  write("one_a", good());
  write("two_a", good());
  VerifyOptions options;
  options.cases = "two*";
  options.precision = 32;
  run(options);
  ASSERT_EQ(cases_.size(), 1U);
  EXPECT_EQ(cases_[0].name + cases_[0].precision, "two_afloat32");
  options.cases = "three*";
  expect_error(ErrorKind::kUsage, "matches 'three*'", [&] { run(options); });
}

TEST_F(VerifyTest, AFolderWithoutCasesIsAnError) {
  expect_error(ErrorKind::kData, "holds no golden case", [&] { run(); });
  VerifyOptions options;
  options.folder = folder_.path() / "absent";
  expect_error(ErrorKind::kData, "absent", [&] {
    run_verify(options, functions_, [](const VerifyCase&) {});
  });
}

TEST_F(VerifyTest, SkipsWhatNeedsWeightsOrAnotherProgram) {
  write("c", good());
  functions_ = {{"Product",
                 "*",
                 [](const GoldenCase&) -> GoldenResult {
                   throw WeightsAbsent("fetch them with 'adbench weights fetch x'");
                 },
                 {},
                 ""}};
  auto counts = run();
  EXPECT_EQ(counts.skipped, 1);
  EXPECT_THAT(cases_[0].message, HasSubstr("adbench weights fetch x"));
  EXPECT_EQ(verify_exit_code(counts, false), 0);
  EXPECT_EQ(verify_exit_code(counts, true), 3);
  functions_ = {{"Product", "*", {}, {}, "built without images"}};
  counts = run();
  EXPECT_EQ(counts.skipped, 1);
  EXPECT_EQ(cases_[0].message, "built without images");
}

TEST_F(VerifyTest, AMethodThatBreaksIsADeviation) {
  functions_ = {{"Product",
                 "*",
                 [](const GoldenCase& golden) {
                   golden.input("input").view({7});
                   return GoldenResult();
                 },
                 {},
                 ""}};
  const auto result = only(good());
  EXPECT_EQ(result.outcome, VerifyOutcome::kDeviated);
  EXPECT_EQ(result.message.find('\n'), std::string::npos);
}

TEST_F(VerifyTest, CasesOfOtherKindsCheckThemselves) {
  folder_.write("metrics_x.json", R"({"case": "metrics_x", "expected": {"a": 1}, "tolerance": 0})");
  functions_.push_back({"",
                        "metrics_*",
                        {},
                        [](const GoldenFile& file) {
                          VerifyRow row;
                          row.path = "a";
                          row.want = file.json["expected"]["a"].get<double>();
                          row.got = 1;
                          return std::vector<VerifyRow>{row};
                        },
                        ""});
  const auto counts = run();
  EXPECT_EQ(counts.passed, 1);
  ASSERT_EQ(cases_.size(), 1U);
  EXPECT_EQ(cases_[0].rows.size(), 1U);
}

TEST_F(VerifyTest, PrintsALineForEveryCaseAndRow) {
  auto json = good();
  json["config"]["wrong"] = true;
  const auto result = only(json);
  std::FILE* out = std::tmpfile();
  ASSERT_NE(out, nullptr);
  print_case(out, result, /*rows=*/true);
  std::string text(static_cast<std::size_t>(std::ftell(out)), '\0');
  std::rewind(out);
  ASSERT_EQ(std::fread(text.data(), 1, text.size(), out), text.size());
  std::fclose(out);
  EXPECT_TRUE(text.starts_with("FAIL       c float64  3 compared, worst ")) << text;
  EXPECT_THAT(text, HasSubstr("\n  FAIL tensors/y["));
  EXPECT_THAT(text, HasSubstr("\n  pass sizes/parameters  got 6, expected 6, "));
  EXPECT_EQ(to_json(result)["outcome"], "fail");
  EXPECT_EQ(to_json(result)["rows"].size(), 3U);
}

}  // namespace
}  // namespace adb
