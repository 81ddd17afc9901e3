// Comma-separated text with a header line.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace adb {

struct CsvRow {
  std::size_t line = 0;  // where it starts in the file, from 1
  std::vector<std::string> fields;
};

struct CsvTable {
  std::map<std::string, std::size_t> columns;  // header name -> index of the field
  std::vector<CsvRow> rows;
};

// Parses text as RFC 4180 describes it: commas, "quoted fields" with "" for a quote and line breaks
// inside, lines ending in LF or CRLF. A byte-order mark and empty lines are passed over.
//   throws: Error(kData) "SOURCE:LINE: ..." for an open quote, text after a quote, a row with
//   another number of fields than the header, a column named twice, text that is not UTF-8
CsvTable parse_csv(std::string_view text, const std::string& source);

}  // namespace adb
