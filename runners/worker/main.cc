// adbench-worker: the program that holds LibTorch. `adbench` starts it; by hand it is useful for
// `describe` and `verify`.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <sys/prctl.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include "core/version.h"
#include "methods/catalog.h"
#include "runners/worker/channel.h"
#include "runners/worker/describe.h"
#include "runners/worker/frequency.h"
#include "runners/worker/libtorch.h"
#include "runners/worker/plugins.h"
#include "runners/worker/predict.h"
#include "runners/worker/ranks.h"
#include "runners/worker/speed.h"
#include "runners/worker/train.h"
#include "runners/worker/verify_all.h"
#include "tensor/device.h"

namespace adb {
namespace {

constexpr auto kTimeToReport = std::chrono::seconds(2);
constexpr std::int64_t kSpeedSeed = 42;

const char* kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNumeric:
      return "numeric";
    case ErrorKind::kData:
      return "data";
    case ErrorKind::kWeights:
      return "weights";
    case ErrorKind::kUsage:
    case ErrorKind::kConfig:
      return "usage";
    default:
      return "internal";
  }
}

// One job from stdin. The parent learns from the last event how it ended; the exit code says the
// same.
int run(const Registry<MethodEntry>& methods) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no orphan may write beside the next run
  std::signal(SIGINT, SIG_IGN);        // the parent passes a stop on as a line
  std::signal(SIGPIPE, SIG_IGN);
  Ranks ranks;
  // Never destroyed: its listening thread lives as long as the process.
  auto& channel = *new Channel(ranks.lead());
  const auto failed = [&](const char* kind, const std::string& message, int code) {
    if (!ranks.lead()) {
      std::fprintf(stderr, "rank %d: %s\n", static_cast<int>(ranks.rank()), message.c_str());
      // Where all ranks fail alike, the lead's own report comes first.
      std::this_thread::sleep_for(kTimeToReport);
    }
    channel.send(wire::kFailed, {{"kind", kind}, {"message", message}});
    channel.wait_until_stored();
    ranks.abort(code);
    return code;
  };
  try {
    channel.send(
        wire::kHello,
        {{"wire", wire::kVersion}, {"version", version()}, {"libtorch", libtorch_version()}});
    const auto text = ranks.from_lead(
        ranks.lead() ? canonical_json(wire::to_json(channel.read_job())) : std::string());
    auto job = wire::job_from_json(parse_json(text, "job", ErrorKind::kConfig));
    job.device = ranks.join(job.device).str();
    run_job(job, methods, channel, ranks);
    channel.wait_until_stored();
    return 0;
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kInterrupted) {
      channel.send(wire::kInterrupted, {{"message", e.what()}});
      channel.wait_until_stored();
      return exit_code(e.kind());
    }
    return failed(kind_name(e.kind()), e.what(), exit_code(e.kind()));
  } catch (const std::bad_alloc&) {
    return failed("out_of_memory", "out of memory", 1);
  } catch (const c10::OutOfMemoryError& e) {
    return failed("out_of_memory", e.what_without_backtrace(), 1);
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    const bool memory = what.find("can't allocate memory") != std::string::npos;
    return failed(memory ? "out_of_memory" : "internal", what, 1);
  } catch (const std::exception& e) {
    return failed("internal", e.what(), 1);
  }
}

// The job of `predict` or `frequency` from stdin; each image is answered by a line on stdout.
Json read_image_job() {
  std::string line;
  std::getline(std::cin, line);
  return parse_json(line, "job", ErrorKind::kConfig);
}

void tell(const Json& answer) {
  std::printf("%s\n", canonical_json(answer).c_str());
  std::fflush(stdout);
}

int predict(const Registry<MethodEntry>& methods) {
  const auto job = predict_job_from_json(read_image_job());
  const auto unreadable = predict_images(job, methods.at(job.method), tell);
  return unreadable > 0 ? exit_code(ErrorKind::kData) : 0;
}

int frequency(const Registry<MethodEntry>& methods) {
  const auto job = frequency_job_from_json(read_image_job());
  split_images(job, methods.at(job.method), tell);
  return 0;
}

// Questions of adbench before it starts jobs (runners/schedule/check.h).
int check(const Registry<MethodEntry>& methods) {
  Json devices = Json::array();
  for (std::size_t i = 0; i < at::getNumGPUs(); ++i) {
    devices.push_back({{"device", fmt::format("cuda:{}", i)}});
  }
  std::printf(
      "%s\n",
      canonical_json(
          {{"wire", wire::kVersion}, {"libtorch", libtorch_version()}, {"devices", devices}})
          .c_str());
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      continue;
    }
    const auto question = parse_json(line, "question", ErrorKind::kConfig);
    Json answer = {{"id", question.at("id")}, {"error", nullptr}};
    try {
      methods.at(question.at("method").get<std::string>()).make(question.at("options"), Context{});
    } catch (const Error& e) {
      answer["error"] = e.what();
    }
    std::printf("%s\n", canonical_json(answer).c_str());
  }
  return 0;
}

int main_checked(int argc, char** argv) {
  CLI::App app("Runs jobs of adbench: methods on LibTorch.", "adbench-worker");
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  app.fallthrough();
  auto plugins = plugin_files();
  app.add_option_function<std::vector<std::string>>(
         "--plugin",
         [&](const auto& files) { plugins.insert(plugins.end(), files.begin(), files.end()); },
         "shared object with more methods; may be repeated")
      ->take_all();

  auto* run_command = app.add_subcommand("run", "one job from standard input (started by adbench)");

  auto* predict_command =
      app.add_subcommand("predict", "a trained model on images, a job from standard input");

  auto* frequency_command = app.add_subcommand(
      "frequency", "low and high frequencies of a trained model's features, a job as of predict");

  auto* check_command =
      app.add_subcommand("check", "whether options fit together, from standard input");

  auto* describe = app.add_subcommand("describe", "methods, their options and sizes as JSON");
  std::string method, options_text = "{}";
  std::int64_t size = 0;
  describe->add_option("--method", method, "only this method");
  bool only_plugins = false;
  describe->add_flag("--only-plugins", only_plugins, "only the methods that plugins bring");
  describe->add_option("--size", size, "side of the input in pixels");
  describe->add_option("--options", options_text, "options that differ from the defaults, as JSON");

  auto* speed = app.add_subcommand("speed", "times one method on formula images, as JSON");
  SpeedPlan speed_plan;
  std::string device = "cpu";
  int threads = 0;
  speed->add_option("--method", method, "which")->required();
  speed->add_option("--options", options_text, "options that differ from the defaults, as JSON");
  speed->add_option("--threads", threads, "for LibTorch; 0: as many as it takes");
  speed->add_option("--device", device, "cpu or cuda:N");
  speed->add_option("--batches", speed_plan.batches, "numbers of images to predict together")
      ->delimiter(',');
  speed->add_option("--seconds", speed_plan.seconds, "of each series");
  speed->add_option("--min-samples", speed_plan.min_samples, "of each series");
  speed->add_option("--max-samples", speed_plan.max_samples, "of each series");
  speed->add_flag("--train,!--no-train", speed_plan.train, "training steps, too");

  VerifyFlags verify_flags;
  auto* verify = app.add_subcommand("verify", "golden cases against this build");
  add_verify_flags(*verify, &verify_flags);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_code(ErrorKind::kUsage);
  }

  Registry<MethodEntry> methods("method");
  add_builtin_methods(methods);
  const auto sources = load_plugins(plugins, methods);
  if (run_command->parsed()) {
    return run(methods);
  }
  if (predict_command->parsed()) {
    return predict(methods);
  }
  if (frequency_command->parsed()) {
    return frequency(methods);
  }
  if (check_command->parsed()) {
    return check(methods);
  }
  if (verify->parsed()) {
    return run_verify_all(methods, verify_flags);
  }
  const auto options = parse_json(options_text, "--options", ErrorKind::kUsage);
  if (speed->parsed()) {
    if (threads > 0) {
      at::set_num_threads(threads);
    }
    const auto place = parse_device(device);
    make_deterministic(place);
    const Context context{at::kFloat, place, Streams(kSpeedSeed)};
    auto measured = measure_speed(methods.at(method), options, context, speed_plan);
    measured["threads"] = at::get_num_threads();
    std::printf("%s\n", canonical_json(measured).c_str());
    return 0;
  }
  Json described = Json::array();
  for (const auto& entry : methods) {
    const auto source = sources.find(entry.name);
    if ((method.empty() || entry.name == methods.at(method).name) &&
        (!only_plugins || source != sources.end())) {
      described.push_back(describe_method(entry, options, size));
      described.back()["plugin"] = source == sources.end() ? "" : source->second;
    }
  }
  const Json answer = {{"wire", wire::kVersion},
                       {"libtorch", libtorch_version()},
                       {"cuda", at::globalContext().hasCUDART()},
                       {"methods", described}};
  std::printf("%s\n", answer.dump(1).c_str());
  return 0;
}

}  // namespace
}  // namespace adb

int main(int argc, char** argv) {
  // Every step takes and frees tensors of tens of MiB. Kept in the heap, their pages need not be
  // mapped and cleared again each time (docs/running.md has what this gives and costs).
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);
  try {
    return adb::main_checked(argc, argv);
  } catch (const adb::Error& e) {
    std::fprintf(stderr, "adbench-worker: %s\n", e.what());
    return adb::exit_code(e.kind());
  } catch (const c10::Error& e) {
    std::fprintf(stderr, "adbench-worker: %s\n", e.what_without_backtrace());
    return 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adbench-worker: %s\n", e.what());
    return 1;
  }
}
