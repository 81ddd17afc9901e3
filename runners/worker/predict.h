// A trained model on images of one's own: scores, maps, masks and overlays.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "runners/worker/trained.h"

namespace adb {

struct PredictJob : TrainedJob {
  std::optional<double> threshold;  // of map values, for the masks
};

// trained_job_from_json with `threshold`, a number or null. throws: Error(kConfig)
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
