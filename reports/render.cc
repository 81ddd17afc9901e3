#include "reports/render.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>
#include <vector>

#include "core/text.h"
#include "reports/layout.h"
#include "reports/values.h"

namespace adb {
namespace {

constexpr std::array<std::pair<std::string_view, ReportFormat>, 6> kFormats = {{
    {"terminal", ReportFormat::kTerminal},
    {"markdown", ReportFormat::kMarkdown},
    {"csv", ReportFormat::kCsv},
    {"json", ReportFormat::kJson},
    {"latex", ReportFormat::kLatex},
    {"html", ReportFormat::kHtml},
}};

std::string replace_each(const std::string& text,
                         const std::vector<std::pair<std::string_view, std::string_view>>& pairs) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return std::string_view(text).substr(i).starts_with(pair.first);
    });
    if (found == pairs.end()) {
      out += text[i++];
    } else {
      out += found->second;
      i += found->first.size();
    }
  }
  return out;
}

// A cell's text, or its parts, each written by `write`.
std::string ranked_text(const TextCell& cell,
                        const std::function<std::string(const TextCell&)>& write) {
  if (cell.parts.empty()) {
    return write(cell);
  }
  std::vector<std::string> texts;
  for (const auto& part : cell.parts) {
    texts.push_back(write(part));
  }
  return join(texts, "/");
}

// --- terminal

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string space(width - std::min(width, num_columns(text)), ' ');
  return left ? text + space : space + text;
}

void add_line(const std::vector<std::string>& cells,
              const std::vector<std::size_t>& widths,
              std::size_t left_columns,
              std::string& out) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += i == 0 ? "" : "  ";
    line += padded(cells[i], widths[i], i < left_columns);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

// A long line, broken at spaces, its further lines indented.
void add_wrapped(const std::string& text, std::string& out) {
  constexpr std::size_t kWidth = 100;
  std::string line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && num_columns(line) + 1 + num_columns(word) > kWidth) {
      out += line + '\n';
      line = "   ";
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  out += line + '\n';
}

void add_terminal_table(const TextTable& table, std::string& out) {
  // Titles of two words stand on two lines, which keeps the table narrow.
  std::vector<std::string> upper;
  std::vector<std::string> lower;
  std::vector<std::size_t> widths;
  for (const auto& title : table.header) {
    const auto space = title.find(' ');
    upper.push_back(space == std::string::npos ? "" : title.substr(0, space));
    lower.push_back(space == std::string::npos ? title : title.substr(space + 1));
    widths.push_back(std::max(num_columns(upper.back()), num_columns(lower.back())));
  }
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], num_columns(row[i].text));
    }
  }
  out += '\n' + table.title + '\n';
  add_line(upper, widths, table.left_columns, out);
  add_line(lower, widths, table.left_columns, out);
  std::vector<std::string> rules;
  for (const std::size_t width : widths) {
    rules.emplace_back(width, '-');
  }
  add_line(rules, widths, table.left_columns, out);
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (const auto& cell : row) {
      cells.push_back(cell.text);
    }
    add_line(cells, widths, table.left_columns, out);
  }
}

std::string terminal(const Report& report) {
  const TextReport text = lay_out(report);
  std::string out;
  for (const auto& line : text.intro) {
    add_wrapped(line, out);
  }
  for (const auto& table : text.tables) {
    add_terminal_table(table, out);
  }
  out += '\n';
  for (const auto& line : text.footnotes) {
    add_wrapped(line, out);
  }
  for (const auto& line : text.notes) {
    add_wrapped(line, out);
  }
  return out;
}

// --- Markdown

std::string markdown_text(const std::string& text) {
  return replace_each(
      text, {{"|", "\\|"}, {"*", "\\*"}, {"_", "\\_"}, {"<", "&lt;"}, {"`", "\\`"}, {"[", "\\["}});
}

std::string markdown(const Report& report) {
  const TextReport text = lay_out(report);
  std::string out;
  for (const auto& line : text.intro) {
    out += "- " + markdown_text(line) + '\n';
  }
  for (const auto& table : text.tables) {
    out += fmt::format("\n**{}**\n\n|", markdown_text(table.title));
    for (const auto& title : table.header) {
      out += fmt::format(" {} |", markdown_text(title));
    }
    out += "\n|";
    for (std::size_t i = 0; i < table.header.size(); ++i) {
      out += i < table.left_columns ? " :-- |" : " --: |";
    }
    out += '\n';
    for (const auto& row : table.rows) {
      out += '|';
      for (const auto& cell : row) {
        out += fmt::format(" {} |", ranked_text(cell, [](const TextCell& part) {
                             const std::string shown = markdown_text(part.text);
                             return part.rank == Rank::kBest ? "**" + shown + "**" : shown;
                           }));
      }
      out += '\n';
    }
  }
  out += '\n';
  for (const auto& line : text.footnotes) {
    out += "- " + markdown_text(line) + '\n';
  }
  for (const auto& line : text.notes) {
    out += "- " + markdown_text(line) + '\n';
  }
  return out;
}

// --- LaTeX

std::string latex_text(const std::string& text) {
  return replace_each(text,
                      {{"\\", "\\textbackslash{}"},
                       {"{", "\\{"},
                       {"}", "\\}"},
                       {"&", "\\&"},
                       {"%", "\\%"},
                       {"$", "\\$"},
                       {"#", "\\#"},
                       {"_", "\\_"},
                       {"~", "\\textasciitilde{}"},
                       {"^", "\\textasciicircum{}"},
                       {"<", "$<$"},
                       {">", "$>$"},
                       {"±", "$\\pm$"},
                       {"≠", "$\\neq$"},
                       {"†", "\\dag{}"}});
}

// A word a line, the last one on the line of its neighbours.
std::string latex_header(const std::string& text) {
  return text.find(' ') == std::string::npos
             ? latex_text(text)
             : "\\shortstack[r]{" + replace_each(latex_text(text), {{" ", "\\\\"}}) + "}";
}

// A table that is wider than the line is scaled down to it.
void add_latex_table(const TextTable& table, std::string& out) {
  out += fmt::format(
      "\n\\begin{{table}}\n\\centering\n\\caption{{{}}}\n\\resizebox{{\\ifdim\\width>\\linewidth"
      "\\linewidth\\else\\width\\fi}}{{!}}{{%\n\\begin{{tabular}}{{{}{}}}\n\\toprule\n",
      latex_text(table.title),
      std::string(table.left_columns, 'l'),
      std::string(table.header.size() - table.left_columns, 'r'));
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    out += (i == 0 ? "" : " & ") + latex_header(table.header[i]);
  }
  out += " \\\\\n\\midrule\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += i == 0 ? "" : " & ";
      out += ranked_text(row[i], [](const TextCell& part) {
        const bool indented = part.text.starts_with("  ");
        const std::string shown =
            (indented ? "\\quad " : "") + latex_text(part.text.substr(indented ? 2 : 0));
        return part.rank == Rank::kBest     ? "\\textbf{" + shown + "}"
               : part.rank == Rank::kSecond ? "\\underline{" + shown + "}"
                                            : shown;
      });
    }
    out += " \\\\\n";
  }
  out += "\\bottomrule\n\\end{tabular}}\n\\end{table}\n";
}

std::string latex(const Report& report) {
  const TextReport text = lay_out(report);
  std::string out = "% needs \\usepackage{booktabs,graphicx}\n";
  for (const auto& table : text.tables) {
    add_latex_table(table, out);
  }
  out += "\n{\\footnotesize\n";
  for (const auto* lines : {&text.intro, &text.footnotes, &text.notes}) {
    for (const auto& line : *lines) {
      out += "\\noindent " + latex_text(line) + "\\par\n";
    }
  }
  return out + "}\n";
}

}  // namespace

ReportFormat report_format_from_text(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [text, format] : kFormats) {
    if (text == name) {
      return format;
    }
    known.emplace_back(text);
  }
  throw Error(ErrorKind::kUsage, unknown_name("format", name, known));
}

std::string json_document(const Json& data) {
  return Json{{"schema", kReportSchema}, {"data", data}, {"errors", Json::array()}}.dump(
             2, ' ', false, Json::error_handler_t::replace) +
         '\n';
}

std::string render_report(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::kTerminal:
      return terminal(report);
    case ReportFormat::kMarkdown:
      return markdown(report);
    case ReportFormat::kCsv:
      return report_csv(report);
    case ReportFormat::kJson:
      return json_document(report_json(report));
    case ReportFormat::kLatex:
      return latex(report);
    case ReportFormat::kHtml:
      break;
  }
  fail(ErrorKind::kInternal, "report format {} is not made here", static_cast<int>(format));
}

}  // namespace adb
