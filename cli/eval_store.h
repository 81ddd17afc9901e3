// An answer of `adbench eval` as a run of the store.
#pragma once

#include <filesystem>
#include <string>

#include "cli/eval_output.h"

namespace adb {

// Stores the answer as a run of an external method. Maps that are stored already (same method name,
// data, maps and image score) get the new figures beside the old ones. answer.set must have a
// manifest hash.
//   returns: one line that says what was stored.   throws: Error(kStore)
std::string store_eval(const EvalAnswer& answer,
                       const std::filesystem::path& store,
                       const std::string& method,
                       const std::string& dataset);

}  // namespace adb
