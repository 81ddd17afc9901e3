// `verify`: golden cases of methods, metrics and the protocol, and the conformance kit.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "methods/method.h"
#include "runners/verify/verify.h"

namespace adb {

struct VerifyFlags {
  VerifyOptions cases;
  std::string conformance;  // name of a method: run the kit instead
};

void add_verify_flags(CLI::App& app, VerifyFlags* flags);

// Prints a line for each case or broken promise and returns the exit code.
//   throws: Error(kData) for an unreadable folder, Error(kUsage) for an unknown method or no folder
int run_verify_all(const Registry<MethodEntry>& methods, const VerifyFlags& flags);

}  // namespace adb
