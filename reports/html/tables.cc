// Leaderboard, classes and efficiency.
#include <algorithm>
#include <limits>
#include <map>

#include "core/text.h"
#include "reports/html/sections.h"

namespace adb {
namespace {

constexpr int kHeatSteps = 9;

// The last word stays whole: "F1-max" is no place for a line break.
std::string header_cell(const std::string& text, const std::string& unit, std::string_view kind) {
  const auto space = text.rfind(' ') + 1;  // 0 without one
  return fmt::format("<th scope=\"col\" class=\"{}\">{}<span class=\"whole\">{}</span>{}</th>",
                     kind,
                     escape_markup(text.substr(0, space)),
                     escape_markup(text.substr(space)),
                     unit.empty() || unit == "%"
                         ? ""
                         : fmt::format(" <span class=\"u\">{}</span>", escape_markup(unit)));
}

std::string open_table(const std::string& caption, std::string_view kind) {
  return fmt::format(
      "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table "
      "class=\"{1}\"><caption>{0}</caption>",
      escape_markup(caption),
      kind);
}

std::string row_label(const PageView& view, const ReportRow& row) {
  switch (row.kind) {
    case RowKind::kLastEpoch:
      return "last epoch";
    case RowKind::kPublished:
      return fmt::format("published {}", escape_markup(row.published_table));
    case RowKind::kDifference:
      return "difference";
    case RowKind::kMeasured:
      break;
  }
  return group_name(view, row.group);
}

// One body a group, so that sorting keeps the last epoch and the published row beside it.
template <class Middle>
void add_bodies(const PageView& view,
                const ReportTable& table,
                const Place& place,
                bool ranked,
                NoteList& notes,
                Middle middle,
                std::string& out) {
  const Ranks ranks = ranked ? rank_figures(view.report, table) : Ranks{};
  for (const std::size_t group : place.groups) {
    out += fmt::format("<tbody{}>", filter_attributes(view.report.groups[group]));
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const ReportRow& row = table.rows[i];
      if (row.group != group) {
        continue;
      }
      const bool measured = row.kind == RowKind::kMeasured;
      out += fmt::format("<tr{}><th scope=\"row\">{}</th>{}",
                         measured ? "" : " class=\"beside\"",
                         row_label(view, row),
                         middle(row));
      for (std::size_t column = 0; column < table.columns.size(); ++column) {
        const auto rank = ranks.find({i, column});
        out += figure_cell(row.figures[column],
                           table.columns[column],
                           row.kind,
                           rank == ranks.end() ? Rank::kNone : rank->second,
                           notes);
      }
      out += "</tr>";
    }
    out += "</tbody>";
  }
}

// Colour steps of one table: 0 for the smallest figure, kHeatSteps - 1 for the largest.
class HeatScale {
 public:
  void add(const Figure& figure) {
    if (figure.state == Figure::State::kValue) {
      low_ = std::min(low_, figure.value);
      high_ = std::max(high_, figure.value);
    }
  }
  bool empty() const { return low_ > high_; }
  int step(double value) const {
    return high_ <= low_ ? kHeatSteps - 1
                         : std::min(kHeatSteps - 1,
                                    static_cast<int>((value - low_) / (high_ - low_) * kHeatSteps));
  }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

using ClassRows = std::map<std::pair<std::size_t, std::string>, const ReportRow*>;

void add_heat_table(const PageView& view,
                    const Place& place,
                    const std::vector<std::string>& classes,
                    const ClassRows& rows,
                    std::size_t column,
                    NoteList& notes,
                    std::string& out) {
  const ReportColumn& shown = view.report.classes.columns[column];
  HeatScale scale;
  for (const std::size_t group : place.groups) {
    for (const auto& name : classes) {
      if (const auto row = rows.find({group, name}); row != rows.end()) {
        scale.add(row->second->figures[column]);
      }
    }
  }
  if (scale.empty()) {
    return;
  }
  out += fmt::format("<details class=\"heat\"{}><summary>{}</summary>",
                     shown.key == "mad" ? " open" : "",
                     escape_markup(shown.title));
  out += open_table(fmt::format("{}: {} by class, light {} to dark {}",
                                place_title(place),
                                shown.title,
                                number_text(scale.low() * shown.factor, shown.unit),
                                number_text(scale.high() * shown.factor, shown.unit)),
                    classes.size() > 8 ? "sortable tall" : "sortable");
  out += "<thead><tr>";
  out += header_cell("method", "", "name");
  for (const auto& name : classes) {
    out += fmt::format("<th scope=\"col\" class=\"num\"><span>{}</span></th>", escape_markup(name));
  }
  out += "<th scope=\"col\" class=\"num\"><span>mean</span></th></tr></thead>";
  for (const std::size_t group : place.groups) {
    out += fmt::format("<tbody{}><tr><th scope=\"row\">{}</th>",
                       filter_attributes(view.report.groups[group]),
                       group_name(view, group));
    for (const auto& name : classes) {
      const auto row = rows.find({group, name});
      const Figure figure = row == rows.end() ? Figure{} : row->second->figures[column];
      std::string cell = figure_cell(figure, shown, RowKind::kMeasured, Rank::kNone, notes);
      if (figure.state == Figure::State::kValue) {
        cell.replace(0, 3, fmt::format("<td class=\"h{}\"", scale.step(figure.value)));
      }
      out += cell;
    }
    const auto mean = std::find_if(
        view.report.means.rows.begin(), view.report.means.rows.end(), [&](const ReportRow& row) {
          return row.group == group && row.kind == RowKind::kMeasured;
        });
    out += figure_cell(mean->figures[column], shown, RowKind::kMeasured, Rank::kNone, notes);
    out += "</tr></tbody>";
  }
  out += "</table></div></details>";
}

}  // namespace

std::size_t NoteList::number_of(const std::string& reason) {
  const auto found = std::find(reasons_.begin(), reasons_.end(), reason);
  if (found != reasons_.end()) {
    return static_cast<std::size_t>(found - reasons_.begin()) + 1;
  }
  reasons_.push_back(reason);
  return reasons_.size();
}

std::string filter_attributes(const ReportGroup& group) {
  return fmt::format(
      " data-method=\"{}\" data-dataset=\"{}\" data-setting=\"{}\" data-protocol=\"{}\"",
      escape_markup(group.method),
      escape_markup(group.dataset),
      escape_markup(group.setting),
      escape_markup(group.protocol));
}

std::string group_name(const PageView& view, std::size_t group) {
  const ReportGroup& shown = view.report.groups[group];
  std::string name = fmt::format("<a href=\"#g{}\">{}</a>", group, escape_markup(shown.label));
  if (view.report.conditions.size() > 1) {
    const std::string mark = condition_mark(shown.condition);
    name += fmt::format(" <a class=\"mark\" href=\"#condition-{0}\">{0}</a>", mark);
  }
  return name;
}

std::string figure_cell(
    const Figure& figure, const ReportColumn& column, RowKind kind, Rank rank, NoteList& notes) {
  switch (figure.state) {
    case Figure::State::kMissing:
      return "<td>-</td>";
    case Figure::State::kUndefined: {
      const std::size_t number = notes.number_of(figure.reason);
      return fmt::format("<td>n/a <a href=\"#note-{0}\">({0})</a></td>", number);
    }
    case Figure::State::kValue:
      break;
  }
  if (kind == RowKind::kPublished) {
    return fmt::format("<td>{}</td>", escape_markup(figure.printed));
  }
  if (kind == RowKind::kDifference) {
    return fmt::format("<td>{}</td>", difference_text(figure.value));
  }
  std::string text = number_text(figure.value * column.factor, column.unit);
  if (rank == Rank::kBest) {
    text = "<b>" + text + "</b>";
  } else if (rank == Rank::kSecond) {
    text = "<u>" + text + "</u>";
  }
  if (figure.sd.has_value() && (column.unit == "%" || *figure.sd > 0)) {
    text += fmt::format(" <span class=\"sd\">± {}</span>",
                        number_text(*figure.sd * column.factor, column.unit));
  }
  return fmt::format("<td data-k=\"{}\" data-v=\"{:.9g}\">{}</td>", column.key, figure.value, text);
}

std::string in_figure(const std::string& svg) {
  return fmt::format("<figure>{}</figure>", svg);
}

std::string leaderboard_section(const PageView& view, NoteList& notes) {
  std::string out = "<section id=\"leaderboard\"><h2>Leaderboard</h2>";
  out +=
      "<p>Mean over the classes in percent; with several seeds ± the sample standard deviation. "
      "Within one mark the best figure is <b>bold</b>, the second <u>underlined</u>.</p>";
  for (const auto& place : places_of(view)) {
    const ReportTable& table = view.report.means;
    out += open_table(place_title(place), "sortable");
    out += "<thead><tr>";
    out += header_cell("method", "", "name") + header_cell("protocol", "", "text") +
           header_cell("seeds", "", "num");
    for (const auto& column : table.columns) {
      out += header_cell(column.title, column.unit, "num");
    }
    out += "</tr></thead>";
    add_bodies(
        view,
        table,
        place,
        true,
        notes,
        [&](const ReportRow& row) -> std::string {
          const ReportGroup& group = view.report.groups[row.group];
          if (row.kind != RowKind::kMeasured) {
            return "<td class=\"text\"></td><td></td>";
          }
          return fmt::format("<td class=\"text\">{}</td><td data-v=\"{}\">{}</td>",
                             escape_markup(group.protocol),
                             group.seeds.size(),
                             group.seeds.size());
        },
        out);
    out += "</table></div>";
  }
  return out + "</section>";
}

std::string class_section(const PageView& view, NoteList& notes) {
  const ReportTable& table = view.report.classes;
  if (table.rows.empty()) {
    return "";
  }
  ClassRows rows;
  for (const auto& row : table.rows) {
    if (row.kind == RowKind::kMeasured) {
      rows[{row.group, row.category}] = &row;
    }
  }
  std::vector<std::size_t> columns(table.columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i] = i;
  }
  // mAD first: it is the one that is open.
  std::stable_partition(
      columns.begin(), columns.end(), [&](std::size_t i) { return table.columns[i].key == "mad"; });
  std::string out = "<section id=\"classes\"><h2>Classes</h2>";
  for (const auto& place : places_of(view)) {
    std::vector<std::string> classes;
    for (const std::size_t group : place.groups) {
      for (const auto& name : view.report.groups[group].classes) {
        add_once(classes, name);
      }
    }
    out += fmt::format("<h3>{}</h3>", escape_markup(place_title(place)));
    for (const std::size_t column : columns) {
      add_heat_table(view, place, classes, rows, column, notes, out);
    }
  }
  return out + "</section>";
}

std::string efficiency_section(const PageView& view, NoteList& notes) {
  const ReportTable& table = view.report.efficiency;
  if (table.columns.empty()) {
    return "";
  }
  std::string out =
      "<section id=\"efficiency\"><h2>Efficiency</h2><p>Times and memory compare "
      "only on the same hardware.</p>";
  for (const auto& place : places_of(view)) {
    out += open_table(place_title(place) + ": efficiency", "sortable");
    out += "<thead><tr>";
    out += header_cell("method", "", "name") + header_cell("hardware", "", "text");
    for (const auto& column : table.columns) {
      out += header_cell(column.title, column.unit, "num");
    }
    out += "</tr></thead>";
    add_bodies(
        view,
        table,
        place,
        false,
        notes,
        [&](const ReportRow& row) {
          const auto& devices = view.report.groups[row.group].devices;
          return fmt::format(
              "<td class=\"text long\">{}</td>",
              row.kind == RowKind::kMeasured ? escape_markup(join(devices, " and ")) : "");
        },
        out);
    out += "</table></div>";
  }
  return out + "</section>";
}

}  // namespace adb
