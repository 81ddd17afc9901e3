#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "cli/resolve.h"
#include "cli/run_flags.h"
#include "cli/suites.h"
#include "core/files.h"
#include "reports/render.h"
#include "results/published.h"

namespace adb {
namespace {

struct Flags {
  RunFlags run;
  std::filesystem::path out;
  std::vector<std::string> cells;
  bool json = false, take_over = false;
};

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

int run(Flags& flags) {
  refuse_ranks();
  check_run_flags(&flags.run);
  auto& options = flags.run.options;
  options.folder = runs_folder(flags.run.store, flags.out);
  const auto selection = selection_from(flags.run.selection);
  const auto resolved = resolve(selection, options.folder);
  auto& plan = resolved->plan;
  keep_cells(&plan, flags.cells);
  options.worker = worker_program();
  options.json_events = flags.json;
  options.libtorch = resolved->catalogue.libtorch;
  options.devices = chosen_devices(flags.run.devices, resolved->catalogue);

  auto store = Store::open_for_write(flags.run.store);
  store.mark_stale_runs_interrupted(flags.take_over);
  store.replace_published(read_published(share_folder() / "published"));
  const StopRequests stop;
  const auto summary = run_cells(plan, options, store, stop);
  if (!flags.json) {
    RunFilter cells;
    for (const auto& cell : plan.cells) {
      cells.keys.push_back(cell.key);
    }
    ReportOptions columns;
    columns.per_class = false;
    const PlanSources sources{
        share_folder(), &resolved->catalogue.methods, &resolved->weights, {}, nullptr};
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
               std::filesystem::absolute(flags.run.store).string());
  }
  store.close();
  return end_of_run(summary, stop);
}

}  // namespace

Command run_command() {
  return {
      "run", "train and score methods, store everything, print the leaderboard", [](CLI::App& app) {
        auto flags = std::make_shared<Flags>();
        add_selection_flags(app, &flags->run.selection);
        add_store_flag(app, &flags->run.store);
        add_json_flag(app, &flags->json);
        app.add_option(
            "--out",
            flags->out,
            "folder of run folders, in the store's folder (default: adbench-runs there)");
        add_run_flags(app, &flags->run);
        auto& o = flags->run.options;
        app.add_option("--cell",
                       flags->cells,
                       "only the cell with this key, or its beginning; may be repeated")
            ->take_all();
        app.add_flag(
            "--fresh", o.fresh, "new attempts, also of finished cells; nothing stored is lost");
        app.add_flag("--fail-fast", o.fail_fast, "start nothing more after the first failure");
        app.add_flag("--take-over",
                     flags->take_over,
                     "runs that another host left as running are over: for a store that only one "
                     "job uses");
        return [flags] { return run(*flags); };
      }};
}

}  // namespace adb
