// A fixed number of threads for one loop.
#pragma once

#include <cstddef>
#include <functional>

namespace adb {

// How many of `threads` (at least 1) can be of use for `items` pieces of work.
int usable_workers(int threads, std::size_t items);

// Calls work(0) .. work(count - 1) at the same time, the first on the calling thread, and returns
// when all have ended. Where the system refuses a thread, the caller makes that call itself, so
// `work` must not wait for another. throws: what the call with the lowest number threw
void run_workers(int count, const std::function<void(int worker)>& work);

}  // namespace adb
