#include "reports/figures/parts.h"

namespace adb {

std::string resolution_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  const std::size_t column = metric_column(view.report.means, options.metric);
  const auto lists = size_series(view, place);
  ADB_CHECK(!lists.empty(),
            ErrorKind::kUsage,
            "no method was run at more than one input size: run it with --set image_size=N");
  ADB_CHECK(lists.size() == 1,
            ErrorKind::kUsage,
            "the runs at several input sizes do not compare, they have {} conditions; select with "
            "--protocol and --methods",
            lists.size());
  LinePlot plot = size_plot(view, lists[0], column);
  plot.title = fmt::format("{} by input size, {}", plot.title, place_title(place));
  plot.y.title = view.report.means.columns[column].title + " (%)";
  plot.width = 420;
  plot.height = 280;
  plot.legend = true;
  return line_plot(plot);
}

}  // namespace adb
