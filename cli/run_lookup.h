// Runs of a store as users name them.
#pragma once

#include <string>

#include "results/store.h"

namespace adb {

// "7": the run with that number; else the newest run whose cell key starts with the text (four
// characters at least).
//   throws: Error(kUsage)
RunRow find_run(const Store& store, const std::string& name);

}  // namespace adb
