// Runs golden cases and compares what comes out with what the reference computed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/registry.h"
#include "methods/golden.h"
#include "methods/method.h"
#include "runners/verify/golden_case.h"

namespace adb {

// One compared number or tensor.
struct VerifyRow {
  std::string path;  // "expected/losses/2", "tensors/map"
  std::string
      element;     // index of the worst element in the whole tensor, "[0, 3, 17]"; "" for a number
  double got = 0;  // there
  double want = 0;
  double ratio = 0;  // worst deviation over the limit
  std::string note;  // why there is nothing to compare: absent, another shape
  bool passed() const { return note.empty() && ratio <= 1; }
};

enum class VerifyOutcome { kPassed, kDeviated, kSkipped, kUnreadable };

// One case in one precision.
struct VerifyCase {
  std::string name;
  std::string precision;  // "float32", "float64"; "" when it did not come to that
  VerifyOutcome outcome = VerifyOutcome::kPassed;
  std::vector<VerifyRow> rows;
  std::string message;  // why it was skipped, could not be read or ended early
  double seconds = 0;
};

// Computes the cases that have `method` in their field of that name (or none, for method "") and
// whose name matches `cases`. One of three:
struct GoldenFunction {
  std::string method;
  std::string cases = "*";                             // glob
  std::function<GoldenResult(const GoldenCase&)> run;  // the driver compares, by `limits`
  std::function<std::vector<VerifyRow>(const GoldenFile&)> check;  // compares by rules of its own
  std::string absent;  // why this program cannot: the cases are skipped
};

// The golden functions of all methods that have one, and that of synthesis/.
std::vector<GoldenFunction> golden_functions(const Registry<MethodEntry>& methods);

struct VerifyOptions {
  std::filesystem::path folder;
  std::string cases = "*";  // glob over case names
  int precision = 0;        // 32, 64, or 0: those that a case's limits name
  bool strict = false;      // a skipped case fails
  std::filesystem::path weights_folder;
  std::string device = "cpu";  // or "cuda:0"; cases that have no network stay on the CPU
};

struct VerifyCounts {
  int passed = 0, deviated = 0, skipped = 0,
      unreadable = 0;  // cases; the worst of its precisions counts
};

// Calls `report` after every case and precision, small cases first.
//   throws: Error(kData) when the folder cannot be read or holds no case; Error(kUsage) when none
//   matches
VerifyCounts run_verify(const VerifyOptions& options,
                        const std::vector<GoldenFunction>& functions,
                        const std::function<void(const VerifyCase&)>& report);

// 5 with a deviation, else 3 with an unreadable case (strict: or a skipped one), else 0.
int verify_exit_code(const VerifyCounts& counts, bool strict);

// One line for the case and, if asked for, one for every row.
void print_case(std::FILE* out, const VerifyCase& result, bool rows);
std::string counts_line(const VerifyCounts& counts);

Json to_json(const VerifyCase& result);
Json to_json(const VerifyCounts& counts);

}  // namespace adb
