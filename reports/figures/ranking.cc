#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "reports/figures/parts.h"

namespace adb {

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
