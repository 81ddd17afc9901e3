#include "core/yaml.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

TEST(Yaml, RemembersPlaces) {
  const auto root = parse_yaml("a: 1\nb:\n  c: [x, 2]\n", "f.yaml");
  EXPECT_EQ(root.find("a")->place, "f.yaml:1:4");
  EXPECT_EQ(root.find("b")->find("c")->items[1].place, "f.yaml:3:10");
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Yaml, ScalarsHaveTypesUnlessQuoted) {
  const auto value =
      parse_yaml("{i: 3, n: 1e-4, b: true, z: ~, s: abc, q: '3', plus: +5}", "f").value();
  EXPECT_EQ(value["i"], 3);
  EXPECT_EQ(value["n"], 1e-4);
  EXPECT_EQ(value["b"], true);
  EXPECT_TRUE(value["z"].is_null());
  EXPECT_EQ(value["s"], "abc");
  EXPECT_EQ(value["q"], "3");
  EXPECT_EQ(value["plus"], 5);
  EXPECT_EQ(scalar_value("1e999"),
            "1e999");  // not a finite number: text, which every number option refuses
}

TEST(Yaml, ErrorsNameThePlace) {
  expect_error(ErrorKind::kConfig, "f.yaml:2:", [] { parse_yaml("a: 1\n  b: 2\n", "f.yaml"); });
  expect_error(
      ErrorKind::kConfig, "key 'a' stands twice", [] { parse_yaml("a: 1\na: 2\n", "f.yaml"); });
  expect_error(
      ErrorKind::kConfig, "f.yaml:2:7: unknown key in suite 'cels'; did you mean 'cells'?", [] {
        parse_yaml("table: 1\ncels: 2\n", "f.yaml").require_keys({"cells", "table"}, "suite");
      });
  expect_error(ErrorKind::kConfig, "cannot read 'no/such/file.yaml'", [] {
    read_yaml("no/such/file.yaml");
  });
}

TEST(Yaml, HostileInputIsRefused) {
  expect_error(
      ErrorKind::kConfig, "nested deeper", [] { parse_yaml(std::string(100000, '['), "f"); });
  expect_error(ErrorKind::kConfig, "more than", [] { parse_yaml(std::string(2 << 20, 'a'), "f"); });
  // A thousand million values out of nine lines of aliases.
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::vector<std::string> ten(10, fmt::format("*a{}", i - 1));
    bomb += fmt::format("a{0}: &a{0} [{1}]\n", i, fmt::join(ten, ","));
  }
  expect_error(ErrorKind::kConfig, "more than 100000 values", [&] { parse_yaml(bomb, "f"); });
  // An alias to an enclosing node would never end.
  expect_error(ErrorKind::kConfig, "f", [] { parse_yaml("&a [*a]", "f"); });
}

}  // namespace
}  // namespace adb
