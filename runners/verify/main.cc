// verify_goldens: runs golden cases without anything else of adbench around it.
#include <cstdio>
#include <string>
#include <vector>

#include "core/error.h"
#include "methods/catalog.h"
#include "runners/verify/catalog.h"
#include "runners/verify/verify.h"

namespace {

constexpr const char* kUsage =
    "usage: verify_goldens DIR [--cases GLOB] [--precision 32|64] [--strict] [--brief] "
    "[--weights-dir DIR] [--device cpu|cuda:N]\n";

struct Arguments {
  adb::VerifyOptions options;
  bool rows = true;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto& word = words[i];
    const auto value = [&] {
      ADB_CHECK(i + 1 < words.size(), adb::ErrorKind::kUsage, "'{}' needs a value", word);
      return words[++i];
    };
    if (word == "--cases") {
      arguments.options.cases = value();
    } else if (word == "--precision") {
      const auto bits = value();
      ADB_CHECK(bits == "32" || bits == "64",
                adb::ErrorKind::kUsage,
                "--precision: expected 32 or 64, got '{}'",
                bits);
      arguments.options.precision = bits == "32" ? 32 : 64;
    } else if (word == "--weights-dir") {
      arguments.options.weights_folder = value();
    } else if (word == "--device") {
      arguments.options.device = value();
    } else if (word == "--strict") {
      arguments.options.strict = true;
    } else if (word == "--brief") {
      arguments.rows = false;
    } else {
      ADB_CHECK(!word.starts_with("-") && arguments.options.folder.empty(),
                adb::ErrorKind::kUsage,
                "unexpected '{}'",
                word);
      arguments.options.folder = word;
    }
  }
  ADB_CHECK(!arguments.options.folder.empty(), adb::ErrorKind::kUsage, "no folder given");
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto arguments = parse({argv + 1, argv + argc});
    adb::Registry<adb::MethodEntry> methods("method");
    adb::add_builtin_methods(methods);
    const auto functions = adb::all_golden_functions(methods);
    const auto counts = adb::run_verify(arguments.options, functions, [&](const auto& result) {
      adb::print_case(stdout, result, arguments.rows);
    });
    fmt::print("{}\n", adb::counts_line(counts));
    return adb::verify_exit_code(counts, arguments.options.strict);
  } catch (const adb::Error& e) {
    fmt::print(stderr, "verify_goldens: {}\n", e.what());
    if (e.kind() == adb::ErrorKind::kUsage) {
      fmt::print(stderr, "{}", kUsage);
    }
    return adb::exit_code(e.kind());
  } catch (const std::exception& e) {
    fmt::print(stderr, "verify_goldens: {}\n", e.what());
    return adb::exit_code(adb::ErrorKind::kInternal);
  }
}
