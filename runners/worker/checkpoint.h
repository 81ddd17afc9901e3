// Checkpoints that a crash cannot tear: a folder written under a temporary name, every file
// flushed, a manifest with hashes, then renamed. Two are kept; a damaged one is passed over for the
// one before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "tensor/tensor.h"

namespace adb {

struct TrainingCheckpoint {
  std::filesystem::path folder;
  Json state;  // state.json
};

// Writes FOLDER/checkpoint-EPOCH-STEP with state.safetensors, state.json and manifest.json, then
// removes all but the newest two. `before_commit` runs when everything is on the disk, before the
// rename that makes it count.
//   throws: Error(kData) (disk full, ...); older checkpoints are then untouched
void save_checkpoint(const std::filesystem::path& folder,
                     std::int64_t epoch,
                     std::int64_t step,
                     const Json& state,
                     const NamedTensors& tensors,
                     const std::function<void()>& before_commit);

// The newest checkpoint whose manifest verifies; what was wrong with newer ones goes to `notes`.
std::optional<TrainingCheckpoint> find_checkpoint(const std::filesystem::path& folder,
                                                  std::vector<std::string>* notes);

void remove_checkpoints(const std::filesystem::path& folder);

}  // namespace adb
