// How DRÆM makes its training samples (card anomaly-synthesis), and its own learning-rate schedule.
#pragma once

#include "methods/draem/options.h"
#include "methods/sample.h"

namespace adb::draem {

// The fields of one sample of side S: "image" [3, S, S] with the defect, "target" [3, S, S] without
// it, both in [0, 1], and "mask" [1, S, S] of 0 and 1.
SampleFunction sample_function(const DraemOptions& options);

// The author's: lr x 0.2 from 80 % of the epochs on, and x 0.2 again from 90 % on.
double two_step_schedule(double lr, const StepPlan& plan);

}  // namespace adb::draem
