// What was built, and how: stored with every run.
#pragma once

#include <string>

namespace adb {

std::string version();  // "0.1.0"
std::string
code_commit();  // git commit, "+dirty" with uncommitted changes; "unknown" outside a checkout
std::string build_type();  // "Release", with its flags
std::string compiler();    // "g++ 12.2.0"
bool built_with_debug();   // such a build must not publish speed figures

}  // namespace adb
