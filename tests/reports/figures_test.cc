#include "reports/figures/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/sample_page.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// The sample's runs that compare: RD with two seeds and UniAD.
PageInput comparable_page() {
  PageInput input = testing::sample_page();
  std::erase_if(input.runs, [](const ReportRun& run) {
    return run.run.setting == "single" || run.run.method == "vitad" || run.run.method == "draem";
  });
  return input;
}

TEST(CriticalDifference, IsThatOfDemsar) {
  // Demsar 2006, section 3.2.2: four methods on 14 data sets differ from 1.25 on (2.569
  // sqrt(20/84)).
  EXPECT_NEAR(critical_difference(4, 14), 1.25, 0.005);
  EXPECT_GT(critical_difference(6, 15), critical_difference(5, 15));
  expect_error(ErrorKind::kUsage, "2 to 20 methods, 21 match", [] { critical_difference(21, 3); });
  expect_error(ErrorKind::kUsage, "2 to 20 methods, 1 match", [] { critical_difference(1, 3); });
}

TEST(MeanRanks, ShareTies) {
  EXPECT_THAT(mean_ranks({{0.9, 0.5, 0.5, 0.1}}), ElementsAre(1, 2.5, 2.5, 4));
  EXPECT_THAT(mean_ranks({{0.9, 0.5, 0.1}, {0.1, 0.5, 0.9}}), ElementsAre(2, 2, 2));
  EXPECT_THAT(mean_ranks({{1, 1, 1}}), ElementsAre(2, 2, 2));
}

TEST(RankCliques, AreTheLongestRunsWithinTheDifference) {
  EXPECT_THAT(rank_cliques({1, 1.5, 2.9, 3.2, 4.5}, 1.5),
              ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3), Pair(3, 4)));
  EXPECT_THAT(rank_cliques({1, 1.5, 2.2, 3.9}, 1.5), ElementsAre(Pair(0, 2)));
  EXPECT_THAT(rank_cliques({1, 3, 5}, 1), ElementsAre());
}

TEST(Figures, AreStandaloneDocuments) {
  for (const FigureKind kind : {FigureKind::kCurves, FigureKind::kImages, FigureKind::kRanking}) {
    PageInput input = comparable_page();
    testing::add_sample_pictures(input.runs.back(), 4, input);  // UniAD's beside RD's
    const std::string svg = figure_svg(input, kind);
    EXPECT_THAT(svg, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    EXPECT_THAT(svg, HasSubstr("RD"));
    EXPECT_THAT(svg, HasSubstr("UniAD"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_EQ(svg, figure_svg(input, kind)) << "equal input, equal bytes";
  }
}

TEST(Figures, RankClassesByTheMetric) {
  const std::string svg = figure_svg(comparable_page(), FigureKind::kRanking);
  EXPECT_THAT(svg, HasSubstr("mean rank by mAD over 2 classes"));
  EXPECT_THAT(svg, HasSubstr("1.00"));
  EXPECT_THAT(svg, HasSubstr("critical difference 1.39")) << "1.96 sqrt(2 * 3 / 12)";
  expect_error(ErrorKind::kUsage, "unknown metric 'mda'", [] {
    figure_svg(comparable_page(), FigureKind::kRanking, {.metric = "mda"});
  });
}

TEST(Figures, NeverMixWhatDoesNotCompare) {
  expect_error(ErrorKind::kUsage, "--dataset and --setting", [] {
    figure_svg(testing::sample_page(), FigureKind::kRanking);
  });
  PageInput mixed = testing::sample_page();
  std::erase_if(mixed.runs, [](const ReportRun& run) { return run.run.setting == "single"; });
  expect_error(ErrorKind::kUsage, "2 conditions", [&] { figure_svg(mixed, FigureKind::kCurves); });
  expect_error(ErrorKind::kUsage, "no run matches", [] { figure_svg({}, FigureKind::kCurves); });
}

TEST(Figures, ResolutionIsALineAMethod) {
  PageInput input = comparable_page();
  expect_error(ErrorKind::kUsage, "more than one input size", [&] {
    figure_svg(input, FigureKind::kResolution);
  });
  testing::add_sample_sizes(input);
  const std::string svg = figure_svg(input, FigureKind::kResolution);
  EXPECT_THAT(svg, HasSubstr("mAD by input size"));
  std::size_t marks = 0;
  for (auto at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) {
    ++marks;
  }
  EXPECT_EQ(marks, 3U) << "RD at three sizes; UniAD at one has no line";

  // The same sizes under another protocol: two lines that do not compare.
  for (const ReportRun& run : std::vector(input.runs)) {
    input.runs.push_back(run);
    input.runs.back().run.protocol = "smoke";
    input.runs.back().run.key += "smoke";
  }
  expect_error(ErrorKind::kUsage, "2 conditions; select with --protocol", [&] {
    figure_svg(input, FigureKind::kResolution);
  });
}

TEST(Figures, ImagesAreNamedOrTheWorst) {
  PageInput input = comparable_page();
  testing::add_sample_pictures(input.runs.back(), 4, input);
  const std::string svg = figure_svg(input, FigureKind::kImages, {.samples = {"grid/cut/2"}});
  EXPECT_THAT(svg, HasSubstr("grid"));
  EXPECT_THAT(svg, Not(HasSubstr("carpet")));
  expect_error(ErrorKind::kUsage, "no thumbnail of 'grid/cut/9'", [&] {
    figure_svg(input, FigureKind::kImages, {.samples = {"grid/cut/9"}});
  });
  input.pictures.clear();
  expect_error(
      ErrorKind::kUsage, "no run left thumbnails", [&] { figure_svg(input, FigureKind::kImages); });
}

TEST(FrequencyFigure, HasABlockAnImage) {
  const FrequencyImage::Part part = {
      testing::picture_header(16, "low"), testing::picture_header(16, "high"), 0.125};
  FrequencyImage image{.name = "gear/<1>.png",
                       .input = testing::picture_header(64, "input"),
                       .pairs = {{"layer1", part, part}, {"layer2", part, part}}};
  const std::string svg = frequency_svg("rd, run 7", {image, image});
  EXPECT_THAT(svg, HasSubstr("gear/&lt;1&gt;.png"));
  EXPECT_THAT(svg, HasSubstr("layer2 low"));
  EXPECT_THAT(svg, HasSubstr("12.5 %"));
  std::size_t pictures = 0;
  for (auto at = svg.find("<image"); at != std::string::npos; at = svg.find("<image", at + 1)) {
    ++pictures;
  }
  EXPECT_EQ(pictures, 2 * (1 + 2 * 4U)) << "input, then two bands of both parts of two pairs";
  expect_error(ErrorKind::kUsage, "nothing to draw", [] { frequency_svg("none", {}); });
}

}  // namespace
}  // namespace adb
