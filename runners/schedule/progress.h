// What a person sees while cells run: one live line on a terminal, plain lines otherwise.
// Everything goes to stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace adb {

std::string duration_text(double seconds);  // "41 s", "3 min 05 s", "2 h 07 min"

class ProgressView {
 public:
  explicit ProgressView(bool quiet);
  ~ProgressView();  // leaves the live line

  void line(const std::string& text);  // a line that stays
  // State of one job; shown live, or as a plain line every 30 s.
  //   remaining_s < 0: not known yet
  void update(std::size_t slot, const std::string& what, double elapsed_s, double remaining_s);
  void done(std::size_t slot);

 private:
  void draw();
  bool quiet_, terminal_;
  bool drawn_ = false;
  std::map<std::size_t, std::string> state_;
  std::map<std::size_t, std::chrono::steady_clock::time_point> printed_;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace adb
