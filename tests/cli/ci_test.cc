// What CI systems read: tools/ci_gate, the composite action, the workflow and the GitLab template.
#include <filesystem>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "core/text.h"
#include "core/yaml.h"
#include "tests/support/program.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ProgramResult;
using testing::run_program;
using testing::TempFolder;

const fs::path kSource = ADB_SOURCE;
const std::string kAction = "action.yml";
const std::string kWorkflow = ".github/workflows/gate.yml";
const std::string kGitlab = "docs/ci/gitlab.yml";

// --- tools/ci_gate with a program in place of adbench that writes down how it was called

ProgramResult ci_gate(const TempFolder& temp, const std::string& words) {
  temp.write("adbench",
             "#!/bin/sh\n"
             "echo \"$@\" >> calls\n"
             "[ \"$1\" != run ] || { touch .adbench/run.sqlite; exit $(cat run_code); }\n"
             "[ \"$1\" != gate ] || exit 5\n");
  fs::permissions(temp.path() / "adbench", fs::perms::owner_all);
  return run_program(
      "/bin/sh",
      {"-c", "unset GITHUB_ACTIONS; ADBENCH=./adbench " ADB_SOURCE "/tools/ci_gate " + words},
      temp.path());
}

TEST(CiGate, WithoutABaselineItPassesAndWithOneTheGateDecides) {
  const TempFolder temp;
  temp.write("run_code", "0");
  const auto first = ci_gate(temp, "--methods null");
  EXPECT_EQ(first.code, 0);
  EXPECT_THAT(first.err, HasSubstr("no baseline yet"));
  EXPECT_EQ(ci_gate(temp, "--update --methods null").code, 0);
  EXPECT_TRUE(fs::exists(temp.path() / ".adbench/baseline.sqlite"));
  temp.write("gate.yaml", "");
  EXPECT_EQ(ci_gate(temp, "--methods null").code, 5);
  EXPECT_THAT(
      read_text(temp.path() / "calls", ErrorKind::kData),
      ::testing::EndsWith(
          "run --methods null --store .adbench/run.sqlite\n"
          "gate --baseline main --baseline-store .adbench/baseline.sqlite --store "
          ".adbench/run.sqlite --junit .adbench/reports/junit.xml --gitlab "
          ".adbench/reports/code-quality.json --markdown .adbench/reports/comment.md --badge "
          ".adbench/reports/badge.svg --rules gate.yaml\n"));
}

TEST(CiGate, FailedCellsAreJudgedButNeverBecomeTheBaseline) {
  const TempFolder temp;
  temp.write("run_code", "0");
  ASSERT_EQ(ci_gate(temp, "--update --methods null").code, 0);
  temp.write("run_code", "4");
  EXPECT_EQ(ci_gate(temp, "--methods null").code, 5);
  EXPECT_EQ(ci_gate(temp, "--update --methods null").code, 4);
  temp.write("run_code", "3");
  EXPECT_EQ(ci_gate(temp, "--methods null").code, 3);
  EXPECT_EQ(ci_gate(temp, "").code, 2);
}

// --- and with adbench itself: every command and flag of the script is one

TEST(CiGate, TheScriptRunsWithTheRealProgram) {
  if (!fs::exists(ADB_BIN "/adbench-worker")) {
    GTEST_SKIP() << "built without LibTorch";
  }
  const TempFolder temp;
  const auto gate = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--methods", "null", "--protocol", "smoke"});
    return run_program(
        ADB_SOURCE "/tools/ci_gate", words, temp.path(), {"ADBENCH=" ADB_BIN "/adbench"});
  };
  const auto update = gate({"--update"});
  ASSERT_EQ(update.code, 0) << update.err;
  const auto same = gate({});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, HasSubstr("no regression: 0 regressed"));
  for (const char* file : {"junit.xml", "code-quality.json", "comment.md", "badge.svg"}) {
    EXPECT_TRUE(fs::exists(temp.path() / ".adbench/reports" / file)) << file;
  }
}

// --- the files

const YamlNode& at(const YamlNode& node, const std::string& path) {
  const auto* found = &node;
  for (const auto& key : split(path, '/')) {
    found = found->find(key);
    ADB_CHECK(found != nullptr, ErrorKind::kInternal, "{}: no '{}' of {}", node.place, key, path);
  }
  return *found;
}

void for_each_map(const YamlNode& node, const std::function<void(const YamlNode&)>& visit) {
  if (node.kind == YamlNode::Kind::kMap) {
    visit(node);
  }
  for (const auto& item : node.items) {
    for_each_map(item, visit);
  }
  for (const auto& [key, value] : node.entries) {
    for_each_map(value, visit);
  }
}

// The scripts of a file, by place.
std::vector<YamlNode> scripts_of(const YamlNode& file) {
  std::vector<YamlNode> scripts;
  for_each_map(file, [&](const YamlNode& map) {
    for (const char* key : {"run", "script", "before_script"}) {
      if (const auto* script = map.find(key)) {
        if (script->kind == YamlNode::Kind::kScalar) {
          scripts.push_back(*script);
        }
        scripts.insert(scripts.end(), script->items.begin(), script->items.end());
      }
    }
  });
  return scripts;
}

TEST(CiFiles, ScriptsAreBash) {
  const TempFolder temp;
  const auto check = [&](const std::string& place, const fs::path& script) {
    const auto result = run_program("/bin/bash", {"-n", script.string()}, temp.path());
    EXPECT_EQ(result.code, 0) << place << ": " << result.err;
  };
  for (const auto& [file, scripts] : {std::pair(kAction, 2), {kWorkflow, 1}, {kGitlab, 4}}) {
    const auto found = scripts_of(read_yaml(kSource / file));
    EXPECT_EQ(found.size(), scripts) << file;
    for (const auto& script : found) {
      EXPECT_THAT(script.scalar, ::testing::Not(HasSubstr("${{")))
          << script.place << ": an input must not become shell code";
      check(script.place, temp.write("script", script.scalar));
    }
  }
  for (const char* file : {".ci/run", ".ci/gate", "tools/ci_gate", "tools/setup"}) {
    check(file, kSource / file);
  }
}

TEST(CiFiles, TheirRunsAreAccepted) {
  if (!fs::exists(ADB_BIN "/adbench-worker")) {
    GTEST_SKIP() << "built without LibTorch";
  }
  const auto action = read_yaml(kSource / kAction);
  const auto workflow = read_yaml(kSource / kWorkflow);
  const auto gitlab = read_yaml(kSource / kGitlab);
  const auto* step = &at(workflow, "jobs/gate/steps").items.at(2);
  ASSERT_EQ(at(*step, "uses").scalar, "./");
  for (const auto& arguments : {at(action, "inputs/run-arguments/default").scalar,
                                at(*step, "with/run-arguments").scalar,
                                at(gitlab, ".adbench/variables/ADBENCH_RUN_ARGUMENTS").scalar}) {
    const TempFolder temp;
    auto words = split(arguments, ' ');
    words.insert(words.begin(), "plan");
    const auto plan = run_program(ADB_BIN "/adbench", words, temp.path());
    EXPECT_EQ(plan.code, 0) << arguments << ": " << plan.err;
  }
}

TEST(CiFiles, TheWorkflowUsesWhatTheActionHas) {
  const auto action = read_yaml(kSource / kAction);
  const auto workflow = read_yaml(kSource / kWorkflow);
  const auto& steps = at(workflow, "jobs/gate/steps").items;
  for (const auto& [input, value] : at(steps.at(2), "with").entries) {
    EXPECT_NE(at(action, "inputs").find(input), nullptr) << value.place << ": no input " << input;
  }
  const auto id = at(steps.at(2), "id").scalar;
  EXPECT_EQ(at(steps.at(3), "with/path").scalar, "${{ steps." + id + ".outputs.reports }}");
  EXPECT_EQ(at(action, "outputs/reports/value").scalar, "${{ steps.gate.outputs.reports }}");
  // Every input is used in some step.
  const auto text = read_text(kSource / kAction, ErrorKind::kData);
  for (const auto& [input, value] : at(action, "inputs").entries) {
    EXPECT_THAT(text, HasSubstr("inputs." + input)) << value.place;
  }
}

TEST(CiFiles, GitlabTakesTheReportsThatTheScriptWrites) {
  const auto reports = at(read_yaml(kSource / kGitlab), "adbench-gate/artifacts/reports");
  const auto script = read_text(kSource / "tools/ci_gate", ErrorKind::kData);
  for (const auto& [kind, file] : reports.entries) {
    EXPECT_THAT(file.scalar, ::testing::StartsWith(".adbench/reports/"));
    EXPECT_THAT(script, HasSubstr("$folder" + file.scalar.substr(std::string(".adbench").size())));
  }
  EXPECT_EQ(reports.entries.size(), 2U);
}

}  // namespace
}  // namespace adb
