// Worker events as rows of the store.
#pragma once

#include "core/json.h"
#include "results/records.h"

namespace adb {

// The rows that an event adds; an event that adds none gives an empty batch.
//   setting: how the figures of `evaluation` were computed
//   throws: Error(kInternal) for an event that does not fit the wire
EventBatch rows_of_event(const Json& event, const MetricSetting& setting);

bool empty(const EventBatch& batch);

}  // namespace adb
