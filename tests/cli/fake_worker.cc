// Speaks the worker's side of the wire and behaves as the method's name says, for tests of the
// scheduler. Trains nothing.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/json.h"
#include "runners/wire/wire.h"

namespace {

using adb::Json;

std::int64_t sequence = 0;

void send(const char* event, Json fields) {
  fields["event"] = event;
  fields["seq"] = ++sequence;
  std::cout << fields.dump() << std::endl;
}

[[noreturn]] void hang() {
  for (;;) {
    ::pause();
  }
}

// A line of adbench: "stop", "ack N"; empty at the end of stdin.
std::string hear() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

void progress(std::int64_t step, std::int64_t steps) {
  send(adb::wire::kProgress,
       {{"epoch", 1},
        {"epochs", 1},
        {"step", step},
        {"steps", steps},
        {"loss", 0.5},
        {"images_per_s", 100.0}});
}

Json perfect() {
  Json metrics = Json::object();
  for (const char* key : {"image.auroc",
                          "image.ap",
                          "image.f1_max",
                          "pixel.auroc",
                          "pixel.ap",
                          "pixel.f1_max",
                          "pixel.aupro",
                          "mad"}) {
    metrics[key] = {{"value", 1.0}};
  }
  return metrics;
}

// How many cores this process may use.
int cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return CPU_COUNT(&set);
}

int finish(const adb::wire::Job& job) {
  // "wavering" gives every attempt, and so every folder, a loss of its own.
  const double loss = job.method == "wavering"
                          ? 0.5 + static_cast<double>(job.folder.string().back() - '0') / 16
                          : 0.5;
  send(adb::wire::kEpoch, {{"epoch", 1}, {"curves", {{"loss", loss}}}});
  Json categories = Json::array();
  for (const auto& name : job.categories) {
    categories.push_back({{"category", name},
                          {"metrics", perfect()},
                          {"counts", Json::object()},
                          {"scores", Json::array()}});
  }
  send(adb::wire::kEvaluation,
       {{"epoch", 1},
        {"categories", categories},
        {"mean", perfect()},
        {"curves", {{"test_s", 0.1}}}});
  // Long ones first next time: "slow" says that it took an hour.
  send(adb::wire::kEfficiency,
       {{"figures",
         {{{"key", "train_s"},
           {"value", job.method == "slow" ? 3600.0 : 1.0},
           {"unit", "s"},
           {"note", ""}}}}});
  send(adb::wire::kFinished, {{"reported_epoch", 1}, {"last_epoch", 1}});
  while (hear() != "ack " + std::to_string(sequence)) {
  }
  return 0;
}

int act(const adb::wire::Job& job, const std::string& name) {
  std::cerr << "fake worker: " << name << std::endl;
  send(adb::wire::kHello, {{"wire", 1}, {"version", "fake"}, {"libtorch", "none"}});
  send(adb::wire::kStarted,
       {{"epochs", 1}, {"steps_per_epoch", 10}, {"resumed_epoch", 0}, {"resumed_step", 0}});
  progress(1, 10);
  const auto once = job.folder / "tried";
  if (name == "crash") {
    std::abort();
  }
  if (name == "leave") {
    return 3;
  }
  if (name == "hang") {
    hang();
  }
  if (name == "garbage") {
    std::cout << "Segmentation fault, or so\n" << std::flush;
    hang();
  }
  if (name == "nonsense") {
    std::cout << R"({"event":"evaluation","seq":3,"epoch":"one"})" << std::endl;
    hang();
  }
  if (name == "huge") {
    const std::string block(1 << 20, 'x');
    for (;;) {
      std::cout << block << std::flush;
    }
  }
  if (name == "flood") {
    for (std::int64_t i = 0; i < 20000; ++i) {
      progress(1, 10);
    }
  }
  if (name == "memory") {
    send(adb::wire::kFailed, {{"kind", "out_of_memory"}, {"message", "out of memory"}});
    return 1;
  }
  if (name == "balloon_below") {
    const bool parent = ::fork() != 0;
    if (!parent) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    std::vector<char> balloon(parent ? 0 : std::size_t{400} << 20, 'x');
    hang();
  }
  if (name == "balloon") {
    std::vector<char> balloon(std::size_t{400} << 20, 'x');
    hang();
  }
  if (name == "mute") {
    ::close(STDOUT_FILENO);
    hang();
  }
  if (name == "contradiction") {
    send(adb::wire::kEpoch, {{"epoch", 1}, {"curves", {{"loss", 1.0}}}});
    send(adb::wire::kEpoch, {{"epoch", 1}, {"curves", {{"loss", 2.0}}}});
    hang();
  }
  if (name == "escape") {
    send(adb::wire::kArtifact,
         {{"kind", "weights"},
          {"epoch", 1},
          {"category", ""},
          {"path", "../../secret"},
          {"sha256", "0"},
          {"bytes", 1}});
    hang();
  }
  if (name == "flaky" && !std::filesystem::exists(once)) {
    std::ofstream(once) << "once";
    ::raise(SIGSEGV);
  }
  if (name == "stoppable") {
    while (hear() != "stop") {
    }
    send(adb::wire::kInterrupted, {{"message", "stopped after epoch 0, step 1"}});
    return 75;
  }
  if (name == "unsaved") {
    while (hear() != "stop") {
    }
    send(adb::wire::kFailed, {{"kind", "data"}, {"message", "cannot write: no space"}});
    return 3;
  }
  std::ofstream(job.folder / "place") << job.threads << " threads, " << cores() << " cores";
  const int code = finish(job);
  if (name == "stay") {
    hang();
  }
  return code;
}

int check() {
  std::cout << R"({"wire":1,"libtorch":"none","devices":[{"device":"cuda:0"},{"device":"cuda:1"}]})"
            << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      continue;
    }
    const auto question = Json::parse(line);
    Json answer = {{"id", question.at("id")}, {"error", nullptr}};
    if (question.at("options").value("image_size", 64) % 16 != 0) {
      answer["error"] = "image_size must be a multiple of 16";
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "check") {
    return check();
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  if (std::filesystem::exists(self + ".deaf")) {  // before it reads anything
    hang();
  }
  const auto job = adb::wire::job_from_json(Json::parse(hear()));
  return act(job, job.method);
}
