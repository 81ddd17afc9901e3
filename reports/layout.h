// A report as tables of text: what the formats for readers (terminal, Markdown, LaTeX) have in
// common.
#pragma once

#include <cstddef>
#include <string>
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
