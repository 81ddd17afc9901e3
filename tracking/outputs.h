// The gate's answer in the formats that people and CI systems read. All are pure functions of the
// report: equal reports give equal bytes. Text from the store is escaped for each format.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "tracking/verdict.h"

namespace adb {

// For a terminal: what is not well, one line each, then what is, one line a cell.
std::string gate_text(const GateReport& report);

// {baseline, created_at, verdict, exit_code, alpha, counts, problem, notes, judgements}; fractions
// and 17 digits, as everywhere in JSON.
Json gate_json(const GateReport& report);

// A comment for a merge request. The first line is a hidden marker with the baseline's name, by
// which a bot finds its earlier comment; nothing in it depends on the time. Rows that do not fit
// into max_bytes are left out, the best first, and counted.
std::string gate_markdown(const GateReport& report, std::size_t max_bytes = 60'000);

// JUnit XML: a suite for each data set and setting, a case for each method, class and metric.
// Regressed is a failure, did not run an error, cannot tell skipped (an error where the rules make
// it fail); what only warns passes and says so in its output.
std::string gate_junit(const GateReport& report);

// GitHub workflow commands, one a line: at most ten errors and ten warnings, the worst first, as
// many as GitHub shows for a step.
std::string gate_github(const GateReport& report);

// GitLab code quality (a JSON array of issues). `path`: the file that issues point at.
std::string gate_gitlab(const GateReport& report, const std::string& path);

// An SVG badge: "adbench | 2 regressed".
std::string gate_badge(const GateReport& report);

// --- pieces of the above that have rules of their own

// Valid UTF-8 without control characters: others become '?', line breaks and tabs a blank.
std::string plain_text(std::string_view text);
std::string escape_xml(std::string_view text);               // for XML text and attributes
std::string escape_markdown(std::string_view text);          // for a cell of a Markdown table
std::string escape_command_data(std::string_view text);      // GitHub: message
std::string escape_command_property(std::string_view text);  // GitHub: title=...

// "61.30" (percent), "812 MiB", "12.4 ms"; "" for an absent value.
std::string figure_text(const Judgement& judgement, const std::optional<double>& value);
std::string change_text(const Judgement& judgement);  // "-13.10" points, "x 1.250"

// "rd on sample, multi, protocol sample: pixel.aupro of bottle" or without a metric.
std::string subject(const Judgement& judgement);

}  // namespace adb
