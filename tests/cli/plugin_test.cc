// The example plugin, built against an installed adbench as its author would, and files that are no
// plugin.
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using testing::run_program;
using testing::TempFolder;

class Plugin : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    temp_ = new TempFolder;
    const auto at = temp_->path();
    const auto cmake = [&](const std::vector<std::string>& arguments) {
      const auto end = run_program("/usr/bin/cmake", arguments, at);
      ASSERT_EQ(end.code, 0) << end.out << end.err;
    };
    cmake({"--install", ADB_BIN "/..", "--prefix", (at / "prefix").string()});
    cmake({"-S",
           ADB_SOURCE "/examples/pixel_mean",
           "-B",
           "build",
           "-DCMAKE_BUILD_TYPE=Release",
           "-DCMAKE_PREFIX_PATH=" + (at / "prefix").string()});
    cmake({"--build", "build"});
  }
  static void TearDownTestSuite() {
    delete temp_;
    temp_ = nullptr;
  }

  static testing::ProgramResult adbench(const std::vector<std::string>& arguments) {
    return run_program((temp_->path() / "prefix/bin/adbench").string(), arguments, temp_->path());
  }
  static std::string file() { return (temp_->path() / "build/pixel_mean.so").string(); }

  // A shared object of one line of C++.
  static std::string library(const std::string& name, const std::string& source) {
    const auto code = temp_->path() / (name + ".cc");
    std::ofstream(code) << source << "\n";
    const auto made = (temp_->path() / (name + ".so")).string();
    const auto end =
        run_program("/usr/bin/c++", {"-shared", "-fPIC", "-o", made, code.string()}, temp_->path());
    EXPECT_EQ(end.code, 0) << end.err;
    return made;
  }

  static TempFolder* temp_;
};

TempFolder* Plugin::temp_ = nullptr;

TEST_F(Plugin, IsListedRunAndChecked) {
  const auto list = adbench({"list", "methods", "--json", "--plugin", file()});
  ASSERT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("pixel_mean"));
  EXPECT_THAT(adbench({"list", "methods"}).out, Not(HasSubstr("pixel_mean")));

  const auto kit = adbench({"verify", "--conformance", "pixel_mean", "--plugin", file()});
  EXPECT_EQ(kit.code, 0) << kit.out << kit.err;

  const std::vector<std::string> run = {
      "--plugin", file(), "run", "--methods", "pixel_mean", "--protocol", "smoke"};
  const auto first = adbench(run);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("Pixel mean"));
  EXPECT_THAT(first.out, HasSubstr("1 finished, 0 finished before"));
  EXPECT_THAT(adbench(run).out, HasSubstr("0 finished, 1 finished before"));
}

TEST_F(Plugin, WhatIsNoneIsRefusedByName) {
  const auto refused = [](const std::string& file, const std::string& reason) {
    const auto end = adbench({"list", "methods", "--plugin", file});
    EXPECT_EQ(end.code, 2) << end.err;
    EXPECT_THAT(end.err, HasSubstr(file));
    EXPECT_THAT(end.err, HasSubstr(reason));
  };
  refused((temp_->path() / "absent.so").string(), "does not exist");
  refused((temp_->path() / "prefix/bin/adbench").string(), "cannot be loaded");
  refused(library("stranger", "int answer = 42;"), "is no adbench plugin");
  refused(library("older",
                  "extern \"C\" const char* adbench_plugin_abi() { return \"LibTorch 1.13.0\"; }"
                  "extern \"C\" int adbench_plugin(int, void*) { return 0; }"),
          "was built for LibTorch 1.13.0");
}

}  // namespace
}  // namespace adb
