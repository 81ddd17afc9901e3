#include "tests/support/program.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace adb::testing {
namespace {

std::vector<std::string> clean_environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::strncmp(*entry, "ADBENCH_", 8) != 0 && std::strncmp(*entry, "SLURM_", 6) != 0) {
      kept.emplace_back(*entry);
    }
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (auto& word : words) {
    list.push_back(word.data());
  }
  list.push_back(nullptr);
  return list;
}

}  // namespace

Program::Program(const std::string& program,
                 const std::vector<std::string>& arguments,
                 const std::filesystem::path& folder,
                 const std::vector<std::string>& more) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto environment = clean_environment();
  environment.insert(environment.end(), more.begin(), more.end());
  const auto argv = pointers(words);
  const auto envp = pointers(environment);
  int out[2], err[2];
  EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(err, O_CLOEXEC), 0);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    const int null = ::open("/dev/null", O_RDONLY);
    if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(out[1], 1) < 0 || ::dup2(err[1], 2) < 0 ||
        ::chdir(folder.c_str()) != 0) {
      ::_exit(126);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

Program::~Program() {
  if (!finished_) {
    ::kill(-pid_, SIGKILL);
    finish();
  }
}

bool Program::pump(int timeout_ms) {
  pollfd fds[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};  // poll() ignores a closed one, -1
  ::poll(fds, 2, timeout_ms);
  for (int i = 0; i < 2; ++i) {
    if (fds[i].revents == 0) {
      continue;
    }
    char block[4096];
    const ssize_t n = ::read(fds[i].fd, block, sizeof block);
    if (n > 0) {
      (i == 0 ? result_.out : result_.err).append(block, static_cast<std::size_t>(n));
    } else {
      ::close(fds[i].fd);
      (i == 0 ? out_ : err_) = -1;
    }
  }
  return out_ >= 0 || err_ >= 0;
}

bool Program::wait_for_output(const std::string& text) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (result_.out.find(text) == std::string::npos) {
    if (!pump(200) || std::chrono::steady_clock::now() > until) {
      return false;
    }
  }
  return true;
}

std::vector<pid_t> Program::descendants(const std::string& name) const {
  std::map<pid_t, std::pair<pid_t, std::string>> processes;  // by pid: parent and name
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    const auto open = std::getline(file, line) ? line.find('(') : std::string::npos;
    const auto close = line.rfind(')');
    if (open != std::string::npos && close != std::string::npos) {
      std::istringstream rest(line.substr(close + 2));
      char state = ' ';
      pid_t parent = 0;
      rest >> state >> parent;
      processes[std::stoi(line)] = {parent, line.substr(open + 1, close - open - 1)};
    }
  }
  std::vector<pid_t> found;
  for (const auto& [pid, process] : processes) {
    auto above = pid;
    while (above > 1 && above != pid_ && processes.count(above) == 1) {
      above = processes.at(above).first;
    }
    if (above == pid_ && pid != pid_ && process.second == name) {
      found.push_back(pid);
    }
  }
  return found;
}

void Program::signal(int number) const {
  ::kill(pid_, number);
}

ProgramResult Program::finish() {
  while (pump(-1)) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  finished_ = true;
  if (WIFEXITED(status)) {
    result_.code = WEXITSTATUS(status);
  } else {
    result_.signal = WTERMSIG(status);
  }
  return result_;
}

ProgramResult run_program(const std::string& program,
                          const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder,
                          const std::vector<std::string>& environment) {
  return Program(program, arguments, folder, environment).finish();
}

}  // namespace adb::testing
