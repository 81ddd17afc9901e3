#include "reports/figures/figures.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/text.h"
#include "reports/figures/parts.h"
#include "reports/figures/picture.h"

namespace adb {
namespace {

constexpr std::array<std::pair<std::string_view, FigureKind>, 5> kKinds = {{
    {"curves", FigureKind::kCurves},
    {"images", FigureKind::kImages},
    {"resolution", FigureKind::kResolution},
    {"ranking", FigureKind::kRanking},
    {"frequency", FigureKind::kFrequency},
}};

}  // namespace

std::string placed(std::string svg, int x, int y, int width, int height) {
  svg.insert(4, fmt::format(" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", x, y, width, height));
  return svg;
}

std::string text_at(
    double x, double y, std::string_view classes, std::string_view text, std::string_view more) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\"{}>{}</text>",
                     x,
                     y,
                     classes,
                     more,
                     escape_markup(text));
}

std::string picture_at(int x, int y, int side, const std::string& bytes) {
  return bytes.empty() ? ""
                       : fmt::format(
                             "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
                             "preserveAspectRatio=\"none\" href=\"{}\"/>",
                             x,
                             y,
                             side,
                             side,
                             data_address(bytes));
}

Place only_place(const PageView& view) {
  const auto places = places_of(view);
  ADB_CHECK(!places.empty(), ErrorKind::kUsage, "no run matches: nothing to draw");
  std::vector<std::string> names;
  for (const auto& place : places) {
    names.push_back(fmt::format("'{}'", place_title(place)));
  }
  ADB_CHECK(places.size() == 1,
            ErrorKind::kUsage,
            "a figure shows one data set and setting, {} match: {}; select one with --dataset and "
            "--setting",
            places.size(),
            join(names, ", "));
  return places[0];
}

void require_one_condition(const PageView& view, const std::vector<std::size_t>& groups) {
  std::set<std::size_t> conditions;
  for (const std::size_t group : groups) {
    conditions.insert(view.report.groups[group].condition);
  }
  if (conditions.size() > 1) {
    std::vector<std::string> texts;
    for (const std::size_t condition : conditions) {
      texts.push_back(view.report.conditions[condition]);
    }
    fail(ErrorKind::kUsage,
         "the runs do not compare, they have {} conditions: {}; select with --protocol and "
         "--methods",
         conditions.size(),
         join(texts, " | "));
  }
}

std::size_t metric_column(const ReportTable& table, const std::string& key) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].key == key) {
      return i;
    }
    known.push_back(table.columns[i].key);
  }
  throw Error(ErrorKind::kUsage, unknown_name("metric", key, known));
}

FigureKind figure_kind_from_text(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& [text, kind] : kKinds) {
    if (text == name) {
      return kind;
    }
    known.emplace_back(text);
  }
  throw Error(ErrorKind::kUsage, unknown_name("figure", name, known));
}

std::string figure_svg(PageInput input, FigureKind kind, const FigureOptions& options) {
  const PageView view = view_of(input);
  switch (kind) {
    case FigureKind::kCurves:
      return standalone_svg(curves_figure(view));
    case FigureKind::kImages:
      return standalone_svg(images_figure(view, options));
    case FigureKind::kResolution:
      return standalone_svg(resolution_figure(view, options));
    case FigureKind::kRanking:
      return standalone_svg(ranking_figure(view, options));
    case FigureKind::kFrequency:
      break;
  }
  fail(ErrorKind::kInternal, "figure {} is not drawn from runs", static_cast<int>(kind));
}

}  // namespace adb
