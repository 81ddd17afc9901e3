#include "cli/eval_options.h"

#include <charconv>
#include <string_view>

#include "core/error.h"
#include "images/codec.h"

namespace adb {
namespace {

constexpr std::size_t kDefaultWindow = 16;

// A whole number in [1, largest], or 0.
std::size_t whole_number(std::string_view text, std::size_t largest) {
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end && value <= largest ? value : 0;
}

}  // namespace

ImageScore ImageScore::parse(const std::string& text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto count = colon == std::string::npos
                         ? 0
                         : whole_number(std::string_view(text).substr(colon + 1), kMaxImagePixels);
  if (text == "max") {
    return {Kind::kMax, 0};
  }
  if (text == "given") {
    return {Kind::kGiven, 0};
  }
  if (text == "pooled") {
    return {Kind::kPooled, kDefaultWindow};
  }
  if (name == "pooled" && count > 0) {
    return {Kind::kPooled, count};
  }
  if (name == "top" && count > 0) {
    return {Kind::kTop, count};
  }
  fail(ErrorKind::kUsage,
       "--image-score: expected max, pooled, pooled:N, top:K or given, got '{}'",
       text);
}

std::string ImageScore::text() const {
  switch (kind) {
    case Kind::kMax:
      return "max";
    case Kind::kPooled:
      return fmt::format("pooled:{}", count);
    case Kind::kTop:
      return fmt::format("top:{}", count);
    case Kind::kGiven:
      return "given";
  }
  return {};
}

EvalSize EvalSize::parse(const std::string& text) {
  if (text == "native") {
    return {0};
  }
  const auto side = whole_number(text, 4096);
  ADB_CHECK(side > 0,
            ErrorKind::kUsage,
            "--eval-size: expected native, or a side of 1 to 4096 pixels, got '{}'",
            text);
  return {static_cast<int>(side)};
}

std::string EvalSize::text() const {
  return side == 0 ? "native" : std::to_string(side);
}

}  // namespace adb
