// Signals as requests to stop.
#pragma once

namespace adb {

// Signals turn into requests: the first stops after the step under way, the second at once.
class StopRequests {
 public:
  StopRequests();   // installs handlers for SIGINT, SIGTERM and SIGUSR1
  ~StopRequests();  // puts the old ones back
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;
  int count() const;
  int signal() const;  // the first one, 0: none
};

}  // namespace adb
