#include "core/text.h"

#include <gtest/gtest.h>

namespace adb {
namespace {

TEST(Text, SplitAndJoin) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_TRUE(split("", ',').empty());
  EXPECT_EQ(split("a,", ','), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

TEST(Text, NearestFindsSlipsAndNothingElse) {
  const std::vector<std::string> known = {"rd", "vitad", "simplenet"};
  EXPECT_EQ(nearest("rdd", known), "rd");
  EXPECT_EQ(nearest("simplnet", known), "simplenet");
  EXPECT_EQ(nearest("patchcore", known), "");
}

TEST(Text, UnknownNameListsWhatThereIs) {
  EXPECT_EQ(unknown_name("method", "vitat", {"vitad", "rd"}),
            "unknown method 'vitat'; did you mean 'vitad'? known: rd, vitad");
  EXPECT_EQ(unknown_name("method", "x", {}), "unknown method 'x'; known: (none)");
}

}  // namespace
}  // namespace adb
