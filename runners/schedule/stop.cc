#include "runners/schedule/stop.h"

#include <atomic>
#include <cstddef>
#include <iterator>

#include <signal.h>

namespace adb {
namespace {

std::atomic<int> signals_seen = 0;
std::atomic<int> first_signal = 0;

void on_signal(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
  ++signals_seen;
}

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1};
struct sigaction old_actions[std::size(kSignals)];

}  // namespace

StopRequests::StopRequests() {
  signals_seen = 0;
  first_signal = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &action, &old_actions[i]);
  }
}

StopRequests::~StopRequests() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], &old_actions[i], nullptr);
  }
}

int StopRequests::count() const {
  return signals_seen;
}
int StopRequests::signal() const {
  return first_signal;
}

}  // namespace adb
