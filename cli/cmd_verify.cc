#include <cstring>
#include <memory>

#include <unistd.h>

#include "cli/command.h"

namespace adb {
namespace {

// The worker does it all: this program gives way to it, so output and exit code are the worker's.
int verify(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {worker_program().string(), "verify"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  fail(ErrorKind::kInternal, "cannot start '{}': {}", words[0], std::strerror(errno));
}

}  // namespace

Command verify_command() {
  return {"verify",
          "golden cases of the reference implementations against this build",
          [](CLI::App& app) {
            app.fallthrough(false);
            app.prefix_command();  // flags are the worker's: `adbench verify --help` shows them
            app.set_help_flag();
            return [&app] { return verify(app.remaining()); };
          }};
}

}  // namespace adb
