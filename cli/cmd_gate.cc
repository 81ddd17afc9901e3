#include <cstdlib>
#include <fstream>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/files.h"
#include "tracking/benchmarks.h"
#include "tracking/gate.h"
#include "tracking/outputs.h"

namespace adb {
namespace {

namespace fs = std::filesystem;

// GitHub drops a step summary above 1024 KiB as a whole.
constexpr std::size_t kMostSummaryBytes = 1'000'000;

struct GateFlags {
  fs::path store, baseline_store, rules, junit, gitlab, markdown, badge;
  std::vector<fs::path> benchmarks, baseline_benchmarks;
  std::string baseline;
  FilterFlags filter;
  bool github = false;
  bool json = false;
};

// Appends to the file that GitHub names; other tools of the step may have written to it.
void add_step_summary(const GateReport& report) {
  const char* file = std::getenv("GITHUB_STEP_SUMMARY");
  if (file == nullptr || *file == '\0') {
    fmt::print(stderr, "adbench: GITHUB_STEP_SUMMARY is not set: no step summary\n");
    return;
  }
  std::error_code absent;
  const auto there = fs::exists(file, absent) ? fs::file_size(file, absent) : 0;
  if (there >= kMostSummaryBytes / 2) {
    fmt::print(stderr, "adbench: '{}' is nearly full: no step summary\n", file);
    return;
  }
  std::ofstream out(file, std::ios::binary | std::ios::app);
  out << gate_markdown(report, kMostSummaryBytes - there);
  ADB_CHECK(out.flush().good(), ErrorKind::kData, "cannot write '{}'", file);
}

void write_if_asked(const fs::path& file, const std::string& text) {
  if (!file.empty()) {
    write_file_atomic(file, text);
  }
}

GateReport judge_stores(const GateFlags& flags, const GateRules& rules) {
  const auto store = Store::open_for_read(flags.store);
  const auto filter = filter_from(flags.filter);
  return flags.baseline_store.empty() ? run_gate(store, flags.baseline, store, filter, rules)
                                      : run_gate(Store::open_for_read(flags.baseline_store),
                                                 flags.baseline,
                                                 store,
                                                 filter,
                                                 rules);
}

// Micro-benchmarks stand beside the store's runs, or alone.
void add_benchmarks(const GateFlags& flags, const GateRules& rules, GateReport* report) {
  const auto baseline = read_benchmarks(flags.baseline_benchmarks);
  for (auto& judgement : judge_benchmarks(baseline, read_benchmarks(flags.benchmarks), rules)) {
    report->judgements.push_back(std::move(judgement));
  }
  if (report->baseline.empty()) {
    report->baseline = flags.baseline_benchmarks.front().filename().string();
  }
}

int gate(const GateFlags& flags) {
  ADB_CHECK(!flags.baseline.empty() || !flags.benchmarks.empty(),
            ErrorKind::kUsage,
            "--baseline NAME, or --benchmarks with --baseline-benchmarks, is needed");
  const auto rules = flags.rules.empty() ? GateRules{} : read_rules(flags.rules);
  GateReport report;
  if (!flags.baseline.empty()) {
    report = judge_stores(flags, rules);
  }
  if (!flags.benchmarks.empty()) {
    add_benchmarks(flags, rules, &report);
  }
  finish_report(rules, &report);
  write_if_asked(flags.junit, gate_junit(report));
  write_if_asked(
      flags.gitlab,
      gate_gitlab(report, (flags.rules.empty() ? flags.store : flags.rules).generic_string()));
  write_if_asked(flags.markdown, gate_markdown(report));
  write_if_asked(flags.badge, gate_badge(report));
  if (flags.json) {
    print_json("adbench.gate.1",
               gate_json(report),
               report.problem.empty() ? std::vector<std::string>{}
                                      : std::vector<std::string>{report.problem});
  } else {
    fmt::print("{}", gate_text(report));
  }
  if (flags.github) {
    fmt::print("{}", gate_github(report));
    add_step_summary(report);
  }
  return report.exit_code;
}

}  // namespace

Command gate_command() {
  return {"gate", "fails when the newest runs are worse than a baseline", [](CLI::App& app) {
            auto flags = std::make_shared<GateFlags>();
            add_store_flag(app, &flags->store);
            app.add_option("--baseline", flags->baseline, "name of the baseline");
            app.add_option("--baseline-store",
                           flags->baseline_store,
                           "store that holds the baseline (default: the one of --store)");
            auto* now = app.add_option("--benchmarks",
                                       flags->benchmarks,
                                       "Google Benchmark JSON of this build, one file or more");
            app.add_option("--baseline-benchmarks",
                           flags->baseline_benchmarks,
                           "Google Benchmark JSON to compare it with")
                ->needs(now);
            now->needs("--baseline-benchmarks");
            app.add_option("--rules", flags->rules, "tolerances and what fails (docs/gate.md)");
            add_filter_flags(app, &flags->filter);
            app.add_option("--junit", flags->junit, "JUnit XML file to write");
            app.add_option("--gitlab", flags->gitlab, "GitLab code quality file to write");
            app.add_option("--markdown", flags->markdown, "Markdown comment to write");
            app.add_option("--badge", flags->badge, "SVG badge to write");
            auto* github =
                app.add_flag("--github", flags->github, "annotations on stdout and a step summary");
            app.add_flag("--json", flags->json, "answer as JSON on stdout")->excludes(github);
            return [flags] { return gate(*flags); };
          }};
}

}  // namespace adb
