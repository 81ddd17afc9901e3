#include "core/error.h"

#include <cstring>

namespace adb {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInternal:
      return 1;
    case ErrorKind::kUsage:
    case ErrorKind::kConfig:
      return 2;
    case ErrorKind::kData:
    case ErrorKind::kWeights:
      return 3;
    case ErrorKind::kNumeric:
      return 4;
    case ErrorKind::kStore:
      return 7;
    case ErrorKind::kInterrupted:
      return 75;
  }
  return 1;
}

namespace detail {

void assertion_failed(const char* condition, const char* file, int line) {
  const char* name = std::strrchr(file, '/');
  fail(
      ErrorKind::kInternal, "{}:{}: assertion failed: {}", name ? name + 1 : file, line, condition);
}

}  // namespace detail
}  // namespace adb
