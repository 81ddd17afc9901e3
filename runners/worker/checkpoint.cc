#include "runners/worker/checkpoint.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "tensor/state.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

const char* const kPrefix = "checkpoint-";
const char* const kFiles[] = {"state.safetensors", "state.json"};

// Complete checkpoint folders, newest first. Names sort because the numbers have a fixed width.
std::vector<fs::path> list(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && name.find(".tmp") == std::string::npos) {
      found.push_back(entry.path());
    }
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

void verify(const fs::path& checkpoint) {
  const auto manifest = read_json(checkpoint / "manifest.json", ErrorKind::kData);
  for (const char* file : kFiles) {
    const auto want = json_string(
        json_at(manifest, file, "manifest.json", ErrorKind::kData), file, ErrorKind::kData);
    ADB_CHECK(sha256_file(checkpoint / file, ErrorKind::kData) == want,
              ErrorKind::kData,
              "'{}' is not what its manifest says",
              (checkpoint / file).string());
  }
}

}  // namespace

void save_checkpoint(const fs::path& folder,
                     std::int64_t epoch,
                     std::int64_t step,
                     const Json& state,
                     const NamedTensors& tensors,
                     const std::function<void()>& before_commit) {
  const auto name = fmt::format("{}{:06}-{:08}", kPrefix, epoch, step);
  const auto temporary = folder / (name + ".tmp");
  const auto target = folder / name;
  fs::remove_all(temporary);
  make_folder(temporary);
  write_tensors(temporary / kFiles[0], tensors);
  write_file_atomic(temporary / kFiles[1], state.dump(1) + "\n");
  Json manifest = Json::object();
  for (const char* file : kFiles) {
    manifest[file] = sha256_file(temporary / file, ErrorKind::kData);
  }
  write_file_atomic(temporary / "manifest.json", manifest.dump(1) + "\n");
  flush_to_disk(temporary);
  before_commit();
  fs::remove_all(target);  // the same step again after a resume
  std::error_code error;
  fs::rename(temporary, target, error);
  ADB_CHECK(!error, ErrorKind::kData, "cannot write '{}': {}", target.string(), error.message());
  flush_to_disk(folder);
  const auto all = list(folder);
  for (std::size_t i = 2; i < all.size(); ++i) {
    fs::remove_all(all[i]);
  }
}

std::optional<TrainingCheckpoint> find_checkpoint(const fs::path& folder,
                                                  std::vector<std::string>* notes) {
  for (const auto& candidate : list(folder)) {
    try {
      verify(candidate);
      return TrainingCheckpoint{candidate, read_json(candidate / kFiles[1], ErrorKind::kData)};
    } catch (const Error& e) {
      notes->push_back(fmt::format("checkpoint passed over: {}", e.what()));
    }
  }
  return std::nullopt;
}

void remove_checkpoints(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(kPrefix)) {
      fs::remove_all(entry.path());
    }
  }
}

}  // namespace adb
