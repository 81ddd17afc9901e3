// A small method that uses everything the seam offers: its own sample function, drawing with
// replacement, two phases, two optimisers, frozen features and a texture pool. It can be told to
// break one promise.
#pragma once

#include <string>

#include "methods/method.h"

namespace adb::testing {

// broken: "" | "predict_trains" | "batch_dependent" | "features_random" | "unsaved" |
// "frozen_moves" | "own_seed"
MethodEntry fake_method(const std::string& broken = "");

}  // namespace adb::testing
