#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
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
  std::string format = "terminal", published;
  bool json = false, no_classes = false;
};

int report(const ReportFlags& flags) {
  const auto format = report_format_from_text(flags.json ? "json" : flags.format);
  const auto store = Store::open_for_read(flags.store);
  const auto filter = filter_from(flags.filter);
  ReportOptions options;
  for (const auto& method : method_catalogue().methods) {
    options.methods.push_back(method.name);
  }
  options.per_class = !flags.no_classes;
  options.published_tables = split(flags.published, ',');
  if (!options.published_tables.empty()) {
    options.published = read_published(share_folder() / "published");
  }
  const auto text =
      format == ReportFormat::kHtml
          ? html_page(read_page(store, filter, options))
          : render_report(build_report(read_report_runs(store, filter), options), format);
  if (flags.out.empty()) {
    fmt::print("{}", text);
  } else {
    write_file_atomic(flags.out, text);
  }
  return 0;
}

}  // namespace

Command report_command() {
  return {"report", "the main table: eight figures per class and mean", [](CLI::App& app) {
            auto flags = std::make_shared<ReportFlags>();
            add_store_flag(app, &flags->store);
            add_filter_flags(app, &flags->filter);
            app.add_option(
                   "--format", flags->format, "terminal, markdown, csv, json, latex or html")
                ->capture_default_str();
            app.add_option(
                "--published", flags->published, "published tables to show beside, say V,VI");
            app.add_flag("--no-classes", flags->no_classes, "means only");
            app.add_option("--out", flags->out, "file to write instead of stdout");
            add_json_flag(app, &flags->json);
            return [flags] { return report(*flags); };
          }};
}

}  // namespace adb
