// Assertions on adb::Error: errors are tested as carefully as results.
#pragma once

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace adb::testing {

// Runs `action` and expects Error(kind) whose message contains `part`.
inline void expect_error(ErrorKind kind,
                         const std::string& part,
                         const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error was thrown; expected one that says: " << part;
  } catch (const Error& e) {
    EXPECT_EQ(exit_code(e.kind()), exit_code(kind)) << e.what();
    EXPECT_THAT(e.what(), ::testing::HasSubstr(part));
  }
}

}  // namespace adb::testing
