#include "runners/worker/verify_all.h"

#include <cstdio>

#include "core/files.h"
#include "core/yaml.h"
#include "runners/verify/catalog.h"
#include "runners/worker/conformance.h"

namespace adb {
namespace {

// With the method's smoke recipe: tiny, and without pretrained weights.
int run_conformance(const MethodEntry& method) {
  Json options = Json::object();
  const auto recipe = share_folder() / "methods" / method.name / "smoke.yaml";
  if (std::filesystem::exists(recipe)) {
    options = read_yaml(recipe).value();
  }
  options["weights"] = "random";
  const auto problems = check_conformance(method, options);
  for (const auto& problem : problems) {
    std::printf("%s\n", problem.c_str());
  }
  std::printf("%s: %s\n",
              method.name.c_str(),
              problems.empty() ? "keeps every promise" : "does not conform");
  return problems.empty() ? 0 : 5;
}

}  // namespace

void add_verify_flags(CLI::App& app, VerifyFlags* flags) {
  auto& cases = flags->cases;
  app.add_option("folder", cases.folder, "folder of golden cases");
  app.add_option("--cases", cases.cases, "glob over case names")->capture_default_str();
  app.add_option(
         "--precision", cases.precision, "32 or 64 (default: those that a case's limits name)")
      ->check(CLI::IsMember({32, 64}));
  app.add_option("--device", cases.device, "cpu or cuda:N")->capture_default_str();
  app.add_flag("--strict", cases.strict, "a case whose weights are absent fails");
  app.add_option("--weights-dir", cases.weights_folder, "folder of pretrained weights")
      ->envname("ADBENCH_WEIGHTS");
  app.add_option(
      "--conformance", flags->conformance, "check a method's promises instead of golden cases");
}

int run_verify_all(const Registry<MethodEntry>& methods, const VerifyFlags& flags) {
  if (!flags.conformance.empty()) {
    return run_conformance(methods.at(flags.conformance));
  }
  ADB_CHECK(!flags.cases.folder.empty(),
            ErrorKind::kUsage,
            "name a folder of golden cases, or --conformance METHOD");
  const auto counts =
      run_verify(flags.cases, all_golden_functions(methods), [](const VerifyCase& result) {
        print_case(stdout, result, true);
        std::fflush(stdout);
      });
  std::printf("%s\n", counts_line(counts).c_str());
  return verify_exit_code(counts, flags.cases.strict);
}

}  // namespace adb
