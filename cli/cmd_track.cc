#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "core/files.h"
#include "core/text.h"
#include "metrics/keys.h"
#include "tracking/history.h"
#include "tracking/rules.h"

namespace adb {
namespace {

struct TrackFlags {
  std::filesystem::path store, out, commits;
  FilterFlags filter;
  TrackOptions options;
  double min_effect = 0.3;
  std::string format = "terminal";
  bool json = false;
};

// One commit a line, as `git rev-list --reverse` prints them.
std::vector<std::string> read_commits(const std::filesystem::path& file) {
  std::vector<std::string> commits;
  std::int64_t number = 0;
  for (const auto& line : split(read_text(file, ErrorKind::kConfig), '\n')) {
    ++number;
    if (line.empty()) {
      continue;
    }
    ADB_CHECK(line.size() >= 7 && line.find_first_not_of("0123456789abcdef") == std::string::npos,
              ErrorKind::kConfig,
              "{}:{}: expected a commit (7 or more digits of 0-9a-f), got '{}'",
              file.string(),
              number,
              line);
    commits.push_back(line);
  }
  ADB_CHECK(!commits.empty(), ErrorKind::kConfig, "{}: holds no commit", file.string());
  return commits;
}

std::string render(const TrackReport& report, const std::string& format) {
  return format == "markdown" ? track_markdown(report)
         : format == "html"   ? track_page(report)
                              : track_text(report);
}

int track_history(TrackFlags flags) {
  std::vector<std::string> known;
  for (const auto& info : kMetrics) {
    known.emplace_back(info.key);
  }
  for (const auto& metric : flags.options.metrics) {
    ADB_CHECK(figure_kind(metric),
              ErrorKind::kUsage,
              "--metric: {}",
              unknown_name("metric", metric, known));
  }
  if (!flags.commits.empty()) {
    flags.options.commits = read_commits(flags.commits);
  }
  flags.options.min_effect = flags.min_effect / 100;
  const auto store = Store::open_for_read(flags.store);
  const auto report = track(store, filter_from(flags.filter), flags.options);
  if (flags.json) {
    print_json("adbench.track.1", track_json(report));
    return 0;
  }
  const auto text = render(report, flags.format);
  if (flags.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file_atomic(flags.out, text);
  }
  return 0;
}

}  // namespace

Command track_command() {
  return {"track", "figures over commits, and where they moved", [](CLI::App& app) {
            auto flags = std::make_shared<TrackFlags>();
            add_store_flag(app, &flags->store);
            add_filter_flags(app, &flags->filter);
            app.add_option("--metric", flags->options.metrics, "only this one; may be repeated");
            app.add_option("--class", flags->options.category, "only this class");
            app.add_option("--commits",
                           flags->commits,
                           "file of commits, oldest first (default: in the order of their runs)");
            app.add_option("--alpha", flags->options.alpha, "chance of a false alarm in a series")
                ->check(CLI::Range(0.0005, 0.5))
                ->capture_default_str();
            app.add_option("--min-effect",
                           flags->min_effect,
                           "moves of quality up to so many points are none")
                ->check(CLI::Range(0.0, 100.0))
                ->capture_default_str();
            app.add_option("--format", flags->format, "terminal, markdown or html")
                ->check(CLI::IsMember({"terminal", "markdown", "html"}))
                ->capture_default_str();
            auto* out = app.add_option("--out", flags->out, "file to write instead of stdout");
            app.add_flag("--json", flags->json, "answer as JSON on stdout")->excludes(out);
            return [flags] { return track_history(*flags); };
          }};
}

}  // namespace adb
