#include "runners/schedule/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace adb {
namespace {

using Clock = std::chrono::steady_clock;

// fmt::print() throws when the stream cannot be written.
void say(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto s = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9) + 0.5);
  if (s < 60) {
    return fmt::format("{} s", s);
  }
  return s < 3600 ? fmt::format("{} min {:02} s", s / 60, s % 60)
                  : fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

std::string_view cut_to_width(std::string_view text, std::size_t columns) {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (starts_character && shown++ == columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

double StepClock::remaining_s(std::int64_t done, std::int64_t total, double now_s) {
  constexpr std::size_t kRecent = 15;
  if (done_ >= 0 && done > done_) {
    step_s_.push_back((now_s - at_s_) / static_cast<double>(done - done_));
    if (step_s_.size() > kRecent) {
      step_s_.pop_front();
    }
  }
  done_ = done;
  at_s_ = now_s;
  if (step_s_.empty()) {
    return -1;
  }
  std::vector<double> sorted(step_s_.begin(), step_s_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle * static_cast<double>(std::max<std::int64_t>(total - done, 0));
}

ProgressView::ProgressView(bool quiet) : quiet_(quiet) {
  const char* term = std::getenv("TERM");
  terminal_ =
      !quiet && ::isatty(STDERR_FILENO) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

ProgressView::~ProgressView() {
  erase();
}

void ProgressView::erase() {
  if (drawn_ > 0) {
    // Up to the first live line, then clear to the end of the screen.
    say(drawn_ > 1 ? fmt::format("\r\033[{}A\033[J", drawn_ - 1) : "\r\033[J");
    drawn_ = 0;
  }
}

void ProgressView::line(const std::string& text) {
  if (quiet_) {
    return;
  }
  erase();
  say(text + "\n");
  if (terminal_) {
    draw();
  }
}

void ProgressView::update(std::size_t slot, const std::string& text) {
  state_[slot] = text;
  const auto now = Clock::now();
  if (terminal_) {
    if (now - drawn_at_ >= std::chrono::milliseconds(100)) {
      draw();
    }
    return;
  }
  auto& last = printed_.try_emplace(slot, now).first->second;
  if (now - last >= std::chrono::seconds(30)) {
    last = now;
    line("  " + text);
  }
}

void ProgressView::done(std::size_t slot) {
  state_.erase(slot);
  printed_.erase(slot);
}

void ProgressView::total(const std::string& text) {
  total_ = text;
}

void ProgressView::draw() {
  erase();
  drawn_at_ = Clock::now();
  std::vector<std::string_view> lines;
  for (const auto& [slot, text] : state_) {
    lines.push_back(text);
  }
  if (lines.empty()) {
    return;
  }
  if (!total_.empty()) {
    lines.push_back(total_);
  }
  // A line that wrapped would be erased only in part.
  const auto width = terminal_width() - 1;
  std::string all;
  for (const auto& one : lines) {
    all += all.empty() ? "" : "\n";
    all += cut_to_width(one, width);
  }
  say(all);
  drawn_ = lines.size();
}

}  // namespace adb
