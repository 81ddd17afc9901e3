// What the benchmark programs share: a wrong answer is not timed, it stops the program.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/error.h"

namespace adb::bench {

inline void require(bool right, std::string_view what) {
  if (!right) {
    fmt::print(stderr, "wrong answer: {}\n", what);
    std::exit(exit_code(ErrorKind::kInternal));
  }
}

// The main function of such a program.
inline int run_benchmarks(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return exit_code(ErrorKind::kUsage);
  }
  try {
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(error.kind());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(ErrorKind::kInternal);
  }
}

}  // namespace adb::bench
