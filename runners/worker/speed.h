// How fast a method trains and predicts: timings on formula images, every sample kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"
#include "methods/method.h"

namespace adb {

struct SpeedPlan {
  std::int64_t min_samples = 5;   // of every series
  std::int64_t max_samples = 50;  // and at most
  double seconds = 5;             // each series goes on for this long, within those numbers
  std::int64_t warm_up = 2;       // calls before a series that are not counted
  std::vector<std::int64_t> batches = {1, 8};  // predicted together; 1 gives the latency
  bool train = true;
};

// Times the method with random weights (they do not change its speed). Series, in seconds:
//   step           one training step, the frozen part computed (in the last phase of a method
//                  that has several)
//   step_first     the same in its first phase, where the parts of the loss differ
//   step_cached    the same as `step` with the frozen part given, where the runner caches it
//   features       the frozen part of one training batch
//   predict_N      N images
// The first four are timed in turn, so that a slow moment of the machine meets all of them.
//   returns: {batch, series: {NAME: [SECONDS, ...]}, peak_train_bytes, peak_predict_bytes};
//   the peaks are of the whole process (0 where the system cannot reset its mark)
Json measure_speed(const MethodEntry& entry,
                   const Json& options,
                   const Context& context,
                   const SpeedPlan& plan);

// The series predict_N alone, of a method that is there already.
//   image: [1, 3, S, S], normalised
std::map<std::string, std::vector<double>> measure_predictions(Method& method,
                                                               const at::Tensor& image,
                                                               const SpeedPlan& plan);

}  // namespace adb
