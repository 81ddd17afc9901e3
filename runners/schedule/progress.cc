#include "runners/schedule/progress.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace adb {
namespace {

using Clock = std::chrono::steady_clock;

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s < 60) {
    return fmt::format("{} s", s);
  }
  return s < 3600 ? fmt::format("{} min {:02} s", s / 60, s % 60)
                  : fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
}

ProgressView::ProgressView(bool quiet) : quiet_(quiet) {
  const char* term = std::getenv("TERM");
  terminal_ =
      !quiet && ::isatty(STDERR_FILENO) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

ProgressView::~ProgressView() {
  if (drawn_) {
    std::fputs("\r\033[K", stderr);
  }
}

void ProgressView::line(const std::string& text) {
  if (drawn_) {
    std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }
  if (!quiet_) {
    fmt::print(stderr, "{}\n", text);
  }
}

void ProgressView::update(std::size_t slot,
                          const std::string& what,
                          double elapsed_s,
                          double remaining_s) {
  const auto text = fmt::format("{}, {} elapsed{}",
                                what,
                                duration_text(elapsed_s),
                                remaining_s < 0 ? "" : ", " + duration_text(remaining_s) + " left");
  state_[slot] = text;
  if (terminal_) {
    draw();
    return;
  }
  const auto now = Clock::now();
  auto& last = printed_.try_emplace(slot, now).first->second;
  if (now - last >= std::chrono::seconds(30)) {
    last = now;
    line(text);
  }
}

void ProgressView::done(std::size_t slot) {
  state_.erase(slot);
  printed_.erase(slot);
}

void ProgressView::draw() {
  const auto now = Clock::now();
  if (now - drawn_at_ < std::chrono::milliseconds(100)) {
    return;
  }
  drawn_at_ = now;
  std::string all;
  for (const auto& [slot, text] : state_) {
    all += (all.empty() ? "" : " | ") + text;
  }
  const auto width = terminal_width();
  if (all.size() >= width) {
    all.resize(width - 1);
  }
  fmt::print(stderr, "\r\033[K{}", all);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace adb
