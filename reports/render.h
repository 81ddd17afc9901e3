// A report in the formats that `adbench report` writes. Equal reports give equal bytes.
#pragma once

#include <string>
#include <string_view>

#include "reports/table.h"

namespace adb {

enum class ReportFormat { kTerminal, kMarkdown, kCsv, kJson, kLatex, kHtml };

ReportFormat report_format_from_text(
    std::string_view name);  // throws: Error(kUsage) naming the known ones

// Terminal, Markdown and LaTeX for readers: percent with one decimal. LaTeX needs the package
// booktabs; the best figure among comparable rows is bold, the second underlined. CSV: one line for
// each table row, percent with six decimals, every condition in columns of its own. JSON: {schema,
// data, errors}, fractions 0..1 in full precision. Not kHtml: that page shows more than a report
// holds (reports/html/page.h).
std::string render_report(const Report& report, ReportFormat format);

// {schema, data, errors} as text.
std::string json_document(const Json& data);

// What `data` holds in JSON.
Json report_json(const Report& report);

}  // namespace adb
