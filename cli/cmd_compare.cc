#include <charconv>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/text.h"
#include "metrics/keys.h"
#include "tracking/compare.h"

namespace adb {
namespace {

struct CompareFlags {
  std::filesystem::path store;
  std::string a, b;
  FilterFlags filter;
  std::vector<std::string> metrics;
  double alpha = 0.01;
  double min_effect = 0.3;
  bool json = false;
};

// Ids as in "7" or "7,9,12", or nothing when the text is something else.
std::optional<std::vector<RunId>> run_ids(const std::string& text) {
  std::vector<RunId> ids;
  for (const auto& part : split(text, ',')) {
    std::int64_t id = 0;
    const char* end = part.data() + part.size();
    const auto parsed = std::from_chars(part.data(), end, id);
    if (parsed.ec != std::errc() || parsed.ptr != end || id <= 0) {
      return std::nullopt;
    }
    ids.push_back(RunId{id});
  }
  return ids.empty() ? std::nullopt : std::optional(ids);
}

// A side of the comparison with the store that holds it.
struct Side {
  std::shared_ptr<Store> store;
  RunSet set;
};

Side side_of(const std::string& text, const CompareFlags& flags) {
  auto filter = filter_from(flags.filter);
  filter.statuses = {RunStatus::kFinished};
  Side side;
  side.set.name = text;
  const bool file = std::filesystem::exists(text) || text.ends_with(".sqlite");
  side.store = std::make_shared<Store>(
      Store::open_for_read(file ? std::filesystem::path(text) : flags.store));
  side.set.store = side.store.get();
  const auto newest = [&side](RunFilter of) {
    of.newest_per_key = true;
    return side.store->find_runs(of);
  };
  if (file) {
    side.set.runs = newest(filter);
    return side;
  }
  std::vector<RunId> ids;
  if (const auto baseline = side.store->baseline(text)) {
    ids = baseline->runs;
  } else if (const auto numbers = run_ids(text)) {
    ids = *numbers;
  } else {
    filter.methods = {text};
    side.set.runs = newest(filter);
    ADB_CHECK(!side.set.runs.empty(),
              ErrorKind::kUsage,
              "'{}' is no store file, and store '{}' has no such baseline and no finished run of a "
              "method of that name",
              text,
              flags.store.string());
    return side;
  }
  const auto chosen = side.store->find_runs(filter);
  for (const RunId id : ids) {
    const auto run = side.store->run(id);
    ADB_CHECK(run.status == RunStatus::kFinished,
              ErrorKind::kUsage,
              "run {} of store '{}' is {}, not finished",
              to_int(id),
              flags.store.string(),
              to_text(run.status));
    if (std::any_of(
            chosen.begin(), chosen.end(), [&](const RunRow& row) { return row.id == id; })) {
      side.set.runs.push_back(run);
    }
  }
  return side;
}

int compare(const CompareFlags& flags) {
  std::vector<std::string> known;
  for (const auto& info : kMetrics) {
    known.emplace_back(info.key);
  }
  for (const auto& metric : flags.metrics) {
    ADB_CHECK(find_metric(metric),
              ErrorKind::kUsage,
              "--metric: {}",
              unknown_name("metric", metric, known));
  }
  const auto a = side_of(flags.a, flags);
  const auto b = side_of(flags.b, flags);
  GateRules rules;
  rules.alpha = flags.alpha;
  Rule effect;
  effect.min_effect = flags.min_effect / 100;
  rules.rules = {effect};
  const auto report = compare_runs(a.set, b.set, rules, flags.metrics);
  if (flags.json) {
    print_json("adbench.compare.1",
               compare_json(report),
               report.problem.empty() ? std::vector<std::string>{}
                                      : std::vector<std::string>{report.problem});
  } else {
    fmt::print("{}", compare_text(report));
  }
  return report.exit_code;
}

}  // namespace

Command compare_command() {
  return {"compare", "is B better or worse than A, or can it not be told?", [](CLI::App& app) {
            auto flags = std::make_shared<CompareFlags>();
            app.add_option(
                   "a", flags->a, "a store file, a baseline, run ids as 7 or 7,9,12, or a method")
                ->required();
            app.add_option("b", flags->b, "what is compared with it")->required();
            add_store_flag(app, &flags->store);
            add_filter_flags(app, &flags->filter);
            app.add_option("--metric", flags->metrics, "only this metric; may be repeated");
            app.add_option("--alpha", flags->alpha, "level of the tests, after Holm's correction")
                ->check(CLI::Range(1e-6, 0.5))
                ->capture_default_str();
            app.add_option(
                   "--min-effect", flags->min_effect, "differences up to so many points are none")
                ->check(CLI::Range(0.0, 100.0))
                ->capture_default_str();
            add_json_flag(app, &flags->json);
            return [flags] { return compare(*flags); };
          }};
}

}  // namespace adb
