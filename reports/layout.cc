#include "reports/layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/text.h"

namespace adb {
namespace {

constexpr std::size_t kShortHash = 12;

// Numbers the reasons of undefined figures in the order in which they appear.
class Footnotes {
 public:
  std::size_t number_of(const std::string& reason) {
    const auto found = std::find(reasons_.begin(), reasons_.end(), reason);
    if (found != reasons_.end()) {
      return static_cast<std::size_t>(found - reasons_.begin()) + 1;
    }
    reasons_.push_back(reason);
    return reasons_.size();
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
      lines.push_back(fmt::format("({}) undefined: {}", i + 1, printable(reasons_[i])));
    }
    return lines;
  }

 private:
  std::vector<std::string> reasons_;
};

std::string row_name(const Report& report, const ReportRow& row) {
  const ReportGroup& group = report.groups[row.group];
  // Under a suite's row the others need not repeat its label.
  const std::string label = report.suite.empty() ? printable(group.label) + ", " : "  ";
  switch (row.kind) {
    case RowKind::kLastEpoch:
      return label + "last epoch";
    case RowKind::kPublished:
      return label + "published " + printable(row.published_table);
    case RowKind::kDifference:
      return label + "difference" + (group.departures.empty() ? "" : fmt::format(" {}", kDeparts));
    case RowKind::kMeasured:
      break;
  }
  return marked_label(report, group);
}

enum class Content { kMeans, kClasses, kEfficiency };

// One table for each data set and setting.
void lay_out_table(const Report& report,
                   const ReportTable& table,
                   Content content,
                   Footnotes& footnotes,
                   std::vector<TextTable>& out) {
  Ranks ranks;
  if (content != Content::kEfficiency) {
    ranks = rank_figures(report, table);
  }
  std::string place;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const ReportRow& row = table.rows[i];
    const std::string here = place_of(report.groups[row.group]);
    if (here != place) {
      place = here;
      TextTable next;
      next.title = content == Content::kMeans     ? here + ": mean over the classes"
                   : content == Content::kClasses ? here + ": classes"
                                                  : here + ": efficiency";
      if (!report.title.empty()) {
        next.title = printable(report.title) + ". " + next.title;
      }
      if (content == Content::kClasses) {
        next.header.push_back("class");
        next.left_columns = 2;
      }
      next.header.push_back(report.suite.empty() ? "method" : "row");
      for (const auto& column : table.columns) {
        next.header.push_back(
            column.unit == "%" ? column.title : fmt::format("{} ({})", column.title, column.unit));
      }
      out.push_back(std::move(next));
    }
    std::vector<TextCell> cells;
    if (content == Content::kClasses) {
      cells.push_back({.text = printable(row.category)});
    }
    cells.push_back({.text = row_name(report, row)});
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      const auto rank = ranks.find({i, column});
      cells.push_back({.text = figure_text(
                           row.figures[column],
                           table.columns[column],
                           row.kind,
                           [&](const std::string& reason) { return footnotes.number_of(reason); }),
                       .rank = rank == ranks.end() ? Rank::kNone : rank->second});
    }
    out.back().rows.push_back(std::move(cells));
  }
}

std::string numbers(std::vector<std::int64_t> values) {
  return values.empty() ? "none" : fmt::format("{}", fmt::join(values, ", "));
}

// Departures of every row, when there is more than one.
std::vector<std::string> common_departures(const Report& report) {
  std::vector<std::string> common;
  if (report.groups.size() > 1) {
    common = report.groups.front().departures;
    for (const auto& group : report.groups) {
      std::erase_if(common, [&](const std::string& text) {
        return std::find(group.departures.begin(), group.departures.end(), text) ==
               group.departures.end();
      });
    }
  }
  return common;
}

void add_remarks(const ReportGroup& group,
                 const std::vector<std::string>& said,
                 std::vector<std::string>& parts) {
  if (!group.note.empty()) {
    parts.push_back("note: " + group.note);
  }
  auto departures = group.departures;
  std::erase_if(departures, [&](const std::string& text) {
    return std::find(said.begin(), said.end(), text) != said.end();
  });
  if (!departures.empty()) {
    parts.push_back(fmt::format("{}: {}", kDeparts, join(departures, ", ")));
  }
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

}  // namespace

// A stored text must not move the cursor or break a line.
std::string printable(const std::string& text) {
  std::string clean = text;
  std::replace_if(
      clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return clean;
}

std::string number_text(double shown, const std::string& unit) {
  if (unit == "%") {
    return fmt::format("{:.1f}", shown);
  }
  return shown >= 1000  ? fmt::format("{:.0f}", shown)
         : shown >= 100 ? fmt::format("{:.1f}", shown)
         : shown >= 10  ? fmt::format("{:.2f}", shown)
                        : fmt::format("{:.3f}", shown);
}

std::string difference_text(double shown) {
  return std::abs(shown) < 0.05 ? "0.0" : fmt::format("{:+.1f}", shown);
}

std::string figure_text(const Figure& figure,
                        const ReportColumn& column,
                        RowKind kind,
                        const std::function<std::size_t(const std::string&)>& footnote) {
  switch (figure.state) {
    case Figure::State::kMissing:
      return "-";
    case Figure::State::kUndefined:
      return fmt::format("n/a ({})", footnote(figure.reason));
    case Figure::State::kValue:
      break;
  }
  if (kind == RowKind::kPublished) {
    return printable(figure.printed);
  }
  if (kind == RowKind::kDifference) {
    return difference_text(figure.value);
  }
  const std::string text = number_text(figure.value * column.factor, column.unit);
  // Counts are the same for every seed: only figures that can vary show that they did not.
  if (!figure.sd.has_value() || (column.unit != "%" && *figure.sd == 0)) {
    return text;
  }
  const auto number = [&](double value) { return number_text(value * column.factor, column.unit); };
  const auto spread = fmt::format("{} ± {}", text, number(*figure.sd));
  return figure.interval.has_value() ? fmt::format("{} ({}..{})",
                                                   spread,
                                                   number(figure.interval->first),
                                                   number(figure.interval->second))
                                     : spread;
}

Ranks rank_figures(const Report& report, const ReportTable& table) {
  Ranks ranks;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    std::map<std::tuple<std::string, std::string, std::string, std::size_t>,
             std::vector<std::size_t>>
        blocks;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const auto& row = table.rows[i];
      const auto& group = report.groups[row.group];
      if (row.kind == RowKind::kMeasured && row.figures[column].state == Figure::State::kValue) {
        blocks[{group.dataset, group.setting, row.category, group.condition}].push_back(i);
      }
    }
    for (const auto& [place, rows] : blocks) {
      std::set<double, std::greater<>> values;
      for (const std::size_t i : rows) {
        values.insert(table.rows[i].figures[column].value);
      }
      if (rows.size() < 2) {
        continue;
      }
      for (const std::size_t i : rows) {
        const double value = table.rows[i].figures[column].value;
        if (value == *values.begin()) {
          ranks[{i, column}] = Rank::kBest;
        } else if (value == *std::next(values.begin())) {
          ranks[{i, column}] = Rank::kSecond;
        }
      }
    }
  }
  return ranks;
}

std::string marked_label(const Report& report, const ReportGroup& group) {
  const std::string label = printable(group.label);
  return report.conditions.size() > 1 && group.condition != kNoCondition
             ? fmt::format("{} [{}]", label, condition_mark(group.condition))
             : label;
}

std::string place_of(const ReportGroup& group) {
  return fmt::format("{}, {}",
                     printable(group.dataset),
                     group.setting == "multi" ? "multi-class" : "single-class");
}

std::string describe_option(const ChangedOption& option) {
  return fmt::format("{} = {} (default {}, {})",
                     option.path,
                     value_text(option.value),
                     value_text(option.default_value),
                     option.origin);
}

std::string describe_weights(const Weights& weights) {
  if (weights.random()) {
    return weights.name.empty() ? "random initialisation"
                                : weights.name + ", random initialisation";
  }
  if (weights.resolved.empty()) {
    return "none";
  }
  return fmt::format("{} (sha256 {})", weights.name, weights.resolved.substr(0, kShortHash));
}

std::string describe_group(const ReportGroup& group, const std::vector<std::string>& said) {
  std::vector<std::string> parts;
  if (group.not_run) {
    parts.emplace_back("not run");
    add_remarks(group, said, parts);
    return printable(fmt::format("{}: {}", group.label, join(parts, "; ")));
  }
  parts.push_back(
      fmt::format("{} {}", group.seeds.size() == 1 ? "seed" : "seeds", numbers(group.seeds)));
  parts.push_back(
      fmt::format("{} {}", group.classes.size(), group.classes.size() == 1 ? "class" : "classes"));
  if (group.external) {
    parts.push_back("maps of another program");
  } else {
    auto epochs = group.reported_epochs;
    epochs.erase(std::unique(epochs.begin(), epochs.end()), epochs.end());
    parts.push_back(fmt::format("reported epoch {} of {}", numbers(epochs), group.epochs));
    parts.push_back("weights " + describe_weights(group.weights));
  }
  std::vector<std::string> manifests;
  for (const auto& manifest : group.data_manifests) {
    manifests.push_back(manifest.substr(0, kShortHash));
  }
  parts.push_back(fmt::format("data {} (manifest {})", group.dataset, join(manifests, ", ")));
  if (!group.textures.empty()) {
    parts.push_back("textures " + group.textures.substr(0, kShortHash));
  }
  if (!group.devices.empty()) {
    parts.push_back(join(group.devices, " and "));
  }
  if (group.images > 0) {
    parts.push_back(
        fmt::format("{} test images, {} labels changed and {} components lost by the masks' resize",
                    group.images,
                    group.labels_changed,
                    group.components_vanished));
  }
  std::vector<std::string> options;
  for (const auto& option : group.changed_options) {
    options.push_back(describe_option(option));
  }
  if (!group.external) {
    parts.push_back(options.empty()
                        ? "all options as the protocol's default"
                        : "differs from the protocol's default: " + join(options, ", "));
  }
  if (!group.problems.empty()) {
    parts.push_back("missing: " + join(group.problems, ", "));
  }
  add_remarks(group, said, parts);
  return printable(fmt::format("{} on {}: {}", group.label, place_of(group), join(parts, "; ")));
}

TextReport lay_out(const Report& report) {
  TextReport text;
  for (const auto& remark : report.remarks) {
    text.intro.push_back(printable(remark));
  }
  for (std::size_t i = 0; i < report.conditions.size(); ++i) {
    text.intro.push_back(
        printable(report.conditions.size() == 1
                      ? "Conditions: " + report.conditions[i]
                      : fmt::format("[{}] {}", condition_mark(i), report.conditions[i])));
  }
  if (report.conditions.size() > 1) {
    text.intro.push_back("Rows with different marks do not compare.");
  }
  const bool spread = std::any_of(report.groups.begin(),
                                  report.groups.end(),
                                  [](const ReportGroup& group) { return group.seeds.size() > 1; });
  text.intro.push_back(std::string("Figures in percent") +
                       (spread ? ", mean ± sample standard deviation over seeds" : "") +
                       (spread && report.intervals
                            ? " and, from three seeds on, a bootstrap interval of the mean at 95 %"
                            : "") +
                       "; n/a: undefined, -: not there.");
  const auto common = common_departures(report);
  if (!common.empty()) {
    text.intro.push_back(
        printable(fmt::format("Not as the suite says, in every row: {}.", join(common, ", "))));
  }
  const bool marked = [&] {
    for (const auto* table : {&report.means, &report.classes, &report.efficiency}) {
      for (const auto& row : table->rows) {
        if (row.kind == RowKind::kDifference && !report.groups[row.group].departures.empty()) {
          return true;
        }
      }
    }
    return false;
  }();
  if (marked) {
    text.intro.push_back(
        fmt::format("{}: the published figure is of something else, as {} says.",
                    kDeparts,
                    common.empty() ? "the row's note" : "the line above or the row's note"));
  }
  Footnotes footnotes;
  if (report.by_class) {
    text.tables.push_back(lay_out_classes(
        report, [&](const std::string& reason) { return footnotes.number_of(reason); }));
  } else {
    lay_out_table(report, report.means, Content::kMeans, footnotes, text.tables);
    lay_out_table(report, report.classes, Content::kClasses, footnotes, text.tables);
  }
  lay_out_table(report, report.efficiency, Content::kEfficiency, footnotes, text.tables);
  for (const auto& group : report.groups) {
    text.notes.push_back(describe_group(group, common));
  }
  text.footnotes = footnotes.lines();
  return text;
}

}  // namespace adb
