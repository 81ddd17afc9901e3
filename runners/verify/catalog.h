// Every kind of golden case that this program can run.
#pragma once

#include <vector>

#include "core/registry.h"
#include "methods/method.h"
#include "runners/verify/verify.h"

namespace adb {

// Methods, backbones, synthesis, the protocol's image steps and the metrics.
std::vector<GoldenFunction> all_golden_functions(const Registry<MethodEntry>& methods);

}  // namespace adb
