// A trained model on images of one's own: scores, maps, masks and overlays.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "methods/method.h"

namespace adb {

struct PredictJob {
  struct Input {
    std::string id;  // a relative path; names the results
    std::filesystem::path file;
  };
  std::string method;
  Json options = Json::object();
  std::filesystem::path state;  // safetensors of the whole model, as a run keeps it
  std::vector<Input> images;
  std::filesystem::path out;        // folder of the pictures; empty: scores only
  std::optional<double> threshold;  // of map values, for the masks
  std::string device = "cpu";
};

// The job from its JSON: {method, options, state, images: [[id, file], ...], out, threshold,
// device}. throws: Error(kConfig)
PredictJob predict_job_from_json(const Json& json);

// Calls `tell` once for each image, in their order:
//   {image, score, map, map_low, map_high, mask, overlay}: paths in `out` where there is one; the
//   map is a 16-bit PNG of the image's size, 0 is map_low and 65535 map_high, the least and the
//   largest value over all images of the call; the overlay shows it with that scale; the mask marks
//   map values from the threshold on (255)
//   {image, error} of an image that cannot be read
// returns: how many could not be read
// throws: Error(kUsage) for options that do not fit, Error(kWeights) for a state that does not,
//   Error(kData) when `out` cannot be written, Error(kNumeric) naming the image with a map that is
//   not finite
std::int64_t predict_images(const PredictJob& job,
                            const MethodEntry& entry,
                            const std::function<void(const Json&)>& tell);

}  // namespace adb
