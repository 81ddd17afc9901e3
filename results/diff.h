// Whether two stores hold the same results.
#pragma once

#include <optional>
#include <string>

#include "results/store.h"

namespace adb {

// Compares the cells of two stores by key, each by its newest finished attempt, or by its newest
// ended one when none finished: outcome, reported and last epoch, curves except times (names that
// end in "_s" or "per_s"), metrics, counts, image scores, and the hashes of kept weights and maps.
// Numbers are equal when their bits are. Attempts, ids, order, paths, logs, efficiency and
// environment do not count, nor do runs that are running or interrupted.
//   returns: the first difference in words, by cell key, or nothing
std::optional<std::string> diff_stores(const Store& a, const Store& b);

// The same for two runs of one cell.
std::optional<std::string> diff_runs(const Store& a, RunId run_a, const Store& b, RunId run_b);

}  // namespace adb
