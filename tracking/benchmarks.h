// Google Benchmark's JSON as one more source of the gate.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tracking/judge.h"

namespace adb {

// Files of --benchmark_out_format=json.
struct BenchmarkFiles {
  struct Series {
    std::vector<CostSample> cpu_ms{};  // of one iteration, a value for each repetition
    std::vector<double> total_ms{};    // measured in each repetition: iterations times real time
    std::string error{};               // what the benchmark said when it failed, "" otherwise
  };
  std::string machine{};  // host, number of processors, and how the library was built
  std::map<std::string, Series> series{};  // by name, without the repetition
};

// What one build gave, in one file or, where builds took turns, a file for each turn. Aggregates
// (mean, median, ...) are skipped; repetitions are what counts.
//   throws: Error(kData) naming the file and place: not JSON, not of this format, numbers that are
//   not finite or negative, no benchmark at all, files of several machines
BenchmarkFiles read_benchmarks(const std::vector<std::filesystem::path>& files);

// A judgement for every benchmark of the baseline. CPU time is compared, because it moves less than
// real time on a busy machine. The floor is compared with the time that a repetition took, not
// with that of one iteration. A benchmark that is gone or failed did not run.
std::vector<Judgement> judge_benchmarks(const BenchmarkFiles& baseline,
                                        const BenchmarkFiles& current,
                                        const GateRules& rules);

}  // namespace adb
