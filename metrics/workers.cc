#include "metrics/workers.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace adb {

int usable_workers(int threads, std::size_t items) {
  return std::clamp(threads, 1, static_cast<int>(std::clamp<std::size_t>(items, 1, 1024)));
}

void run_workers(int count, const std::function<void(int worker)>& work) {
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  const auto guarded = [&](int worker) {
    try {
      work(worker);
    } catch (...) {
      errors[static_cast<std::size_t>(worker)] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  int started = 1;
  try {
    for (; started < count; ++started) {
      threads.emplace_back(guarded, started);
    }
  } catch (const std::system_error&) {
    // Out of threads: the calls that did not start follow below.
  }
  guarded(0);
  for (int worker = started; worker < count; ++worker) {
    guarded(worker);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

}  // namespace adb
