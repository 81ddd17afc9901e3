// What a person sees while cells run: one live line per device on a terminal and one for the whole,
// plain lines otherwise. Everything goes to stderr; a stderr that is closed or full is no reason to
// stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace adb {

std::string duration_text(double seconds);  // "41 s", "3 min 05 s", "2 h 07 min"

// The beginning of `text` that fills at most `columns`, never cutting a UTF-8 character.
std::string_view cut_to_width(std::string_view text, std::size_t columns);

// Remaining time of a job: the median of its recent steps times the steps left.
class StepClock {
 public:
  // `done` steps of `total` at time `now_s`. returns: seconds left, -1 while not known
  double remaining_s(std::int64_t done, std::int64_t total, double now_s);

 private:
  std::deque<double> step_s_;  // of recent reports
  std::int64_t done_ = -1;
  double at_s_ = 0;
};

class ProgressView {
 public:
  // quiet: nothing is shown at all
  explicit ProgressView(bool quiet);
  ~ProgressView();  // removes the live lines
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void line(const std::string& text);  // a line that stays

  // State of the job in one slot; shown live, or as a plain line every 30 s.
  void update(std::size_t slot, const std::string& text);
  void done(std::size_t slot);
  void total(const std::string& text);  // the last live line

 private:
  void draw();
  void erase();
  bool quiet_, terminal_;
  std::size_t drawn_ = 0;  // lines on the terminal now
  std::map<std::size_t, std::string> state_;
  std::string total_;
  std::map<std::size_t, std::chrono::steady_clock::time_point> printed_;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace adb
