#include <csignal>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/suites.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/render.h"
#include "results/published.h"
#include "runners/schedule/runner.h"

namespace adb {
namespace {

struct RunFlags {
  SelectionFlags selection;
  std::filesystem::path store, out;
  RunOptions options;
  std::string devices = "auto", max_rss, timeout;
  bool json = false, dry_run = false;
};

// "90", "90s", "15m" or "6h" -> seconds.
double seconds_from(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const auto unit = text.substr(used);
  const double factor = unit == "h" ? 3600 : unit == "m" ? 60 : unit.empty() || unit == "s" ? 1 : 0;
  ADB_CHECK(used > 0 && factor > 0 && value > 0,
            ErrorKind::kUsage,
            "--timeout: expected a time such as 90s, 15m or 6h, got '{}'",
            text);
  return value * factor;
}

// "800M" or "24G" -> bytes.
std::int64_t bytes_from(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const auto unit = text.substr(used);
  const double factor = unit == "G" ? 0x1p30 : unit == "M" ? 0x1p20 : 0;
  ADB_CHECK(used > 0 && factor > 0 && value > 0,
            ErrorKind::kUsage,
            "--max-rss: expected a size such as 800M or 24G, got '{}'",
            text);
  return static_cast<std::int64_t>(value * factor);
}

void check_save_maps(const std::string& text) {
  const bool worst = text.starts_with("worst:") && text.size() > 6 &&
                     text.find_first_not_of("0123456789", 6) == std::string::npos;
  ADB_CHECK(text == "none" || text == "all" || worst,
            ErrorKind::kUsage,
            "--save-maps: expected none, worst:N or all, got '{}'",
            text);
}

// A launcher around adbench itself would start it once per rank.
void refuse_ranks() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "WORLD_SIZE"}) {
    const char* size = std::getenv(name);
    ADB_CHECK(size == nullptr || std::string(size) == "1",
              ErrorKind::kUsage,
              "{}={} is set: start adbench once, without mpirun or torchrun around it",
              name,
              size);
  }
}

int run(RunFlags& flags) {
  refuse_ranks();
  check_save_maps(flags.options.save_maps);
  ADB_CHECK(flags.options.fpr_limit > 0 && flags.options.fpr_limit <= 1,
            ErrorKind::kUsage,
            "--fpr-limit: must be in (0, 1], got {}",
            flags.options.fpr_limit);
  const auto share = share_folder();
  const auto catalogue = read_method_catalogue(share);
  const auto weights = read_weights_catalogue(share);
  const auto selection = selection_from(flags.selection);
  const auto store_folder = std::filesystem::absolute(flags.store).parent_path();
  std::error_code unwritable;
  std::filesystem::create_directories(store_folder, unwritable);
  ADB_CHECK(!unwritable,
            ErrorKind::kStore,
            "cannot create the store's folder '{}': {}",
            store_folder.string(),
            unwritable.message());
  if (flags.out.empty()) {
    flags.out = store_folder / "adbench-runs";
  }
  PlanSources sources{share, &catalogue.methods, &weights, sample_folder(flags.out), make_sample};
  const auto plan = make_plan(selection, sources, /*strict=*/true);
  for (const auto& data : plan.data) {
    for (const auto& note : data.notes) {
      fmt::print(stderr, "{}: {}\n", data.name, note);
    }
  }

  auto& options = flags.options;
  options.worker = worker_program();
  options.folder = flags.out;
  options.json_events = flags.json;
  options.libtorch = catalogue.libtorch;
  if (flags.devices != "auto") {
    options.devices = split(flags.devices, ',');
  }
  options.timeout_s = flags.timeout.empty() ? 0 : seconds_from(flags.timeout);
  options.max_rss_bytes = flags.max_rss.empty() ? 0 : bytes_from(flags.max_rss);

  auto store = Store::open_for_write(flags.store);
  store.mark_stale_runs_interrupted();
  store.replace_published(read_published(share / "published"));
  const StopRequests stop;
  const auto summary = run_cells(plan, options, store, stop);
  if (!flags.json) {
    RunFilter cells;
    for (const auto& cell : plan.cells) {
      cells.keys.push_back(cell.key);
    }
    ReportOptions columns;
    columns.per_class = false;
    fmt::print("{}",
               selection.suites.empty()
                   ? render_report(build_report(read_report_runs(store, cells), columns),
                                   ReportFormat::kTerminal)
                   : suite_reports(store, selection, sources, ReportFormat::kTerminal));
    fmt::print("{} finished, {} finished before, {} failed, {} interrupted\nstore: {}\n",
               summary.finished,
               summary.skipped,
               summary.failed,
               summary.interrupted,
               std::filesystem::absolute(flags.store).string());
  }
  store.close();
  for (const auto& failure : summary.failures) {
    fmt::print(stderr, "adbench: {}\n", failure);
  }
  if (summary.unclean) {
    return stop.signal() == SIGINT ? 130 : 143;
  }
  if (stop.count() > 0) {
    fmt::print(stderr, "adbench: interrupted, everything saved; the same command goes on\n");
    return exit_code(ErrorKind::kInterrupted);
  }
  return summary.failed > 0 ? 4 : 0;
}

}  // namespace

Command run_command() {
  return {
      "run", "train and score methods, store everything, print the leaderboard", [](CLI::App& app) {
        auto flags = std::make_shared<RunFlags>();
        add_selection_flags(app, &flags->selection);
        add_store_flag(app, &flags->store);
        add_json_flag(app, &flags->json);
        auto& o = flags->options;
        app.add_option(
            "--out", flags->out, "folder of run folders (default: adbench-runs beside the store)");
        app.add_option("--devices",
                       flags->devices,
                       "auto (the CPU), cpu, or cuda:0,cuda:1,... with a CUDA build of LibTorch")
            ->capture_default_str();
        app.add_option("--slots", o.slots, "CPU workers at a time, each with its own cores")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_option("--timeout", flags->timeout, "limit of one job: 90s, 15m, 6h");
        app.add_option("--max-rss", flags->max_rss, "memory limit of one worker: 800M, 24G");
        app.add_option("--retries", o.retries, "of a job that crashed, hung or ran out of memory")
            ->check(CLI::NonNegativeNumber);
        app.add_flag(
            "--fresh", o.fresh, "new attempts, also of finished cells; nothing stored is lost");
        app.add_flag("--fail-fast", o.fail_fast, "start nothing more after the first failure");
        app.add_option("--feature-cache",
                       o.feature_cache,
                       "outputs of frozen encoders: auto, off, memory, disk")
            ->check(CLI::IsMember({"auto", "off", "memory", "disk"}));
        app.add_option("--save-maps", o.save_maps, "none, worst:N (per category) or all");
        app.add_option("--metric-mode",
                       o.metric_mode,
                       "exact, or ader: the approximations of published tables")
            ->check(CLI::IsMember({"exact", "ader"}));
        app.add_option("--fpr-limit", o.fpr_limit, "of AU-PRO, in (0, 1]")->capture_default_str();
        app.add_option("--checkpoint-every", o.checkpoint_every_s, "seconds between checkpoints")
            ->check(CLI::NonNegativeNumber)
            ->capture_default_str();
        return [flags] { return run(*flags); };
      }};
}

}  // namespace adb
