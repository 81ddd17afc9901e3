// The leaderboard page: one HTML file without anything outside it (docs/page.md). Tables and plots
// are there without scripts; the page's own script adds sorting, filters and the image viewer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/report_files.h"
#include "reports/table.h"

namespace adb {

// What the page shows of a run besides its row in the tables.
struct PageRun {
  std::vector<CurveRow> curves{};
  std::vector<MetricRow> means{};  // over the classes, at every test
  std::vector<ArtifactRow> artifacts{};
  std::vector<CategoryCurves> classes{};  // at the reported epoch; empty when the worker left none
  std::vector<std::string> problems{};    // files that could not be read
};

// A test image of a run, with how wrong the method was on it: the share of the other kind's images
// that it ranks on the wrong side of this one (ties count half), 0..1. The mean over the anomalous
// images of a class is 1 - AUROC.
struct PagePicture {
  std::int64_t run = 0;
  double wrong = 0;
  std::int64_t rivals = 0;  // images of the other kind
  Thumbnail picture{};
};

struct PageInput {
  std::vector<ReportRun> runs{};
  std::map<std::int64_t, PageRun> more{};  // by run
  std::vector<PagePicture> pictures{};     // in the order in which they are taken until the page is
                                           // full
  ReportOptions options{};
  std::string store{};    // file name
  std::string version{};  // of adbench
  std::size_t max_bytes = 19'500'000;
};

inline constexpr std::size_t kMaxPictureBytes = 12'000'000;  // read for a page

// Runs as read_report_runs finds them, with all that the page shows. A file in a run's folder that
// is absent or damaged is named in PageRun::problems. throws: Error(kStore)
PageInput read_page(const Store& store, const RunFilter& filter, const ReportOptions& options);

// Equal input gives equal bytes. The page has at most max_bytes as long as its tables have: test
// images, then curves are left out, and the page says so.
//   throws: Error(kUsage) as build_report
std::string html_page(PageInput input);

// The share that PagePicture::wrong holds, for each of these images of one category; -1 where
// there is no image of the other kind.
std::vector<double> wrong_shares(const std::vector<Thumbnail>& images);

}  // namespace adb
