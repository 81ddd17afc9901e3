// A run's trained model before images of one's own: what `predict` and `frequency` share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "methods/method.h"

namespace adb {

struct TrainedJob {
  struct Input {
    std::string id;  // a relative path; names the results
    std::filesystem::path file;
  };
  std::string method;
  Json options = Json::object();
  std::filesystem::path state;  // safetensors of the whole model, as a run keeps it
  std::vector<Input> images;
  std::filesystem::path out;  // folder of the pictures; empty: none
  std::string device = "cpu";
};

// {method, options, state, images: [[id, file], ...], out, device}; other keys are left alone.
//   throws: Error(kConfig)
TrainedJob trained_job_from_json(const Json& json);

// throws: Error(kUsage) for options that do not fit, Error(kWeights) for a state that does not
std::unique_ptr<Method> load_trained(const TrainedJob& job, const MethodEntry& entry);

// One image as the method's networks see it: [1, 3, S, S]. throws: Error(kData)
Batch image_batch(const std::filesystem::path& file,
                  const InputSpec& input,
                  const at::Device& device);

}  // namespace adb
