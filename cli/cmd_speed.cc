#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/text.h"
#include "core/version.h"
#include "results/store.h"
#include "runners/schedule/record.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

struct SpeedFlags {
  std::string methods = "all", device = "cpu", batches = "1,2,4,8,16";
  std::vector<std::string> sets;
  std::int64_t size = 0, threads = 0;
  double seconds = 5;
  std::filesystem::path store;
  bool json = false, no_train = false;
};

// The q-quantile of the samples, by linear interpolation between order statistics.
double quantile(std::vector<double> samples, double q) {
  std::sort(samples.begin(), samples.end());
  const double place = q * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, samples.size() - 1);
  return samples[below] + (place - std::floor(place)) * (samples[above] - samples[below]);
}

SpeedRow measure(const MethodInfo& method, const SpeedFlags& flags) {
  SpeedRow row;
  row.method = method.name;
  row.method_version = method.version;
  row.device = flags.device;
  for (const auto& text : flags.sets) {
    const auto setting = parse_setting(text);
    const auto& field = find_option(method.options, setting.path, setting.place);
    row.options[field.path] = check_option(field, setting.value, setting.place);
  }
  if (flags.size > 0) {
    row.options["image_size"] = flags.size;
  }
  std::vector<std::string> command = {worker_program().string(),
                                      "speed",
                                      "--method",
                                      method.name,
                                      "--options",
                                      canonical_json(row.options),
                                      "--device",
                                      flags.device,
                                      "--batches",
                                      flags.batches,
                                      "--seconds",
                                      fmt::format("{}", flags.seconds),
                                      "--threads",
                                      std::to_string(flags.threads)};
  if (flags.no_train) {
    command.emplace_back("--no-train");
  }
  const auto answer = ask_worker(command, "");
  ADB_CHECK(answer.end.signal == 0 && answer.end.code == 0,
            answer.end.code == 2 ? ErrorKind::kUsage : ErrorKind::kInternal,
            "{}: {}",
            method.name,
            answer.err);
  const auto json = parse_json(answer.out, "adbench-worker speed", ErrorKind::kInternal);
  row.image_size = json.at("size").get<std::int64_t>();
  row.batch = json.at("batch").get<std::int64_t>();
  row.threads = json.at("threads").get<std::int64_t>();
  row.peak_train_bytes = json.at("peak_train_bytes").get<std::int64_t>();
  row.peak_predict_bytes = json.at("peak_predict_bytes").get<std::int64_t>();
  row.series = json.at("series").get<std::map<std::string, std::vector<double>>>();
  return row;
}

// What the samples of one method say.
struct SpeedSummary {
  double step_s = 0, cached_s = 0;  // medians, 0: not measured
  double bound = 0, gain = 0;       // of the cache: 1 / (1 - frozen share), and as measured
  double p50_ms = 0, p90_ms = 0, p99_ms = 0;
  double images_per_s = 0;  // at the batch with the most
  std::int64_t best_batch = 0;
};

SpeedSummary summarise(const SpeedRow& row) {
  SpeedSummary summary;
  const auto median = [&](const char* name) {
    const auto found = row.series.find(name);
    return found == row.series.end() ? 0 : quantile(found->second, 0.5);
  };
  summary.step_s = median("step");
  summary.cached_s = median("step_cached");
  if (summary.cached_s > 0) {
    summary.bound = 1 / (1 - median("features") / summary.step_s);
    summary.gain = summary.step_s / summary.cached_s;
  }
  if (const auto one = row.series.find("predict_1"); one != row.series.end()) {
    summary.p50_ms = 1000 * quantile(one->second, 0.5);
    summary.p90_ms = 1000 * quantile(one->second, 0.9);
    summary.p99_ms = 1000 * quantile(one->second, 0.99);
  }
  const std::string prefix = "predict_";
  for (const auto& [name, seconds] : row.series) {
    if (name.starts_with(prefix)) {
      const auto batch = std::stoll(name.substr(prefix.size()));
      const double rate = static_cast<double>(batch) / quantile(seconds, 0.5);
      if (rate > summary.images_per_s) {
        summary.images_per_s = rate;
        summary.best_batch = batch;
      }
    }
  }
  return summary;
}

Json to_json(const SpeedRow& row, const SpeedSummary& summary) {
  const auto or_null = [](double value) { return value > 0 ? Json(value) : Json(nullptr); };
  return {{"method", row.method},
          {"method_version", row.method_version},
          {"options", row.options},
          {"image_size", row.image_size},
          {"batch", row.batch},
          {"device", row.device},
          {"threads", row.threads},
          {"step_s", or_null(summary.step_s)},
          {"step_cached_s", or_null(summary.cached_s)},
          {"cache_bound", or_null(summary.bound)},
          {"cache_gain", or_null(summary.gain)},
          {"latency_ms",
           {{"p50", or_null(summary.p50_ms)},
            {"p90", or_null(summary.p90_ms)},
            {"p99", or_null(summary.p99_ms)}}},
          {"throughput_images_per_s", or_null(summary.images_per_s)},
          {"throughput_batch", summary.best_batch},
          {"peak_train_bytes", row.peak_train_bytes},
          {"peak_predict_bytes", row.peak_predict_bytes},
          {"series", row.series}};
}

void print_row(const SpeedRow& row, const SpeedSummary& s) {
  const auto number = [](double value, int decimals) {
    return value > 0 ? fmt::format("{:.{}f}", value, decimals) : std::string("-");
  };
  const auto batch = static_cast<double>(row.batch);
  fmt::print(
      "{:<10} {:>4} {:>5} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>8} {:>9} {:>5} {:>7} {:>7}\n",
      row.method,
      row.image_size,
      row.batch,
      number(s.step_s > 0 ? batch / s.step_s : 0, 2),
      number(s.cached_s > 0 ? batch / s.cached_s : 0, 2),
      number(s.gain, 2),
      number(s.bound, 2),
      number(s.p50_ms, 1),
      number(s.p90_ms, 1),
      number(s.p99_ms, 1),
      number(s.images_per_s, 2),
      s.best_batch,
      row.peak_train_bytes >> 20,
      row.peak_predict_bytes >> 20);
  std::fflush(stdout);
}

int speed(const SpeedFlags& flags) {
  ADB_CHECK(!built_with_debug(),
            ErrorKind::kUsage,
            "this is a debug build; speed is measured with a release build");
  for (const auto& batch : split(flags.batches, ',')) {
    ADB_CHECK(!batch.empty() && batch.size() <= 5 &&
                  batch.find_first_not_of("0123456789") == std::string::npos && batch != "0",
              ErrorKind::kUsage,
              "--batches: expected numbers such as 1,8, got '{}'",
              flags.batches);
  }
  const auto catalogue = method_catalogue();
  std::vector<const MethodInfo*> methods;
  for (const auto& name : split(flags.methods, ',')) {
    for (const auto& method : catalogue.methods) {
      if (name == "all" ? method.name != "null" : method.name == catalogue.methods.at(name).name) {
        methods.push_back(&method);
      }
    }
  }
  ADB_CHECK(!methods.empty(), ErrorKind::kUsage, "no method chosen; --methods all, or names");
  std::optional<Store> store;
  if (!flags.store.empty()) {
    store = Store::open_for_write(flags.store);
  }
  const auto environment = environment_of(catalogue.libtorch);
  if (!flags.json) {
    fmt::print(
        "{}, LibTorch {}, {}\n"
        "training in images/s without and with the feature cache, its gain and the bound\n"
        "1 / (1 - frozen share); latency of one image in ms; most images/s, and its batch;\n"
        "peak memory of the process in MiB\n\n",
        environment.cpu,
        catalogue.libtorch,
        flags.device);
    fmt::print(
        "{:<10} {:>4} {:>5} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} {:>8} {:>9} {:>5} {:>7} {:>7}\n",
        "method",
        "size",
        "batch",
        "train/s",
        "cached",
        "gain",
        "bound",
        "p50",
        "p90",
        "p99",
        "predict/s",
        "batch",
        "train",
        "predict");
  }
  Json rows = Json::array();
  for (const auto* method : methods) {
    const auto row = measure(*method, flags);
    const auto summary = summarise(row);
    if (store) {
      store->add_speed(row, environment);
    }
    if (flags.json) {
      rows.push_back(to_json(row, summary));
    } else {
      print_row(row, summary);
    }
  }
  if (flags.json) {
    print_json("adbench.speed.1", rows);
  }
  return 0;
}

}  // namespace

Command speed_command() {
  return {
      "speed", "training and prediction speed of methods, on formula images", [](CLI::App& app) {
        auto flags = std::make_shared<SpeedFlags>();
        app.add_option("--methods", flags->methods, "all, or names separated by commas")
            ->capture_default_str();
        app.add_option("--size", flags->size, "side of the images (default: the method's)")
            ->check(CLI::PositiveNumber);
        app.add_option("-S,--set", flags->sets, "OPTION=VALUE; may be repeated")->take_all();
        app.add_option("--device", flags->device, "cpu or cuda:N")->capture_default_str();
        app.add_option("--threads", flags->threads, "of LibTorch (default: all cores)")
            ->check(CLI::NonNegativeNumber);
        app.add_option("--batches", flags->batches, "numbers of images to predict together")
            ->capture_default_str();
        app.add_option("--seconds", flags->seconds, "for each series of timings")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_flag("--no-train", flags->no_train, "predictions only");
        app.add_option("--store", flags->store, "keep every sample in this store");
        add_json_flag(app, &flags->json);
        return [flags] { return speed(*flags); };
      }};
}

}  // namespace adb
