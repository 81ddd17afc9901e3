#include "datasets/csv.h"

#include <utility>

#include "core/error.h"
#include "datasets/listing.h"

namespace adb {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  bool at_end() const { return at_ == text_.size(); }

  CsvRow row() {
    CsvRow row;
    row.line = line_;
    for (;;) {
      row.fields.push_back(field());
      if (!at_end() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      end_line();
      return row;
    }
  }

 private:
  std::string field() {
    std::string value;
    if (at_end() || text_[at_] != '"') {
      while (!at_end() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
        value += text_[at_++];
      }
      return value;
    }
    const std::size_t opened = line_;
    ++at_;
    for (;;) {
      ADB_CHECK(!at_end(), ErrorKind::kData, "{}:{}: a quoted field does not end", source_, opened);
      const char c = text_[at_++];
      if (c == '"') {
        if (at_end() || text_[at_] != '"') {
          return value;
        }
        ++at_;
      }
      line_ += c == '\n' ? 1 : 0;
      value += c;
    }
  }

  void end_line() {
    if (!at_end() && text_[at_] == '\r') {
      ++at_;
    }
    ADB_CHECK(at_end() || text_[at_] == '\n',
              ErrorKind::kData,
              "{}:{}: expected a comma or the end of the line after a field",
              source_,
              line_);
    if (!at_end()) {
      ++at_;
      ++line_;
    }
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

bool is_blank(const CsvRow& row) {
  return row.fields.size() == 1 && row.fields[0].empty();
}

}  // namespace

CsvTable parse_csv(std::string_view text, const std::string& source) {
  check_utf8(text, "'" + source + "'");
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  Parser parser(text, source);
  CsvTable table;
  while (!parser.at_end()) {
    CsvRow row = parser.row();
    if (is_blank(row)) {
      continue;
    }
    if (table.columns.empty()) {
      for (std::size_t k = 0; k < row.fields.size(); ++k) {
        ADB_CHECK(table.columns.emplace(row.fields[k], k).second,
                  ErrorKind::kData,
                  "{}:{}: column '{}' is named twice",
                  source,
                  row.line,
                  row.fields[k]);
      }
      continue;
    }
    ADB_CHECK(row.fields.size() == table.columns.size(),
              ErrorKind::kData,
              "{}:{}: {} fields where the header has {}",
              source,
              row.line,
              row.fields.size(),
              table.columns.size());
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace adb
