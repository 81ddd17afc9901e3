// A report as tables of text: what the formats for readers (terminal, Markdown, LaTeX) have in
// common.
#pragma once

#include <cstddef>
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

// The best and the second best figure of each column, by row and column. Figures are ranked among
// measured rows of the same data set, setting, class and condition: others do not compare.
using Ranks = std::map<std::pair<std::size_t, std::size_t>, Rank>;
Ranks rank_figures(const Report& report, const ReportTable& table);

// A shown value: percent with one decimal, other quantities with four digits.
std::string number_text(double shown, const std::string& unit);

// A difference to a published figure in its unit: "+1.2", "0.0".
std::string difference_text(double shown);

// Text from outside (titles, reasons, notes) comes without control characters.
TextReport lay_out(const Report& report);

// What is said of a group: seeds, epochs, weights, data, differences from the protocol's default,
// what is missing.
std::string describe_group(const ReportGroup& group);

// "path = value (default VALUE, ORIGIN)"
std::string describe_option(const ChangedOption& option);

// "random initialisation", "resnet18 (sha256 0123456789ab)" or "none"
std::string describe_weights(const Weights& weights);

}  // namespace adb
