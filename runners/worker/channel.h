// The worker's end of the wire.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/json.h"
#include "runners/wire/wire.h"

namespace adb {

// Owns the real stdout: descriptor 1 is pointed at stderr, so that libraries can print without
// breaking the stream of events. A thread reads stdin for the commands that follow the job.
class Channel {
 public:
  // Call once, before anything is printed. Must live until the process ends.
  //   connected: false in a rank that does not lead: it has no parent to talk to, what it sends is
  //   dropped and no stop reaches it
  explicit Channel(bool connected = true);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Reads the first line of stdin. throws: Error(kConfig)
  wire::Job read_job();

  // Writes one event with its sequence number. When the parent is gone the process ends at once.
  void send(const char* event, Json fields);

  // True once the parent asked to stop.
  bool stop_requested() const { return stop_; }

  // Blocks until the parent has stored every event sent so far.
  void wait_until_stored();

 private:
  void listen();
  bool connected_;
  int out_ = -1;
  std::atomic<bool> stop_ = false;
  std::int64_t sent_ = 0;
  std::int64_t stored_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string buffer_;  // what was read of stdin beyond the job
};

}  // namespace adb
