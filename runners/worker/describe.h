// What the light program knows of methods, as data.
#pragma once

#include <cstdint>

#include "core/json.h"
#include "methods/method.h"

namespace adb {

// {name, title, summary, version, options, weights, ader_pool, size, parameters {total, trainable},
// macs, macs_with_norms}, measured on a freshly built network.
//   options: values that differ from the defaults   size: side of the input, 0: the method's
//   default
Json describe_method(const MethodEntry& entry, const Json& options, std::int64_t size);

}  // namespace adb
