// The one exception type of the project, and the checks that throw it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace adb {

// What went wrong, as far as the user has to react differently.
enum class ErrorKind {
  kInternal,     // a bug in adbench
  kUsage,        // a flag or an option: fix the command
  kConfig,       // a suite, protocol or rules file: fix the file
  kData,         // images, masks, maps, manifests: missing or invalid
  kWeights,      // checkpoints: missing or invalid
  kNumeric,      // a computation left the finite numbers
  kStore,        // the result store: damaged, locked, newer, absent
  kInterrupted,  // stopped by the user, everything saved
};

// The documented exit code of a program that ends with an error of this kind (README, "Exit
// codes").
int exit_code(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws Error(kind) with a formatted message. Messages are lower case, without a full stop, and
// name the thing, the place, what was expected and what was got; text that comes from the user
// stands in '...'.
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

namespace detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

}  // namespace adb

// For data, files, weights and shapes at public borders: always compiled in.
#define ADB_CHECK(condition, kind, ...) \
  do {                                  \
    if (!(condition)) {                 \
      ::adb::fail(kind, __VA_ARGS__);   \
    }                                   \
  } while (false)

// For programmer errors: throws Error(kInternal) with file and line.
#define ADB_ASSERT(condition)                                          \
  do {                                                                 \
    if (!(condition)) {                                                \
      ::adb::detail::assertion_failed(#condition, __FILE__, __LINE__); \
    }                                                                  \
  } while (false)
