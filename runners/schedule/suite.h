// Suite files: the named cells that make a table of a paper, and how that table stands.
// docs/suites.md describes the format.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/registry.h"
#include "results/records.h"
#include "runners/schedule/catalogue.h"
#include "runners/schedule/setting.h"

namespace adb {

// A training that the suite names.
struct SuiteCell {
  std::string name;
  std::string method;
  std::vector<Setting> settings;  // its options, `epochs` included
};

// A line of the suite's table.
struct SuiteRow {
  std::string cell;
  std::string label;
  std::string published;  // PublishedRow::variant to show beside, "" for a main result
  std::string note;       // what the reader must know of the row
  std::string differs;    // why the published figure is of something else
  std::string place;      // "suites/NAME.yaml:LINE:COLUMN", of `published` where there is one
};

// A word of the file with its place.
struct PlacedText {
  std::string text;
  std::string place;
};

struct Suite {
  std::string name;  // "paper/table-08-fuser"
  std::string title;
  std::string dataset;
  std::string protocol;
  std::string setting;  // multi | single, "" for the protocol's
  std::vector<SuiteCell> cells;
  bool by_class = false;              // rows are classes, columns are the suite's rows
  std::vector<PlacedText> published;  // table ids, "VIII"
  std::vector<PlacedText> columns;    // metric and efficiency keys
  std::vector<SuiteRow> rows;
};

// The files below SHARE/suites without ".yaml", sorted.
std::vector<std::string> suite_names(const std::filesystem::path& share);

// SHARE/suites/NAME.yaml. Methods, options and their values are checked against `methods`; columns
// and published figures are the business of whoever has them.
//   throws: Error(kUsage) for an unknown suite; Error(kConfig) and, of options, Error(kUsage) with
//   "suites/NAME.yaml:LINE:COLUMN: ..."
Suite read_suite(const std::filesystem::path& share,
                 const std::string& name,
                 const Registry<MethodInfo>& methods);

// The same from text; `source` names it in messages and as the options' origin.
Suite parse_suite(std::string_view text,
                  const std::string& name,
                  const std::string& source,
                  const Registry<MethodInfo>& methods);

}  // namespace adb
