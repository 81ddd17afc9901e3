// What every method must do, whatever it is: run by the tests over the whole catalogue, and by
// `verify --conformance NAME` for a method that someone is writing.
#pragma once

#include <string>
#include <vector>

#include "methods/method.h"

namespace adb {

// Builds the method with `options` (keep them tiny: 64 px, batch 2) and checks, on formula images:
//   unknown options and values out of range are refused; names in the state are unique and hold the
//   trainable ones; predictions have the right shapes, are finite, do not depend on the rest of the
//   batch (1e-4 of the map's range) and change no parameter, buffer or moment; frozen features are
//   bitwise the same alone and in a batch, and giving them changes no bit of a prediction or a
//   loss; pairs of features that it rebuilds have one shape and leave the state as it was; the same
//   seed gives the same three losses bit for bit; state saved, loaded into a new object and
//   continued gives the same losses; training moves the trainable part only, and the loss falls
//   within `steps` steps on two images.
// returns: one line for each broken promise
std::vector<std::string> check_conformance(const MethodEntry& entry,
                                           const Json& options,
                                           std::int64_t steps = 40);

// Builds the method with `options`, trains one step and predicts one image: for many options, where
// the whole battery would take too long.
// returns: "" or what went wrong
std::string check_one_step(const MethodEntry& entry, const Json& options);

}  // namespace adb
