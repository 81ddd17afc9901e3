#include "reports/figures/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "core/text.h"
#include "reports/figures/picture.h"
#include "reports/html/sections.h"

namespace adb {
namespace {

constexpr std::array<std::pair<std::string_view, FigureKind>, 4> kKinds = {{
    {"curves", FigureKind::kCurves},
    {"images", FigureKind::kImages},
    {"resolution", FigureKind::kResolution},
    {"ranking", FigureKind::kRanking},
}};

// A plot at a place of a larger drawing.
std::string placed(std::string svg, int x, int y, int width, int height) {
  svg.insert(4, fmt::format(" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", x, y, width, height));
  return svg;
}

std::string text_at(double x,
                    double y,
                    std::string_view classes,
                    std::string_view text,
                    std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\"{}>{}</text>",
                     x,
                     y,
                     classes,
                     more,
                     escape_markup(text));
}

// The one place whose groups are drawn.
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

// --- curves

std::string curves_figure(const PageView& view) {
  const Place place = only_place(view);
  require_one_condition(view, place.groups);
  std::vector<LinePlot> plots;
  std::vector<Line> names;
  const auto add = [&](const std::string& title, const auto& points_of) {
    LinePlot plot{
        .title = title, .x = {.title = "epoch", .whole = true}, .width = 230, .height = 170};
    for (std::size_t i = 0; i < place.groups.size(); ++i) {
      Line line{.name = view.report.groups[place.groups[i]].label,
                .points = points_of(place.groups[i]),
                .style = i};
      const auto& reported = view.report.groups[place.groups[i]].reported_epochs;
      for (const auto& point : line.points) {
        if (!reported.empty() &&
            std::all_of(reported.begin(), reported.end(), [&](std::int64_t epoch) {
              return static_cast<double>(epoch) == point.x;
            })) {
          line.marks.push_back(point);
        }
      }
      plot.lines.push_back(std::move(line));
    }
    names = plot.lines;
    plots.push_back(std::move(plot));
  };
  for (const auto& column : view.report.means.columns) {
    add(column.title + " (%)",
        [&](std::size_t group) { return mean_over_runs(view, group, column.key); });
  }
  add("loss", [&](std::size_t group) {
    std::map<double, Values> by_epoch;
    for (const ReportRun* run : view.groups[group].runs) {
      for (const auto& row : view.more(*run).curves) {
        if (row.name == "loss") {
          by_epoch[static_cast<double>(row.epoch)].push_back(row.value);
        }
      }
    }
    std::vector<PlotPoint> points;
    for (const auto& [epoch, values] : by_epoch) {
      points.push_back({epoch, mean_of(values)});
    }
    return points;
  });
  ADB_CHECK(std::any_of(plots.begin(),
                        plots.end(),
                        [](const LinePlot& plot) {
                          return std::any_of(
                              plot.lines.begin(), plot.lines.end(), [](const Line& line) {
                                return line.points.size() > 1;
                              });
                        }),
            ErrorKind::kUsage,
            "no run has more than one test: no curve to draw");
  constexpr int kColumns = 3;
  const std::string key = legend(names, kColumns * 240);
  const int key_height = std::stoi(key.substr(key.find("viewBox=\"0 0 720 ") + 17));
  const int rows = static_cast<int>(plots.size() + kColumns - 1) / kColumns;
  const int height = rows * 180 + key_height + 6;
  std::string out =
      open_svg(kColumns * 240, height, place_title(place) + ": over training", "plot");
  out += placed(key, 8, 2, kColumns * 240, key_height);
  for (std::size_t i = 0; i < plots.size(); ++i) {
    const int column = static_cast<int>(i) % kColumns;
    const int row = static_cast<int>(i) / kColumns;
    out += placed(line_plot(plots[i]), column * 240, key_height + 6 + row * 180, 230, 170);
  }
  return out + "</svg>";
}

// --- resolution

std::string resolution_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  const std::size_t column = metric_column(view.report.means, options.metric);
  const ReportColumn& metric = view.report.means.columns[column];
  // A line for each set of runs that differ in nothing but the size (and what follows from it).
  std::map<std::string, std::vector<std::pair<double, std::size_t>>> lines;
  for (const std::size_t group : place.groups) {
    RunRow run = view.groups[group].runs.front()->run;
    if (!run.options.contains("image_size") || !run.options["image_size"].is_number()) {
      continue;
    }
    const double size = run.options["image_size"].get<double>();
    run.options.erase("image_size");
    const ReportGroup& shown = view.report.groups[group];
    lines[canonical_json({run.method,
                          run.method_version,
                          run.protocol,
                          run.protocol_version,
                          run.epoch_rule,
                          run.options,
                          run.weights.resolved,
                          run.classes,
                          shown.metrics.mode,
                          shown.metrics.version,
                          shown.metrics.fpr_limit})]
        .emplace_back(size, group);
  }
  LinePlot plot{.title = fmt::format("{} by input size, {}", metric.title, place_title(place)),
                .x = {.title = "input size (px)", .whole = true},
                .y = {.title = metric.title + " (%)"},
                .width = 420,
                .height = 280,
                .legend = true};
  for (auto& [key, sizes] : lines) {
    std::sort(sizes.begin(), sizes.end());
    Line line{.name = view.groups[sizes[0].second].runs.front()->run.method_title,
              .style = plot.lines.size()};
    for (const auto& [size, group] : sizes) {
      const auto row =
          std::find_if(view.report.means.rows.begin(),
                       view.report.means.rows.end(),
                       [&](const ReportRow& candidate) {
                         return candidate.group == group && candidate.kind == RowKind::kMeasured;
                       });
      if (row->figures[column].state == Figure::State::kValue) {
        line.points.push_back({size, row->figures[column].value * metric.factor});
      }
    }
    if (line.points.size() > 1) {
      line.marks = line.points;
      plot.lines.push_back(std::move(line));
    }
  }
  ADB_CHECK(!plot.lines.empty(),
            ErrorKind::kUsage,
            "no method was run at more than one input size: run it with --set image_size=N");
  return line_plot(plot);
}

// --- ranking

std::string ranking_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  require_one_condition(view, place.groups);
  const std::size_t column = metric_column(view.report.classes, options.metric);
  // Classes for which every method has a figure; methods without any are left out.
  std::map<std::string, std::map<std::size_t, double>> by_class;
  std::set<std::size_t> measured;
  for (const auto& row : view.report.classes.rows) {
    if (row.kind == RowKind::kMeasured && row.figures[column].state == Figure::State::kValue) {
      by_class[row.category][row.group] = row.figures[column].value;
      measured.insert(row.group);
    }
  }
  const std::vector<std::size_t> groups(measured.begin(), measured.end());
  std::vector<std::vector<double>> values;
  for (const auto& [category, figures] : by_class) {
    if (figures.size() == groups.size()) {
      values.emplace_back();
      for (const auto& [group, value] : figures) {
        values.back().push_back(value);
      }
    }
  }
  ADB_CHECK(groups.size() >= 2 && !values.empty(),
            ErrorKind::kUsage,
            "a ranking needs two methods with {} of one class, {} have any",
            options.metric,
            groups.size());
  const double difference = critical_difference(groups.size(), values.size());
  const std::vector<double> ranks = mean_ranks(values);
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return ranks[a] < ranks[b];
  });

  constexpr double kLeft = 150, kRight = 450, kAxis = 62, kRow = 16;
  const double last = static_cast<double>(groups.size());
  const auto x = [&](double rank) { return kLeft + (rank - 1) / (last - 1) * (kRight - kLeft); };
  std::vector<double> ascending;
  for (const std::size_t i : order) {
    ascending.push_back(ranks[i]);
  }
  const auto cliques = rank_cliques(ascending, difference);
  const double labels = kAxis + 14 + 7 * static_cast<double>(cliques.size());
  const std::size_t half = (groups.size() + 1) / 2;
  const int height = static_cast<int>(labels + kRow * static_cast<double>(half) + 14);
  const std::string title = fmt::format("mean rank by {} over {} {}, {}",
                                        view.report.classes.columns[column].title,
                                        values.size(),
                                        values.size() == 1 ? "class" : "classes",
                                        place_title(place));
  std::string out = open_svg(600, height, title, "plot");
  out += text_at(300, 14, "t m", title);
  std::string axis = fmt::format("M{:.1f} {:.1f}H{:.1f}", kLeft, kAxis, kRight);
  for (std::size_t rank = 1; rank <= groups.size(); ++rank) {
    axis += fmt::format("M{:.1f} {:.1f}v-5", x(static_cast<double>(rank)), kAxis);
    out += text_at(x(static_cast<double>(rank)), kAxis - 9, "k m", std::to_string(rank));
  }
  // The difference as a length, above the axis; no longer than the axis.
  const double length = std::min(kRight - kLeft, difference / (last - 1) * (kRight - kLeft));
  axis +=
      fmt::format("M{0:.1f} 30v8M{0:.1f} 34h{1:.1f}M{2:.1f} 30v8", kLeft, length, kLeft + length);
  out +=
      text_at(kLeft, 27, "k", fmt::format("critical difference {:.2f} (Nemenyi, 5 %)", difference));
  out += fmt::format("<path class=\"a\" d=\"{}\"/>", axis);
  for (std::size_t i = 0; i < cliques.size(); ++i) {
    const double y = kAxis + 9 + 7 * static_cast<double>(i);
    out += fmt::format("<path class=\"w\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
                       x(ascending[cliques[i].first]) - 3,
                       y,
                       x(ascending[cliques[i].second]) + 3);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool left = i < half;
    const std::size_t row = left ? i : order.size() - 1 - i;
    const double y = labels + kRow * static_cast<double>(row + 1);
    const double at = x(ascending[i]);
    out += fmt::format("<path class=\"a\" d=\"M{:.1f} {:.1f}V{:.1f}H{:.1f}\"/>",
                       at,
                       kAxis,
                       y,
                       left ? kLeft - 6 : kRight + 6);
    const std::string& label = view.report.groups[groups[order[i]]].label;
    out += text_at(left ? kLeft - 10 : kRight + 10,
                   y + 3,
                   left ? "e" : "",
                   left ? fmt::format("{} {:.2f}", label, ascending[i])
                        : fmt::format("{:.2f} {}", ascending[i], label));
  }
  return out + "</svg>";
}

// --- images

using SamplePictures = std::map<std::size_t, const PagePicture*>;  // by group

std::string images_figure(const PageView& view, const FigureOptions& options) {
  const Place place = only_place(view);
  // The first seed that left thumbnails stands for its method.
  std::map<std::int64_t, std::size_t> group_of_run;
  std::vector<std::size_t> groups;
  std::set<std::int64_t> with_pictures;
  for (const auto& picture : view.input->pictures) {
    with_pictures.insert(picture.run);
  }
  for (const std::size_t group : place.groups) {
    for (const ReportRun* run : view.groups[group].runs) {
      const bool of_group = !groups.empty() && groups.back() == group;
      const bool first_seed =
          !of_group || run->run.seed == view.groups[group].replicates.front().seed;
      if (with_pictures.contains(to_int(run->run.id)) && first_seed) {
        group_of_run[to_int(run->run.id)] = group;
        if (!of_group) {
          groups.push_back(group);
        }
      }
    }
  }
  std::map<std::pair<std::string, std::string>, SamplePictures> samples;
  for (const auto& picture : view.input->pictures) {
    if (const auto found = group_of_run.find(picture.run); found != group_of_run.end()) {
      samples[{picture.picture.category, picture.picture.sample}][found->second] = &picture;
    }
  }
  ADB_CHECK(!samples.empty(),
            ErrorKind::kUsage,
            "no run left thumbnails of its test images: nothing to draw");
  std::vector<std::pair<std::string, std::string>> chosen;
  if (options.samples.empty()) {
    std::map<std::string, std::pair<double, std::string>> worst;  // by class
    for (const auto& [name, pictures] : samples) {
      double wrong = 0;
      for (const auto& [group, picture] : pictures) {
        wrong += picture->wrong;
      }
      if (pictures.size() < groups.size() || !pictures.begin()->second->picture.anomalous) {
        continue;
      }
      const auto found = worst.find(name.first);
      if (found == worst.end() || found->second.first < wrong) {
        worst[name.first] = {wrong, name.second};
      }
    }
    for (const auto& [category, sample] : worst) {
      chosen.emplace_back(category, sample.second);
    }
    chosen.resize(std::min(chosen.size(), options.columns));
    ADB_CHECK(!chosen.empty(),
              ErrorKind::kUsage,
              "no anomalous image has a thumbnail of every method; name images with --sample");
  } else {
    for (const auto& name : options.samples) {
      const auto slash = name.find('/');
      chosen.emplace_back(name.substr(0, slash),
                          slash == std::string::npos ? "" : name.substr(slash + 1));
      ADB_CHECK(samples.contains(chosen.back()),
                ErrorKind::kUsage,
                "no thumbnail of '{}'; a sample is CLASS/SAMPLE as on the page",
                name);
    }
  }

  constexpr int kSide = 64, kGap = 3, kLabel = 110, kHead = 16;
  const int rows = 2 + static_cast<int>(groups.size());
  const int width = kLabel + static_cast<int>(chosen.size()) * (kSide + kGap);
  std::string out =
      open_svg(width, kHead + rows * (kSide + kGap), place_title(place) + ": test images", "plot");
  const auto label = [&](int row, const std::string& name) {
    out += text_at(kLabel - 6, kHead + row * (kSide + kGap) + kSide / 2 + 3, "e", name);
  };
  const auto picture = [&](int row, int column, const std::string& bytes) {
    if (bytes.empty()) {
      return;
    }
    out += fmt::format(
        "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
        "href=\"{}\"/>",
        kLabel + column * (kSide + kGap),
        kHead + row * (kSide + kGap),
        kSide,
        kSide,
        data_address(bytes));
  };
  label(0, "input");
  label(1, "ground truth");
  for (std::size_t i = 0; i < groups.size(); ++i) {
    label(2 + static_cast<int>(i), view.report.groups[groups[i]].label);
  }
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    const int column = static_cast<int>(c);
    const SamplePictures& pictures = samples.at(chosen[c]);
    out += text_at(kLabel + column * (kSide + kGap) + kSide / 2.0,
                   11,
                   "m",
                   chosen[c].first,
                   " font-size=\"8\"");
    picture(0, column, pictures.begin()->second->picture.input);
    picture(1, column, pictures.begin()->second->picture.truth);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (const auto found = pictures.find(groups[i]); found != pictures.end()) {
        picture(2 + static_cast<int>(i), column, colour_heat_map(found->second->picture.heat));
      }
    }
  }
  return out + "</svg>";
}

}  // namespace

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
  }
  fail(ErrorKind::kInternal, "figure {} is not known", static_cast<int>(kind));
}

double critical_difference(std::size_t methods, std::size_t classes) {
  static constexpr std::array<double, 19> kQuantiles = {1.960,
                                                        2.344,
                                                        2.569,
                                                        2.728,
                                                        2.850,
                                                        2.948,
                                                        3.031,
                                                        3.102,
                                                        3.164,
                                                        3.219,
                                                        3.268,
                                                        3.313,
                                                        3.354,
                                                        3.391,
                                                        3.426,
                                                        3.458,
                                                        3.489,
                                                        3.517,
                                                        3.544};
  ADB_CHECK(methods >= 2 && methods < kQuantiles.size() + 2,
            ErrorKind::kUsage,
            "a ranking compares 2 to {} methods, {} match; select with --methods",
            kQuantiles.size() + 1,
            methods);
  ADB_CHECK(classes >= 1, ErrorKind::kUsage, "a ranking needs a class");
  const auto k = static_cast<double>(methods);
  return kQuantiles[methods - 2] * std::sqrt(k * (k + 1) / (6 * static_cast<double>(classes)));
}

std::vector<double> mean_ranks(const std::vector<std::vector<double>>& values) {
  ADB_ASSERT(!values.empty());
  std::vector<double> ranks(values[0].size(), 0);
  for (const auto& row : values) {
    ADB_ASSERT(row.size() == ranks.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      // Above, and half of those that are equal, itself not counted.
      double rank = 1;
      for (std::size_t j = 0; j < row.size(); ++j) {
        rank += row[j] > row[i] ? 1 : j != i && row[j] == row[i] ? 0.5 : 0;
      }
      ranks[i] += rank / static_cast<double>(values.size());
    }
  }
  return ranks;
}

std::vector<std::pair<std::size_t, std::size_t>> rank_cliques(const std::vector<double>& ascending,
                                                              double difference) {
  std::vector<std::pair<std::size_t, std::size_t>> cliques;
  for (std::size_t first = 0; first < ascending.size(); ++first) {
    std::size_t last = first;
    while (last + 1 < ascending.size() && ascending[last + 1] - ascending[first] <= difference) {
      ++last;
    }
    if (last > first && (cliques.empty() || last > cliques.back().second)) {
      cliques.emplace_back(first, last);
    }
  }
  return cliques;
}

}  // namespace adb
