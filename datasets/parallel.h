// Independent pieces of work on a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace adb {

// Calls work(i) for i = 0 .. count-1, each once, on at most `threads` threads (at least one). Of
// the exceptions thrown, the one of the lowest i is rethrown here after all threads have ended;
// pieces after a failed one may be left out.
template <class Work>
void parallel_for(std::size_t count, int threads, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  std::size_t error_index = count;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < error_index) {
          error_index = i;
          error = std::current_exception();
        }
        next = count;
        return;
      }
    }
  };
  std::vector<std::jthread> helpers;
  const auto wanted = std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), count);
  for (std::size_t t = 1; t < wanted; ++t) {
    helpers.emplace_back(run);
  }
  run();
  helpers.clear();  // joins
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace adb
