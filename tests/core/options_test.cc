#include "core/options.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

struct Sample {
  std::int64_t size = 256;
  double lr = 1e-3;
  bool flag = false;
  std::string name = "auto", loss = "cos";
  std::vector<std::int64_t> layers = {1, 2};

  template <class V>
  void visit(V& v) {
    v.integer("size", size, {32, 1024}, "side");
    v.number("lr", lr, {0, 1}, "rate");
    v.boolean("flag", flag, "a switch");
    v.text("name", name, "a name");
    v.choice("loss", loss, {"cos", "l1"}, "the loss");
    v.integers("layers", layers, {0, 12}, "depths");
  }
  void validate() const {
    ADB_CHECK(layers.size() <= 3, ErrorKind::kUsage, "layers: {} are more than 3", layers.size());
  }
};

TEST(Options, ReadsEveryType) {
  const auto o = read_options<Sample>(
      {{"size", 64}, {"lr", 1}, {"flag", true}, {"name", "x"}, {"loss", "l1"}, {"layers", {3, 6}}},
      "t");
  EXPECT_EQ(o.size, 64);
  EXPECT_EQ(o.lr, 1.0);
  EXPECT_TRUE(o.flag);
  EXPECT_EQ(o.name, "x");
  EXPECT_EQ(o.loss, "l1");
  EXPECT_EQ(o.layers, (std::vector<std::int64_t>{3, 6}));
  EXPECT_EQ(read_options<Sample>(Json::object(), "t").size, 256);
}

TEST(Options, CommandLineForms) {
  EXPECT_EQ(read_options<Sample>({{"layers", "3,6,9"}}, "t").layers,
            (std::vector<std::int64_t>{3, 6, 9}));
  EXPECT_EQ(read_options<Sample>({{"layers", 3}}, "t").layers, (std::vector<std::int64_t>{3}));
  EXPECT_EQ(read_options<Sample>({{"size", 64.0}}, "t").size, 64);
  EXPECT_EQ(read_options<Sample>({{"name", 7}}, "t").name, "7");
}

TEST(Options, MistakesNameThePlace) {
  const auto read = [](Json json) { read_options<Sample>(json, "e.yaml:4:5"); };
  expect_error(ErrorKind::kUsage, "e.yaml:4:5: unknown option 'sizes'; did you mean 'size'?", [&] {
    read({{"sizes", 1}});
  });
  expect_error(ErrorKind::kUsage, "e.yaml:4:5: size: must be in [32, 1024], got 8", [&] {
    read({{"size", 8}});
  });
  expect_error(ErrorKind::kUsage, "size: expected an integer, got '64.5'", [&] {
    read({{"size", 64.5}});
  });
  expect_error(ErrorKind::kUsage, "size: expected an integer, got 'big'", [&] {
    read({{"size", "big"}});
  });
  expect_error(ErrorKind::kUsage, "lr: expected a number, got 'fast'", [&] {
    read({{"lr", "fast"}});
  });
  expect_error(ErrorKind::kUsage, "flag: expected true or false, got '1'", [&] {
    read({{"flag", 1}});
  });
  expect_error(ErrorKind::kUsage, "loss: unknown value 'coz'; did you mean 'cos'?", [&] {
    read({{"loss", "coz"}});
  });
  expect_error(ErrorKind::kUsage, "layers: must be in [0, 12], got 13", [&] {
    read({{"layers", {1, 13}}});
  });
  expect_error(ErrorKind::kUsage, "layers: expected an integer", [&] {
    read({{"layers", "1,x"}});
  });
  expect_error(ErrorKind::kUsage, "layers: 4 are more than 3", [&] {
    read({{"layers", {1, 2, 3, 4}}});
  });
}

TEST(Options, FieldsSurviveTheCatalogue) {
  for (const auto& field : list_options<Sample>()) {
    const auto again = option_field_from_json(to_json(field), "t");
    EXPECT_EQ(to_json(again), to_json(field));
    EXPECT_EQ(check_option(again, field.default_value, "t"), field.default_value);
  }
}

TEST(Options, ListedTwiceIsABug) {
  expect_error(ErrorKind::kInternal, "listed twice", [] {
    OptionLister lister;
    bool b = false;
    lister.boolean("x", b, "");
    lister.boolean("x", b, "");
  });
}

}  // namespace
}  // namespace adb
