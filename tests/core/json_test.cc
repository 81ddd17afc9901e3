#include "core/json.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

TEST(Json, CanonicalTextIsTheSameForEqualValues) {
  const auto a = parse_json("{\"b\": 1, \"a\": [0.1, 1e-5, true]}", "t", ErrorKind::kData);
  EXPECT_EQ(canonical_json(a), "{\"a\":[0.1,1e-05,true],\"b\":1}");
}

TEST(Json, RefusesWhatCannotBeTrusted) {
  const auto parse = [](const std::string& text) { parse_json(text, "f.json", ErrorKind::kData); };
  expect_error(ErrorKind::kData, "f.json:2:", [&] { parse("{\n\"a\" 1}"); });
  expect_error(ErrorKind::kData, "key 'a' stands twice", [&] { parse("{\"a\": 1, \"a\": 2}"); });
  expect_error(ErrorKind::kData, "nested deeper than 64", [&] { parse(std::string(100000, '[')); });
  expect_error(ErrorKind::kData, "not valid JSON", [&] { parse("\"\xff\""); });
  expect_error(ErrorKind::kData, "not valid JSON", [&] { parse("[1e999]"); });
}

TEST(Json, AccessNamesTheField) {
  const Json json = {{"n", 3}, {"big", 18446744073709551615ULL}};
  EXPECT_EQ(json_int(json_at(json, "n", "job", ErrorKind::kConfig), "n", ErrorKind::kConfig), 3);
  expect_error(ErrorKind::kConfig, "job: 'x' is missing", [&] {
    json_at(json, "x", "job", ErrorKind::kConfig);
  });
  expect_error(ErrorKind::kConfig, "does not fit", [&] {
    json_int(json["big"], "big", ErrorKind::kConfig);
  });
  expect_error(ErrorKind::kConfig, "expected a string", [&] {
    json_string(json["n"], "n", ErrorKind::kConfig);
  });
}

}  // namespace
}  // namespace adb
