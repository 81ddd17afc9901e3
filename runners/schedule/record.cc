#include "runners/schedule/record.h"

#include <fstream>

#include <sys/utsname.h>

#include "core/version.h"
#include "runners/schedule/runner.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(": ") + 2);
    }
  }
  return "unknown";
}

std::vector<wire::JobSample> job_samples(const std::vector<Sample>& samples) {
  std::vector<wire::JobSample> list;
  for (const auto& s : samples) {
    list.push_back({s.id, s.category, s.defect, fs::absolute(s.image), s.mask, s.anomalous});
    if (list.back().mask) {
      list.back().mask = fs::absolute(*list.back().mask);
    }
  }
  return list;
}

}  // namespace

RunRow row_of(const Plan& plan,
              const Cell& cell,
              const DeviceSlot& slot,
              const RunOptions& options) {
  RunRow row;
  row.key = cell.key;
  row.method = cell.method->name;
  row.method_title = cell.method->title;
  row.method_version = cell.method->version;
  row.dataset = cell.dataset;
  row.setting = cell.setting;
  row.classes = cell.classes;
  row.seed = cell.seed;
  row.protocol = cell.protocol.name;
  row.protocol_version = cell.protocol.version;
  // `repeat` is for `rerun`: where the files lay (their hashes say what they were), what was kept.
  row.protocol_config = {{"title", cell.protocol.title},
                         {"overlay", cell.protocol.overlay},
                         {"tests", cell.tests},
                         {"ranks", options.ranks},
                         {"changed_from_default", cell.changed},
                         {"repeat",
                          {{"save_maps", options.save_maps},
                           {"feature_cache", options.feature_cache},
                           {"data", fs::absolute(plan.data[cell.data].root).string()},
                           {"weights", cell.weights_file.string()},
                           {"textures", cell.textures_folder.string()}}}};
  row.epoch_rule = cell.protocol.epoch_rule;
  row.options = cell.options;
  row.changed_options = cell.origins;
  row.weights = cell.weights;
  row.data_manifest = cell.data_manifest;
  row.textures = cell.textures;
  row.threads = slot.threads;
  row.device = slot.device;
  row.epochs = cell.tests.back();
  return row;
}

Environment environment_of(const std::string& libtorch) {
  Environment e;
  utsname system{};
  ::uname(&system);
  e.host = system.nodename;
  e.cpu = cpu_model();
  e.compiler = compiler();
  e.libraries = {{"libtorch", libtorch}};
  e.code_commit = code_commit();
  e.build_type = build_type();
  return e;
}

wire::Job job_of(const Plan& plan,
                 const Cell& cell,
                 const DeviceSlot& slot,
                 const RunOptions& options,
                 const fs::path& folder,
                 std::int64_t cache_bytes) {
  wire::Job job;
  job.key = cell.key;
  job.folder = folder;
  job.method = cell.method->name;
  job.options = cell.changed;
  job.options.erase("weights");
  job.seed = cell.seed;
  job.threads = slot.threads;
  job.device = slot.device;
  job.categories = cell.classes;
  job.tests = cell.tests;
  job.epoch_rule = cell.protocol.epoch_rule;
  job.weights = cell.weights_file;
  job.textures = cell.textures_folder;
  job.metric_mode = options.metric_mode;
  job.fpr_limit = options.fpr_limit;
  job.save_maps = options.save_maps;
  job.feature_cache = options.feature_cache;
  job.cache_bytes = cache_bytes;
  job.checkpoint_every_s = options.checkpoint_every_s;
  const auto data = plan.data[cell.data].restrict(cell.classes);
  job.train = job_samples(data.train);
  job.test = job_samples(data.test);
  return job;
}

std::string label_of(const Cell& cell) {
  return fmt::format("{}{} on {}{}{}",
                     cell.method->name,
                     cell.row.empty() ? "" : " (" + cell.row + ")",
                     cell.dataset,
                     cell.setting == "single" ? "/" + cell.classes.front() : "",
                     cell.seed == 42 ? "" : fmt::format(", seed {}", cell.seed));
}

}  // namespace adb
