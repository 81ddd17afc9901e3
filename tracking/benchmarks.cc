#include "tracking/benchmarks.h"

#include <cmath>
#include <limits>
#include <optional>

#include "core/json.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;

double positive(const Json& object, const char* key, const std::string& where) {
  const double value = json_number(json_at(object, key, where, kKind), where, kKind);
  ADB_CHECK(std::isfinite(value) && value >= 0,
            kKind,
            "{}: {}: expected a number of at least 0, got {}",
            where,
            key,
            value);
  return value;
}

double unit_in_ms(const Json& entry, const std::string& where) {
  const auto unit = json_string(json_at(entry, "time_unit", where, kKind), where, kKind);
  for (const auto& [name, factor] :
       {std::pair("ns", 1e-6), std::pair("us", 1e-3), std::pair("ms", 1.0), std::pair("s", 1e3)}) {
    if (unit == name) {
      return factor;
    }
  }
  fail(kKind, "{}: unknown time unit '{}'", where, unit);
}

std::string optional_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? ""
         : found->is_string()  ? found->get<std::string>()
                               : found->dump();
}

void read_file(const std::filesystem::path& file, BenchmarkFiles* result) {
  const auto json = read_json(file, kKind);
  const auto name = file.string();
  ADB_CHECK(json.is_object(), kKind, "{}: expected an object with 'benchmarks'", name);
  const auto& list = json_at(json, "benchmarks", name, kKind);
  ADB_CHECK(list.is_array(), kKind, "{}: benchmarks: expected a list", name);
  std::string machine;
  std::string date;
  if (const auto context = json.find("context"); context != json.end() && context->is_object()) {
    // Not the clock rate: the library reports the present one, which changes on one machine.
    machine = fmt::format("{} ({} processors, {} library)",
                          optional_text(*context, "host_name"),
                          optional_text(*context, "num_cpus"),
                          optional_text(*context, "library_build_type"));
    date = optional_text(*context, "date");
  }
  ADB_CHECK(result->series.empty() || machine == result->machine,
            kKind,
            "{}: of another machine than the files before: {} against {}",
            name,
            machine,
            result->machine);
  result->machine = machine;
  std::size_t index = 0;
  for (const auto& entry : list) {
    auto where = fmt::format("{}: benchmarks[{}]", name, index++);
    ADB_CHECK(entry.is_object(), kKind, "{}: expected an object", where);
    if (optional_text(entry, "run_type") == "aggregate") {
      continue;
    }
    // run_name is the name without "/repeats" and the like; older writers have only name.
    const auto* key = entry.contains("run_name") ? "run_name" : "name";
    const auto title = json_string(json_at(entry, key, where, kKind), where, kKind);
    where += fmt::format(" ('{}')", title);
    auto& series = result->series[title];
    if (const auto failed = entry.find("error_occurred");
        failed != entry.end() && failed->is_boolean() && failed->get<bool>()) {
      series.error = optional_text(entry, "error_message");
      series.error = series.error.empty() ? "the benchmark failed" : series.error;
      continue;
    }
    const double unit = unit_in_ms(entry, where);
    series.cpu_ms.push_back({unit * positive(entry, "cpu_time", where), {date, 0}});
    series.total_ms.push_back(unit * positive(entry, "real_time", where) *
                              positive(entry, "iterations", where));
  }
}

}  // namespace

BenchmarkFiles read_benchmarks(const std::vector<std::filesystem::path>& files) {
  BenchmarkFiles result;
  for (const auto& file : files) {
    read_file(file, &result);
    ADB_CHECK(!result.series.empty(), kKind, "{}: holds no benchmark", file.string());
  }
  return result;
}

std::vector<Judgement> judge_benchmarks(const BenchmarkFiles& baseline,
                                        const BenchmarkFiles& current,
                                        const GateRules& rules) {
  // Other work on the machine stretches CPU time far less than time on the wall.
  Tolerance of_cpu_time;
  of_cpu_time.ratio_apart = 3;
  std::vector<CostComparison> comparisons;
  std::vector<Judgement> missing;
  for (const auto& [name, before] : baseline.series) {
    Judgement judgement;
    judgement.cell = {.method = name, .title = name, .dataset = "benchmarks"};
    judgement.kind = FigureKind::kTime;
    const auto tolerance =
        rules.tolerance(judgement.cell, "", "cpu_ms", FigureKind::kTime, of_cpu_time);
    if (tolerance.level == Level::kIgnore || before.cpu_ms.empty()) {
      continue;
    }
    const auto now = current.series.find(name);
    if (now == current.series.end() || !now->second.error.empty()) {
      judgement.verdict = Verdict::kDidNotRun;
      judgement.reason = now == current.series.end() ? "the benchmark is gone" : now->second.error;
      apply_level(rules, tolerance.level, &judgement);
      missing.push_back(std::move(judgement));
      continue;
    }
    CostComparison comparison;
    judgement.metric = "cpu_ms";
    judgement.unit = "ms";
    comparison.judgement = std::move(judgement);
    comparison.tolerance = tolerance;
    comparison.baseline = before.cpu_ms;
    comparison.current = now->second.cpu_ms;
    // Iterations are repeated until a repetition lasts long enough; one that did not is too small.
    const bool short_ones = median(now->second.total_ms) <= comparison.tolerance.floor_ms;
    comparison.floor = short_ones ? std::numeric_limits<double>::infinity() : 0;
    if (baseline.machine != current.machine && rules.machine == SameMachine::kHost) {
      comparison.obstacle =
          fmt::format("other machine: {} against {}", baseline.machine, current.machine);
    } else if (baseline.machine != current.machine) {
      comparison.judgement.reason = "other machines";
    }
    comparisons.push_back(std::move(comparison));
  }
  auto judgements = judge_samples(std::move(comparisons), rules);
  judgements.insert(judgements.end(), missing.begin(), missing.end());
  return judgements;
}

}  // namespace adb
