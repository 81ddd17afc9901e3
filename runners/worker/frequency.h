// Low and high spatial frequencies of the features that a trained method rebuilds: `adbench figure
// frequency` (docs/page.md).
#pragma once

#include <functional>

#include "runners/worker/trained.h"

namespace adb {

// Features split by an ideal low-pass filter, a disc in the frequency plane around frequency 0.
struct Bands {
  at::Tensor low;         // [H, W] float64: length over the channels of the part inside
  at::Tensor high;        // [H, W]: of the rest
  double high_share = 0;  // of the squared values of `features`, in the rest: 0 .. 1
};

// Each channel is transformed by itself; `low` and `high` of a channel add up to it.
//   features: [C, H, W]   cutoff: radius of the disc, as a share of the highest frequency of one
//   axis (half a cycle a position); the edge belongs to `low`
//   source: R. Gonzalez and R. Woods, Digital Image Processing, ideal low-pass filter; the share by
//   Parseval's theorem
Bands split_bands(const at::Tensor& features, double cutoff);

struct FrequencyJob : TrainedJob {
  double cutoff = 0.25;
};

// trained_job_from_json with `cutoff`. throws: Error(kConfig)
FrequencyJob frequency_job_from_json(const Json& json);

// Calls `tell` once for each image, in their order, with files in `out`:
//   {image, input, pairs: [{name, given: {low, high, high_share}, rebuilt: {...}}]}
// `input` is the image at most 128 pixels a side; `low` and `high` are 8-bit grey PNG, one pixel a
// position, of one scale for a pair, part and band over all images.
//   throws: Error(kUsage) of a method that rebuilds no features; load_trained's; Error(kData) of an
//   image that cannot be read or a file that cannot be written; Error(kNumeric) of features that
//   are not finite
void split_images(const FrequencyJob& job,
                  const MethodEntry& entry,
                  const std::function<void(const Json&)>& tell);

}  // namespace adb
