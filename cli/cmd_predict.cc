#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/run_lookup.h"
#include "core/files.h"
#include "core/hash.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

struct PredictFlags {
  std::vector<fs::path> inputs;
  fs::path store, out;
  std::string run, epoch = "reported", device = "cpu";
  std::optional<double> threshold;
};

bool is_image_name(const fs::path& file) {
  auto extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  for (const char* known : {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}) {
    if (extension == known) {
      return true;
    }
  }
  return false;
}

// [id, file] for each image. A folder gives all images below it, by path.
Json images_of(const std::vector<fs::path>& inputs) {
  Json images = Json::array();
  for (const auto& input : inputs) {
    ADB_CHECK(fs::exists(input), ErrorKind::kData, "'{}' does not exist", input.string());
    if (!fs::is_directory(input)) {
      images.push_back({input.filename().string(), fs::absolute(input).string()});
      continue;
    }
    const auto before = images.size();
    for (const auto& file : files_below(input)) {
      if (is_image_name(file)) {
        images.push_back({file, fs::absolute(input / file).string()});
      }
    }
    ADB_CHECK(images.size() > before,
              ErrorKind::kData,
              "no image file (PNG, JPEG, BMP, TIFF) below '{}'",
              input.string());
  }
  return images;
}

// The kept weights of the run, their hash checked.
fs::path weights_of(const Store& store, const RunRow& run, const PredictFlags& flags) {
  const auto epoch = flags.epoch == "last" ? run.last_epoch : run.reported_epoch;
  ADB_CHECK(epoch.has_value(),
            ErrorKind::kUsage,
            "run {} did not finish ({})",
            to_int(run.id),
            to_text(run.status));
  for (const auto& artifact : store.artifacts(run.id)) {
    if (artifact.kind != "weights" || artifact.epoch != *epoch) {
      continue;
    }
    const auto file = fs::absolute(flags.store).parent_path() / run.folder / artifact.path;
    ADB_CHECK(fs::exists(file),
              ErrorKind::kWeights,
              "the weights of run {} are gone: '{}'",
              to_int(run.id),
              file.string());
    ADB_CHECK(sha256_file(file, ErrorKind::kWeights) == artifact.sha256,
              ErrorKind::kWeights,
              "'{}' is not what run {} wrote: its hash differs",
              file.string(),
              to_int(run.id));
    return file;
  }
  fail(ErrorKind::kWeights, "run {} kept no weights of epoch {}", to_int(run.id), *epoch);
}

int predict(const PredictFlags& flags) {
  const auto catalogue = method_catalogue();
  Json job;
  {
    const auto store = Store::open_for_read(flags.store);
    const auto run = find_run(store, flags.run);
    const auto& method = catalogue.methods.at(run.method);
    ADB_CHECK(method.version == run.method_version,
              ErrorKind::kUsage,
              "run {} was made by version {} of {}, this is version {}",
              to_int(run.id),
              run.method_version,
              run.method,
              method.version);
    auto options = run.options;
    options.erase("weights");
    job = {{"method", run.method},
           {"options", options},
           {"state", weights_of(store, run, flags).string()},
           {"device", flags.device},
           {"out", flags.out.empty() ? "" : fs::absolute(flags.out).string()},
           {"threshold", flags.threshold ? Json(*flags.threshold) : Json(nullptr)}};
  }
  job["images"] = images_of(flags.inputs);
  const auto log = fs::temp_directory_path() / fmt::format("adbench-predict-{}.log", ::getpid());
  int code = 0;
  {
    WorkerProcess worker({worker_program().string(), "predict"}, log, {});
    worker.send_line(canonical_json(job));
    for (bool closed = false; !closed;) {
      pollfd fds[2] = {{worker.output(), POLLIN, 0}, {worker.unsent_input(), POLLOUT, 0}};
      ::poll(fds, 2, -1);
      worker.send_unsent();
      for (const auto& line : worker.read_lines(&closed)) {
        fmt::print("{}\n", line);
      }
      std::fflush(stdout);
    }
    const auto end = worker.wait();
    code = end.signal != 0 ? 1 : end.code;
  }
  fmt::print(stderr, "{}", read_text(log, ErrorKind::kInternal));
  fs::remove(log);
  return code;
}

}  // namespace

Command predict_command() {
  return {"predict",
          "a stored run's model on images: scores, maps, masks, overlays",
          [](CLI::App& app) {
            auto flags = std::make_shared<PredictFlags>();
            app.add_option("images", flags->inputs, "image files, or folders of them")->required();
            add_store_flag(app, &flags->store);
            app.add_option(
                   "--run", flags->run, "number of the run, or the beginning of its cell's key")
                ->required();
            app.add_option("--epoch", flags->epoch, "reported or last")
                ->check(CLI::IsMember({"reported", "last"}))
                ->capture_default_str();
            app.add_option("--out", flags->out, "folder for the pictures (default: scores only)");
            app.add_option("--threshold", flags->threshold, "of map values, for masks");
            app.add_option("--device", flags->device, "cpu or cuda:N")->capture_default_str();
            return [flags] { return predict(*flags); };
          }};
}

}  // namespace adb
