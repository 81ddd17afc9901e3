// A stored run's model before images of the user's: what `predict` and `figure frequency` share.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/json.h"

namespace adb {

struct TrainedFlags {
  std::filesystem::path store;
  std::vector<std::filesystem::path> inputs;
  std::string run, epoch = "reported", device = "cpu";
};

// All but the store and the images, which the commands name themselves.
void add_trained_flags(CLI::App& app, TrainedFlags* flags);

// The job for `adbench-worker predict` and `frequency` (runners/worker/trained.h), with the images
// below `inputs` and pictures in `out` ("": none).
//   throws: Error(kUsage) of a run that is absent, did not finish or was made by another version
//   of its method; Error(kWeights) where its weights are not what it wrote; Error(kData) of an
//   image that does not exist
Json trained_job(const TrainedFlags& flags, const std::filesystem::path& out);

// Runs `adbench-worker COMMAND` on the job, passes its messages on to stderr and calls `answer`
// with each line. returns: its exit code, 1 when a signal ended it
int ask_trained(const char* command,
                const Json& job,
                const std::function<void(const std::string&)>& answer);

}  // namespace adb
