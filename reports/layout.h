// A report as tables of text: what the formats for readers (terminal, Markdown, LaTeX) have in
// common.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "reports/table.h"

namespace adb {

enum class Rank { kNone, kBest, kSecond };

struct TextCell {
  std::string text{};
  Rank rank = Rank::kNone;
  // Several figures in one cell, "98.3/99.4/97.3": `text` joins them, and each has its own rank.
  std::vector<TextCell> parts{};
};

struct TextTable {
  std::string title{};
  std::vector<std::string> header{};
  std::size_t left_columns = 1;  // the first ones are names, the others numbers
  std::vector<std::vector<TextCell>> rows{};
};

struct TextReport {
  std::vector<std::string> intro{};  // conditions, and how to read the figures
  std::vector<TextTable> tables{};
  std::vector<std::string> notes{};      // one line for each group of runs
  std::vector<std::string> footnotes{};  // "(1) undefined: REASON"
};

// Text from outside (titles, reasons, notes) comes without control characters.
TextReport lay_out(const Report& report);

// The table of a suite with a line for each class and a column for each row of the suite.
//   footnote: the number under which the reason of an undefined figure stands
TextTable lay_out_classes(const Report& report,
                          const std::function<std::size_t(const std::string&)>& footnote);

// --- what the layouts share

// A stored text must not move the cursor or break a line.
std::string printable(const std::string& text);

// A shown value: percent with one decimal, other quantities with four digits.
std::string number_text(double shown, const std::string& unit);

// A difference to a published figure in its unit: "+1.2", "0.0".
std::string difference_text(double shown);

std::string figure_text(const Figure& figure,
                        const ReportColumn& column,
                        RowKind kind,
                        const std::function<std::size_t(const std::string&)>& footnote);

// By row and column of the table. Figures are ranked among measured rows of the same data set,
// setting, class and condition: others do not compare.
using Ranks = std::map<std::pair<std::size_t, std::size_t>, Rank>;
Ranks rank_figures(const Report& report, const ReportTable& table);

// The label, with the mark of its condition where there are several.
std::string marked_label(const Report& report, const ReportGroup& group);

// "mvtec_ad, multi-class"
std::string place_of(const ReportGroup& group);

// What stands beside a difference between things that do not compare.
inline constexpr const char* kDeparts = "≠";

// What is said of a group: seeds, epochs, weights, data, differences from the protocol's default,
// what is missing.
//   said: departures that need not be repeated
std::string describe_group(const ReportGroup& group, const std::vector<std::string>& said = {});

// "path = value (default VALUE, ORIGIN)"
std::string describe_option(const ChangedOption& option);

// "random initialisation", "resnet18 (sha256 0123456789ab)" or "none"
std::string describe_weights(const Weights& weights);

}  // namespace adb
