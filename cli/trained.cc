#include "cli/trained.h"

#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/run_lookup.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/image_names.h"
#include "core/scratch.h"
#include "runners/schedule/worker_process.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

// [id, file] for each image, each file once. A folder gives all images below it, by path; where
// that is not unique (a/0.png b/0.png) the id is the whole path.
Json images_of(const std::vector<fs::path>& inputs) {
  std::vector<std::pair<std::string, std::string>> found;
  std::set<std::string> files;
  std::map<std::string, int> names;
  const auto add = [&](const std::string& name, const fs::path& file) {
    const auto whole = fs::absolute(file).lexically_normal().string();
    if (files.insert(whole).second) {
      found.emplace_back(name, whole);
      ++names[name];
    }
  };
  for (const auto& input : inputs) {
    ADB_CHECK(fs::exists(input), ErrorKind::kData, "'{}' does not exist", input.string());
    if (!fs::is_directory(input)) {
      add(input.filename().string(), input);
      continue;
    }
    bool any = false;
    for (const auto& file : files_below(input)) {
      if (is_image_name(file)) {
        add(file, input / file);
        any = true;
      }
    }
    ADB_CHECK(
        any, ErrorKind::kData, "no image file (PNG, JPEG, BMP, TIFF) below '{}'", input.string());
  }
  Json images = Json::array();
  for (const auto& [name, file] : found) {
    images.push_back({names[name] > 1 ? fs::path(file).relative_path().string() : name, file});
  }
  return images;
}

// The kept weights of the run, their hash checked.
fs::path weights_of(const Store& store, const RunRow& run, const TrainedFlags& flags) {
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

}  // namespace

void add_trained_flags(CLI::App& app, TrainedFlags* flags) {
  app.add_option("--run", flags->run, "number of the run, or the beginning of its cell's key");
  app.add_option("--epoch", flags->epoch, "the run's test whose weights to take: reported or last")
      ->check(CLI::IsMember({"reported", "last"}))
      ->capture_default_str();
  app.add_option("--device", flags->device, "cpu or cuda:N")->capture_default_str();
}

Json trained_job(const TrainedFlags& flags, const fs::path& out) {
  const auto catalogue = method_catalogue();
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
  return {{"method", run.method},
          {"options", options},
          {"state", weights_of(store, run, flags).string()},
          {"device", flags.device},
          {"out", out.empty() ? "" : fs::absolute(out).string()},
          {"images", images_of(flags.inputs)}};
}

int ask_trained(const char* command,
                const Json& job,
                const std::function<void(const std::string&)>& answer) {
  const ScratchFolder folder("adbench");
  const auto log = folder.path() / "log";
  ProcessEnd end;
  {
    WorkerProcess worker({worker_program().string(), command}, log, {});
    worker.send_line(canonical_json(job));
    for (bool closed = false; !closed;) {
      pollfd fds[2] = {{worker.output(), POLLIN, 0}, {worker.unsent_input(), POLLOUT, 0}};
      ::poll(fds, 2, -1);
      worker.send_unsent();
      for (const auto& line : worker.read_lines(&closed)) {
        answer(line);
      }
    }
    end = worker.wait();
  }
  fmt::print(stderr, "{}", read_text(log, ErrorKind::kInternal));
  return end.signal != 0 ? 1 : end.code;
}

}  // namespace adb
