#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/suites.h"
#include "core/files.h"
#include "core/text.h"
#include "reports/html/page.h"
#include "reports/render.h"
#include "results/published.h"

namespace adb {
namespace {

struct ReportFlags {
  std::filesystem::path store, out;
  FilterFlags filter;
  std::string format = "terminal", published, metric_mode;
  SelectionFlags selection;  // --suite, and what changes its cells
  bool json = false, no_classes = false, intervals = false;
};

std::string suite_report(const ReportFlags& flags, const Store& store, ReportFormat format) {
  ADB_CHECK(flags.published.empty(),
            ErrorKind::kUsage,
            "--published: a suite names its own published table");
  auto suite_flags = flags.selection;
  suite_flags.methods = flags.filter.methods;
  suite_flags.selection.datasets = flags.filter.datasets;
  suite_flags.selection.protocol = flags.filter.protocol;
  suite_flags.selection.setting = flags.filter.setting;
  const auto share = share_folder();
  const auto catalogue = method_catalogue();
  const auto weights = read_weights_catalogue(share);
  const PlanSources sources{share, &catalogue.methods, &weights, {}, nullptr};
  return suite_reports(
      store, selection_from(suite_flags), sources, format, {flags.metric_mode, flags.intervals});
}

std::string store_report(const ReportFlags& flags, const Store& store, ReportFormat format) {
  ADB_CHECK(flags.selection.sets.empty() && flags.selection.epochs == 0,
            ErrorKind::kUsage,
            "--set and --epochs need a --suite, whose cells they change");
  const auto filter = filter_from(flags.filter);
  ReportOptions options;
  for (const auto& method : method_catalogue().methods) {
    options.methods.push_back(method.name);
  }
  options.metric_mode = flags.metric_mode;
  options.per_class = !flags.no_classes;
  options.intervals = flags.intervals;
  options.published_tables = split(flags.published, ',');
  if (!options.published_tables.empty()) {
    options.published = read_published(share_folder() / "published");
  }
  if (format == ReportFormat::kHtml) {
    return html_page(read_page(store, filter, options));
  }
  return render_report(build_report(read_report_runs(store, filter), options), format);
}

int report(const ReportFlags& flags) {
  const auto format = report_format_from_text(flags.json ? "json" : flags.format);
  const auto store = Store::open_for_read(flags.store);
  const auto text = flags.selection.suites.empty() ? store_report(flags, store, format)
                                                   : suite_report(flags, store, format);
  if (flags.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file_atomic(flags.out, text);
  }
  return 0;
}

}  // namespace

Command report_command() {
  return {"report", "the main table of a store, or a paper's tables from it", [](CLI::App& app) {
            auto flags = std::make_shared<ReportFlags>();
            add_store_flag(app, &flags->store);
            add_suite_flag(app, &flags->selection.suites);
            add_set_flags(app, &flags->selection);
            add_filter_flags(app, &flags->filter);
            app.add_option(
                   "--format", flags->format, "terminal, markdown, csv, json, latex or html")
                ->capture_default_str();
            app.add_option(
                "--published", flags->published, "published tables to show beside, say V,VI");
            app.add_option("--metric-mode",
                           flags->metric_mode,
                           "only figures of this mode: exact or ader (default: exact where there)")
                ->check(CLI::IsMember({"exact", "ader"}));
            app.add_flag("--intervals",
                         flags->intervals,
                         "bootstrap intervals at 95 % beside means over three seeds or more");
            app.add_flag("--no-classes", flags->no_classes, "means only");
            app.add_option("--out", flags->out, "file to write instead of stdout");
            add_json_flag(app, &flags->json);
            return [flags] { return report(*flags); };
          }};
}

}  // namespace adb
