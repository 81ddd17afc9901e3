// adbench with tests/cli/fake_worker.cc in the place of adbench-worker and a data set of two
// categories: a fixture for tests that need runs, but no training.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/json.h"
#include "results/store.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb::testing {

namespace fs = std::filesystem;

inline const std::vector<std::string> kActs = {
    "ok",    "slow",      "crash",   "leave",         "hang", "garbage", "nonsense",      "huge",
    "flood", "memory",    "balloon", "balloon_below", "mute", "stay",    "contradiction", "escape",
    "flaky", "stoppable", "unsaved", "wavering"};

inline Json method_json(const std::string& name) {
  const auto integer = [](const char* path, int value) {
    return Json{{"path", path},
                {"type", "integer"},
                {"default", value},
                {"range", {1, 100000}},
                {"choices", nullptr},
                {"help", path}};
  };
  return {{"name", name},
          {"title", name},
          {"summary", "a fake"},
          {"version", 1},
          {"options", {integer("epochs", 1), integer("image_size", 64), integer("batch", 1)}},
          {"weights", {{"option", ""}, {"checkpoints", Json::object()}}},
          {"needs_textures", false},
          {"plugin", ""},
          {"size", 64},
          {"parameters", {{"total", 1}, {"trainable", 1}}},
          {"macs", 1},
          {"macs_with_norms", 1}};
}

// adbench with the fake beside it and a data set of two categories.
class FakeWorker : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(temp_.path() / "bin");
    link(ADB_BIN "/adbench", temp_.path() / "bin/adbench");
    link(ADB_FAKE_WORKER, temp_.path() / "bin/adbench-worker");
    const auto share = temp_.path() / "share/adbench";
    fs::create_directories(share);
    fs::copy(ADB_SOURCE "/configs", share, fs::copy_options::recursive);
    fs::create_directories(share / "published");
    fs::copy(
        ADB_SOURCE "/results/published", share / "published", fs::copy_options::overwrite_existing);
    catalogue(false);
    for (const char* category : {"a", "b"}) {
      for (const char* file : {"train/good/0.png", "test/good/0.png", "test/bad/0.png"}) {
        fs::create_directories((temp_.path() / "parts" / category / file).parent_path());
        std::ofstream(temp_.path() / "parts" / category / file) << "fake " << category;
      }
    }
  }

  void catalogue(bool cuda) {
    Json methods = Json::array();
    for (const auto& act : kActs) {
      methods.push_back(method_json(act));
    }
    std::ofstream(temp_.path() / "share/adbench/methods.json")
        << Json{{"wire", 1}, {"libtorch", "none"}, {"cuda", cuda}, {"methods", methods}};
  }

  static void link(const fs::path& from, const fs::path& to) {
    std::error_code other_file_system;
    fs::create_hard_link(from, to, other_file_system);
    if (other_file_system) {
      fs::copy_file(from, to);
    }
  }

  std::vector<std::string> command(const std::string& methods,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {
        "run", "--dataset", "./parts", "--protocol", "smoke", "--methods", methods};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::string program() const { return (temp_.path() / "bin/adbench").string(); }

  ProgramResult adbench(const std::vector<std::string>& words) const {
    return run_program(program(), words, temp_.path());
  }

  ProgramResult run(const std::string& methods, const std::vector<std::string>& more = {}) const {
    return adbench(command(methods, more));
  }

  Store store() const { return Store::open_for_read(temp_.path() / "adbench.sqlite"); }

  RunRow only_run(const std::string& method) const {
    RunFilter filter;
    filter.methods = {method};
    const auto runs = store().find_runs(filter);
    EXPECT_EQ(runs.size(), 1U) << method;
    return runs.empty() ? RunRow() : runs.back();
  }

  TempFolder temp_;
};

}  // namespace adb::testing
