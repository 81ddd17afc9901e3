// Training and evaluation by the protocol card.
#pragma once

#include "methods/method.h"
#include "runners/wire/wire.h"
#include "runners/worker/channel.h"

namespace adb {

// Runs one job from its start or its newest checkpoint to the end, sending events.
//   throws: Error of what went wrong; kInterrupted after a stop (everything is saved then)
void run_job(const wire::Job& job, const Registry<MethodEntry>& methods, Channel& channel);

}  // namespace adb
