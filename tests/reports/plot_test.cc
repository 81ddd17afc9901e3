#include "reports/figures/plot.h"

#include <cmath>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/figures/picture.h"

namespace adb {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_no_broken_number(const std::string& svg) {
  EXPECT_FALSE(std::regex_search(svg, std::regex("nan|inf[^o]", std::regex::icase))) << svg;
}

TEST(EscapeMarkup, LeavesNothingThatEndsATextOrAnAttribute) {
  EXPECT_EQ(escape_markup("<b a=\"x\" b='y'>&"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
  EXPECT_EQ(escape_markup("DRÆM \u2265 \U0001F600"), "DRÆM \u2265 \U0001F600");
  EXPECT_EQ(escape_markup(std::string("a\0b\n\x1b[1m", 7)), "a?b??[1");
  // Overlong, surrogate, beyond the last code point, cut off, alone.
  for (const char* bad : {"\xC0\xBC", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_EQ(escape_markup(bad), std::string(std::string_view(bad).size(), '?'));
  }
}

TEST(ShortNumber, IsShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(80.610880), "80.61");
  EXPECT_EQ(short_number(20000), "20000");
  EXPECT_EQ(short_number(0.05), "0.05");
  EXPECT_EQ(short_number(0.0008), "0.0008");
  EXPECT_EQ(short_number(1e-9), "1.0e-09");
}

TEST(LinePlot, LeavesOutWhatIsNotFinite) {
  LinePlot plot{.title = "loss", .x = {.title = "epoch"}};
  plot.lines = {{.name = "a",
                 .points = {{1, 2}, {2, kNan}, {3, 4}, {4, kInfinity}, {5, 5}},
                 .marks = {{2, kNan}, {3, 4}}}};
  plot.rule = kNan;
  const std::string svg = line_plot(plot);
  expect_no_broken_number(svg);
  EXPECT_THAT(svg, HasSubstr("<circle"));
  const std::regex path("<path class=\"l c0 d0\" d=\"M[^LM]*M[^LM]*M[^LM\"]*\"");
  EXPECT_TRUE(std::regex_search(svg, path)) << "three pieces: " << svg;
}

TEST(LinePlot, DrawsNothingEqualAndExtremeValues) {
  for (const auto& points : std::vector<std::vector<PlotPoint>>{{},
                                                                {{kNan, kNan}},
                                                                {{1, 1}},
                                                                {{0, 0}, {0, 0}},
                                                                {{0, -1e300}, {1, 1e300}},
                                                                {{0, 1e-300}, {1, 2e-300}}}) {
    for (const bool logarithmic : {false, true}) {
      LinePlot plot{.title = "t"};
      plot.y.logarithmic = plot.x.logarithmic = logarithmic;
      plot.lines = {{.name = "a", .points = points}};
      expect_no_broken_number(line_plot(plot));
    }
  }
}

TEST(ParetoFront, HoldsWhatNothingBeats) {
  std::vector<ScatterPoint> points = {{.label = "cheap", .x = 1, .y = 50},
                                      {.label = "worse", .x = 2, .y = 40},
                                      {.label = "good", .x = 3, .y = 90},
                                      {.label = "twin", .x = 3, .y = 90},
                                      {.label = "dear", .x = 4, .y = 90},
                                      {.label = "none", .x = kNan, .y = 99}};
  mark_pareto_front(points);
  std::vector<std::string> front;
  for (const auto& point : points) {
    if (point.front) {
      front.push_back(point.label);
    }
  }
  EXPECT_THAT(front, ::testing::ElementsAre("cheap", "good", "twin"));
}

TEST(ScatterPlot, EscapesLabelsAndLeavesOutZerosOfALogarithm) {
  ScatterPlot plot{.title = "t", .x = {.title = "ms", .logarithmic = true}};
  plot.points = {{.label = "<script>", .x = 10, .y = 50, .spread = 1.5},
                 {.label = "zero", .x = 0, .y = 60}};
  const std::string svg = scatter_plot(plot);
  expect_no_broken_number(svg);
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("zero")));
}

TEST(HistogramPlot, DrawsEmptyAndFullBins) {
  expect_no_broken_number(histogram_plot({}, "t"));
  const std::string svg =
      histogram_plot({.low = 1, .high = 1, .normal = {0, 0}, .anomalous = {0, 5}}, "t");
  expect_no_broken_number(svg);
  EXPECT_THAT(svg, Not(HasSubstr("class=\"n\""))) << "no normal image, no bars";
  EXPECT_THAT(svg, HasSubstr("class=\"x\""));
}

TEST(StandaloneSvg, IsADocumentWithItsColours) {
  const std::string svg = standalone_svg(line_plot({.title = "t", .width = 300, .height = 200}));
  EXPECT_THAT(svg, HasSubstr("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, HasSubstr("width=\"300\" height=\"200\" viewBox=\"0 0 300 200\""));
  EXPECT_THAT(svg, HasSubstr(".c7{stroke:"));
}

// A grey PNG of one pixel of value 200: signature, IHDR, IDAT, IEND with right checksums.
const std::string kGreyPixel(
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9bU"
    "\0\0\0\nIDATx\xda"
    "c8\1\0\0\xca\0\xc9"
    "4B'\xf3\0\0\0\0IEND\xae"
    "B`\x82",
    67);

TEST(HeatMap, GetsAPaletteAndKeepsItsPixels) {
  const std::string coloured = colour_heat_map(kGreyPixel);
  EXPECT_EQ(coloured.size(), kGreyPixel.size() + 12 + 768);
  EXPECT_EQ(coloured[25], 3);
  EXPECT_EQ(coloured.substr(33 + 4, 4), "PLTE");
  EXPECT_EQ(coloured.substr(33 + 12 + 768), kGreyPixel.substr(33));
  ASSERT_TRUE(png_size(coloured).has_value());
  EXPECT_EQ(png_size(coloured)->width, 1);
  EXPECT_EQ(colour_heat_map(coloured), coloured) << "it is no grey picture any more";
  EXPECT_EQ(colour_heat_map("no picture"), "no picture");
}

TEST(Base64, IsThatOfTheStandard) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(data_address("<svg/>"), "");
}

}  // namespace
}  // namespace adb
