// doctor, env and completion: what they say, and that they see what is wrong.
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/fake_setup.h"

namespace adb {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class Doctor : public testing::FakeWorker {
 protected:
  // The finding about a subject; null when there is none.
  Json finding(const std::string& subject, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"doctor", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto findings = Json::parse(adbench(words).out).at("data");
    for (const auto& one : findings) {
      if (one.at("subject") == subject) {
        return one;
      }
    }
    return nullptr;
  }
};

TEST_F(Doctor, AHealthyPlaceHasNoFailure) {
  const auto healthy = adbench({"doctor"});
  EXPECT_EQ(healthy.code, 0) << healthy.out << healthy.err;
  EXPECT_THAT(healthy.out, Not(HasSubstr("fail ")));
  for (const char* subject : {"worker", "devices", "cores", "memory", "store", "disk", "weights"}) {
    EXPECT_THAT(healthy.out, HasSubstr(subject));
  }
  EXPECT_EQ(finding("devices").at("text"), "cuda:0, cuda:1");
}

TEST_F(Doctor, ADamagedStoreAndABrokenWorkerFail) {
  std::ofstream(temp_.path() / "adbench.sqlite") << "no store";
  EXPECT_EQ(finding("store").at("state"), "fail");
  const auto text = adbench({"doctor"});
  EXPECT_EQ(text.code, 3);
  EXPECT_THAT(text.out, HasSubstr("fail  store"));
  fs::remove(temp_.path() / "bin/adbench-worker");
  EXPECT_EQ(finding("worker").at("state"), "fail");
  std::ofstream(temp_.path() / "share/adbench/methods.json") << "{";
  EXPECT_EQ(finding("methods").at("state"), "fail");
}

TEST_F(Doctor, WeightsOfAnotherContentFail) {
  fs::create_directories(temp_.path() / "w");
  EXPECT_EQ(finding("weights", {"--weights-dir", "w"}).at("state"), "warn");
  const auto weights =
      Json::parse(adbench({"weights", "list", "--weights-dir", "w", "--json"}).out);
  for (const auto& one : weights.at("data")) {
    std::ofstream(temp_.path() / "w" / one.at("file").get<std::string>()) << "something else";
  }
  const auto wrong = finding("weights", {"--weights-dir", "w"});
  EXPECT_EQ(wrong.at("state"), "fail");
  EXPECT_THAT(wrong.at("cure").get<std::string>(), HasSubstr("adbench weights fetch"));
}

TEST_F(Doctor, DataAreLookedForInTheDataRoot) {
  fs::create_directories(temp_.path() / "data/mvtec_ad/bottle/train");
  const auto broken = finding("data", {"--data-root", "data"});
  EXPECT_EQ(broken.at("state"), "fail");
  EXPECT_THAT(broken.at("cure").get<std::string>(), HasSubstr("data verify mvtec_ad"));
  fs::create_directories(temp_.path() / "empty");
  EXPECT_EQ(finding("data", {"--data-root", "empty"}).at("state"), "warn");
}

TEST_F(Doctor, EnvIsTheRecordThatIsStored) {
  ASSERT_EQ(run("ok").code, 0);
  const auto env = Json::parse(adbench({"env", "--json"}).out).at("data");
  const auto stored = Json::parse(adbench({"show", "1", "--json"}).out).at("data");
  EXPECT_EQ(env, stored.at("environment"));
  EXPECT_THAT(adbench({"env"}).out, HasSubstr("compiler"));
}

TEST_F(Doctor, CompletionKnowsCommandsFlagsAndValues) {
  const auto bash = adbench({"completion", "bash"});
  ASSERT_EQ(bash.code, 0) << bash.err;
  temp_.write("complete.bash", bash.out);
  // What a shell would offer after the words.
  const auto offered = [&](const std::string& words) {
    return testing::run_program(
               "/bin/bash",
               {"-c",
                "source complete.bash; COMP_WORDS=(" + words +
                    "); "
                    "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _adbench; echo \"${COMPREPLY[@]}\""},
               temp_.path())
        .out;
  };
  EXPECT_EQ(offered("adbench rer"), "rerun\n");
  EXPECT_EQ(offered("adbench store di"), "diff\n");
  EXPECT_THAT(offered("adbench run --sav"), HasSubstr("--save-maps"));
  EXPECT_EQ(offered("adbench run --feature-cache me"), "memory\n");
  EXPECT_EQ(offered("adbench run --setting s"), "single\n");
  for (const char* shell : {"zsh", "fish"}) {
    const auto script = adbench({"completion", shell});
    EXPECT_EQ(script.code, 0) << script.err;
    EXPECT_THAT(script.out, HasSubstr("save-maps"));
    if (::access((std::string("/usr/bin/") + shell).c_str(), X_OK) == 0) {
      const auto file = temp_.write(std::string("complete.") + shell, script.out).string();
      EXPECT_EQ(
          testing::run_program(std::string("/usr/bin/") + shell, {"-n", file}, temp_.path()).code,
          0);
    }
  }
  EXPECT_EQ(adbench({"completion", "tcsh"}).code, 2);
}

// --- configuration files

TEST_F(Doctor, ConfigFilesGiveDefaultsThatVariablesAndFlagsBeat) {
  temp_.write("home/adbench/config.yaml", "slots: 1\nstore: user.sqlite\n");
  temp_.write("adbench.yaml",
              "store: project.sqlite\nset:\n  ok.image_size: 96\n  hang.batch: 2\n");
  const std::vector<std::string> home = {"XDG_CONFIG_HOME=" + (temp_.path() / "home").string()};
  const auto with = [&](const std::vector<std::string>& words, std::vector<std::string> more = {}) {
    more.insert(more.end(), home.begin(), home.end());
    return testing::run_program(program(), words, temp_.path(), more);
  };
  const auto shown = with({"config", "show", "--origin", "--json"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  std::map<std::string, std::string> origins;
  const auto list = Json::parse(shown.out).at("data");
  for (const auto& one : list) {
    origins[one.at("key")] = one.at("origin");
  }
  EXPECT_EQ(origins["store"], "adbench.yaml:1:8");
  EXPECT_THAT(origins["slots"], HasSubstr("home/adbench/config.yaml:1:8"));
  EXPECT_EQ(origins["retries"], "built in");
  EXPECT_EQ(origins["set.ok.image_size"], "adbench.yaml:3:18");

  ASSERT_EQ(with(command("ok")).code, 0);
  const auto store = Store::open_for_read(temp_.path() / "project.sqlite");
  const auto row = store.find_runs().at(0);
  EXPECT_EQ(row.options.at("image_size"), 96);
  EXPECT_EQ(row.changed_options.at(0).origin, "adbench.yaml:3:18");
  ASSERT_EQ(with(command("ok"), {"ADBENCH_STORE=variable.sqlite"}).code, 0);
  EXPECT_TRUE(fs::exists(temp_.path() / "variable.sqlite"));
  ASSERT_EQ(with(command("ok", {"--store", "flag.sqlite"}), {"ADBENCH_STORE=other.sqlite"}).code,
            0);
  EXPECT_TRUE(fs::exists(temp_.path() / "flag.sqlite"));
}

TEST_F(Doctor, ConfigIsCheckedByPlace) {
  temp_.write("a.yaml", "slots: 2\nstor: x.sqlite\n");
  const auto unknown = adbench({"config", "check", "a.yaml"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("a.yaml:2:7: unknown key 'stor'; did you mean 'store'?"));
  temp_.write("b.yaml", "slots: two\n");
  const auto wrong = adbench({"config", "check", "b.yaml"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("b.yaml:1:8: slots"));
  temp_.write("c.yaml", "timeout: soon\n");
  EXPECT_EQ(adbench({"config", "check", "c.yaml"}).code, 2);

  ASSERT_EQ(adbench({"config", "init"}).code, 0);
  EXPECT_EQ(adbench({"config", "check"}).code, 0);
  EXPECT_EQ(adbench({"config", "init"}).code, 2) << "an existing file is not overwritten";
  temp_.write("adbench.yaml", "slots: two\n");
  const auto any = adbench({"doctor"});
  EXPECT_EQ(any.code, 2);
  EXPECT_THAT(any.err, HasSubstr("adbench.yaml:1:8"));
}

}  // namespace
}  // namespace adb
