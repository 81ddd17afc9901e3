#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/scratch.h"
#include "core/text.h"

extern char** environ;

namespace adb {
namespace {

namespace fs = std::filesystem;

struct BisectFlags {
  std::string good, bad;
  fs::path repository = ".";
  std::vector<std::string> command;
  bool json = false;
};

// What the gate's exit code means to `git bisect run`: 0 good, 1 bad, 125 skip, 255 stop.
constexpr const char* kVerdictScript = R"(
"$@"
code=$?
case $code in
  0) exit 0 ;;
  5) exit 1 ;;
  3|4|6) echo "adbench bisect: exit code $code: this commit cannot be judged, skipped" >&2; exit 125 ;;
  *) echo "adbench bisect: exit code $code: stopped" >&2; exit 255 ;;
esac
)";

constexpr int kOnlySkippedLeft = 2;  // exit code of git bisect run

// Runs a program with stdout on stderr, or into `output`. returns: its exit code, 128 + signal
int run_program(const std::vector<std::string>& words, const fs::path* output = nullptr) {
  std::vector<char*> arguments;
  for (const auto& word : words) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (output == nullptr) {
    ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, output->c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  }
  pid_t pid = 0;
  const int error =
      ::posix_spawnp(&pid, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ADB_CHECK(error == 0, ErrorKind::kUsage, "cannot start '{}'", words[0]);
  int status = 0;
  ADB_CHECK(::waitpid(pid, &status, 0) == pid, ErrorKind::kInternal, "lost '{}'", words[0]);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A checkout of its own, so that the user's files stay as they are; removed at the end.
class Worktree {
 public:
  Worktree(const fs::path& repository, const std::string& commit) : repository_(repository) {
    ADB_CHECK(run_program({"git",
                           "-C",
                           repository_.string(),
                           "worktree",
                           "add",
                           "--quiet",
                           "--detach",
                           tree().string(),
                           commit}) == 0,
              ErrorKind::kUsage,
              "git cannot check out '{}' of '{}'",
              commit,
              repository_.string());
  }
  Worktree(const Worktree&) = delete;
  Worktree& operator=(const Worktree&) = delete;
  ~Worktree() {
    try {
      run_program(
          {"git", "-C", repository_.string(), "worktree", "remove", "--force", tree().string()});
    } catch (const std::exception&) {
      // A leftover checkout in the temporary folder is no reason to lose the answer.
    }
  }

  fs::path tree() const { return folder_.path() / "tree"; }
  int git(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-C", tree().string()});
    return run_program(words);
  }
  // The output of a git command, without the last line break.
  std::string ask(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-C", tree().string()});
    const auto file = folder_.path() / "answer";
    ADB_CHECK(
        run_program(words, &file) == 0, ErrorKind::kUsage, "git failed: {}", join(words, " "));
    auto text = read_text(file, ErrorKind::kData);
    while (text.ends_with('\n')) {
      text.pop_back();
    }
    return text;
  }

 private:
  fs::path repository_;
  ScratchFolder folder_{"adbench-bisect"};
};

int bisect(const BisectFlags& flags) {
  for (const auto& commit : {flags.good, flags.bad}) {
    ADB_CHECK(!commit.empty() && commit[0] != '-', ErrorKind::kUsage, "'{}' is no commit", commit);
  }
  const Worktree worktree(fs::absolute(flags.repository), flags.bad);
  ADB_CHECK(worktree.git({"bisect", "start", flags.bad, flags.good}) == 0,
            ErrorKind::kUsage,
            "git cannot search between '{}' and '{}'",
            flags.good,
            flags.bad);
  std::vector<std::string> search = {"bisect", "run", "sh", "-c", kVerdictScript, "bisect"};
  search.insert(search.end(), flags.command.begin(), flags.command.end());
  const auto before = fs::current_path();
  fs::current_path(worktree.tree());
  const int code = worktree.git(search);
  fs::current_path(before);
  Json suspects = Json::array();
  std::string commit;
  if (code == 0) {
    commit = worktree.ask({"rev-parse", "refs/bisect/bad"});
  } else if (code == kOnlySkippedLeft) {
    for (const auto& line :
         split(worktree.ask({"rev-list", "refs/bisect/bad", "--not", "--glob=refs/bisect/good-*"}),
               '\n')) {
      suspects.push_back(line);
    }
  } else {
    fail(ErrorKind::kUsage, "the search stopped; see the messages above");
  }
  const auto title =
      commit.empty() ? "" : worktree.ask({"show", "--no-patch", "--format=%s", commit});
  if (flags.json) {
    print_json("adbench.bisect.1",
               {{"commit", commit.empty() ? Json(nullptr) : Json(commit)},
                {"title", title},
                {"suspects", suspects}});
  } else if (!commit.empty()) {
    fmt::print("first bad commit: {} {}\n", commit, title);
  } else {
    fmt::print("cannot tell: one of {} commits, none of which could be judged\n", suspects.size());
    for (const auto& suspect : suspects) {
      fmt::print("{}\n", suspect.get<std::string>());
    }
  }
  return commit.empty() ? 6 : 0;
}

}  // namespace

Command bisect_command() {
  return {
      "bisect", "the commit between a good and a bad one that the gate fails", [](CLI::App& app) {
        auto flags = std::make_shared<BisectFlags>();
        app.add_option("--good", flags->good, "a commit that passes")->required();
        app.add_option("--bad", flags->bad, "a later one that fails")->required();
        app.add_option("--repository", flags->repository, "folder of the git repository")
            ->capture_default_str();
        add_json_flag(app, &flags->json);
        app.add_option("command",
                       flags->command,
                       "after --: builds, runs and gates the checkout it is started in; exit "
                       "code 0 good, 5 bad, 3, 4 or 6 skip, else stop")
            ->required();
        return [flags] { return bisect(*flags); };
      }};
}

}  // namespace adb
