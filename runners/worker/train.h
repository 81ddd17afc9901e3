// Training and evaluation by the protocol card.
#pragma once

#include "methods/method.h"
#include "runners/wire/wire.h"
#include "runners/worker/channel.h"
#include "runners/worker/ranks.h"

namespace adb {

// Runs one job from its start or its newest checkpoint to the end, sending events. Several ranks
// share every batch: rank r of N takes the r-th N-th of its images, gradients and the statistics of
// batch norms are combined, so that N ranks follow one rank with the same batch but for rounding.
// Test images are split, and scored at the lead.
//   throws: Error of what went wrong; kInterrupted after a stop (everything is saved then)
void run_job(const wire::Job& job,
             const Registry<MethodEntry>& methods,
             Channel& channel,
             const Ranks& ranks);

}  // namespace adb
