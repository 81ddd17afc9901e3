// Standard output and standard error of a command whose reader may go away.
#pragma once

namespace adb {

// From here on a reader that is gone (`| head`) is no error: what is left to say goes nowhere, and
// the command does its work and ends with its own exit code. Other failures of a write stay errors.
// Call once, before anything is printed.
void outlive_readers();

}  // namespace adb
