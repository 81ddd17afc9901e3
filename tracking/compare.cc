#include "tracking/compare.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "metrics/keys.h"
#include "tracking/judge.h"
#include "tracking/outputs.h"

namespace adb {
namespace {

Word word_of(Verdict forward, Verdict backward) {
  if (forward == Verdict::kRegressed) {
    return Word::kWorse;
  }
  if (backward == Verdict::kRegressed) {
    return Word::kBetter;
  }
  return forward == Verdict::kNotRegressed && backward == Verdict::kNotRegressed
             ? Word::kEqual
             : Word::kCannotTell;
}

char symbol_of(Word word) {
  switch (word) {
    case Word::kBetter:
      return '+';
    case Word::kWorse:
      return '-';
    case Word::kEqual:
      return '=';
    case Word::kCannotTell:
      break;
  }
  return '?';
}

void add_row(const Difference& difference, std::string* text) {
  const auto& judgement = difference.judgement;
  std::string interval;
  if (judgement.interval) {
    interval = fmt::format(
        "[{:+.2f}, {:+.2f}]", -100 * judgement.interval->high, -100 * judgement.interval->low);
  }
  *text += fmt::format("  {:<12} {:>7} {:>7} {:>8}  {:<18} {:>8}  {}\n",
                       judgement.metric,
                       figure_text(judgement, judgement.baseline),
                       figure_text(judgement, judgement.current),
                       change_text(judgement),
                       interval,
                       judgement.adjusted_p ? fmt::format("{:.2g}", *judgement.adjusted_p) : "",
                       to_text(difference.word));
}

}  // namespace

std::string_view to_text(Word word) {
  switch (word) {
    case Word::kBetter:
      return "better";
    case Word::kWorse:
      return "worse";
    case Word::kEqual:
      return "equal";
    case Word::kCannotTell:
      break;
  }
  return "cannot tell";
}

CompareReport compare_runs(const RunSet& a,
                           const RunSet& b,
                           const GateRules& rules,
                           const std::vector<std::string>& metrics) {
  CompareReport report;
  report.a = a.name;
  report.b = b.name;
  const auto forward_match = match_runs(*a.store, a.runs, *b.store, b.runs);
  const auto backward_match = match_runs(*b.store, b.runs, *a.store, a.runs);
  report.notes = forward_match.notes;
  auto both = rules;
  Rule classes;
  classes.every_class = true;
  classes.classes = {"all"};
  both.rules.push_back(classes);
  const auto forward = judge_quality(forward_match.cells, both);
  const auto backward = judge_quality(backward_match.cells, both);
  const auto key = [](const Judgement& judgement, const std::string& method) {
    return std::tuple(judgement.cell.dataset,
                      judgement.cell.setting,
                      judgement.cell.protocol,
                      method,
                      judgement.metric,
                      judgement.category);
  };
  const auto method_of = [](const Judgement& judgement) {
    // "rd -> vitad" one way is "vitad -> rd" the other.
    const auto& name = judgement.cell.method;
    const auto arrow = name.find(" -> ");
    return arrow == std::string::npos
               ? name
               : std::min(name, name.substr(arrow + 4) + " -> " + name.substr(0, arrow));
  };
  std::map<decltype(key(forward[0], "")), const Judgement*> reversed;
  for (const auto& judgement : backward) {
    reversed[key(judgement, method_of(judgement))] = &judgement;
  }
  bool worse = false;
  bool unsure = false;
  for (const auto& judgement : forward) {
    if (!metrics.empty() &&
        std::find(metrics.begin(), metrics.end(), judgement.metric) == metrics.end()) {
      continue;
    }
    const auto& other = *reversed.at(key(judgement, method_of(judgement)));
    const auto word = word_of(judgement.verdict, other.verdict);
    worse = worse || (word == Word::kWorse && judgement.category.empty());
    unsure = unsure || (word == Word::kCannotTell && judgement.category.empty());
    report.differences.push_back({word, judgement});
    if (judgement.change.value_or(0) < 0) {  // the test in the direction of the difference
      auto& shown = report.differences.back().judgement;
      shown.p = other.p;
      shown.adjusted_p = other.adjusted_p;
      shown.reason = other.reason;
      if (shown.reason.starts_with("loss")) {
        shown.reason.replace(0, 4, "gain");
      }
    }
  }
  std::stable_sort(report.differences.begin(),
                   report.differences.end(),
                   [](const Difference& x, const Difference& y) {
                     const auto order = [](const Difference& d) {
                       return std::tuple(
                           d.judgement.cell, find_metric(d.judgement.metric), d.judgement.category);
                     };
                     return order(x) < order(y);
                   });
  if (report.differences.empty()) {
    report.problem =
        "A and B have no finished runs of the same data set, protocol, classes and seed";
  }
  report.exit_code = !report.problem.empty() ? 6 : worse ? 5 : unsure ? 6 : 0;
  return report;
}

std::string compare_text(const CompareReport& report) {
  std::string text = fmt::format("A: {}\nB: {}\n", plain_text(report.a), plain_text(report.b));
  if (!report.problem.empty()) {
    return text + fmt::format("cannot tell: {}\n", plain_text(report.problem));
  }
  for (auto begin = report.differences.begin(); begin != report.differences.end();) {
    const auto end =
        std::find_if(begin, report.differences.end(), [&](const Difference& difference) {
          return difference.judgement.cell != begin->judgement.cell;
        });
    text += fmt::format("\n{}\n  {:<12} {:>7} {:>7} {:>8}  {:<18} {:>8}  B is\n",
                        plain_text(describe(begin->judgement.cell)),
                        "metric",
                        "A",
                        "B",
                        "B - A",
                        "95 % interval",
                        "p (Holm)");
    std::vector<std::string> columns;
    std::map<std::string, std::map<std::string, std::string>> classes;
    std::set<std::string> reasons;
    for (auto one = begin; one != end; ++one) {
      const auto& judgement = one->judgement;
      if (!judgement.category.empty()) {
        classes[plain_text(judgement.category)][judgement.metric] =
            judgement.change ? fmt::format("{} {}", change_text(judgement), symbol_of(one->word))
                             : "n/a ?";
        continue;
      }
      add_row(*one, &text);
      columns.push_back(judgement.metric);
      if (one->word == Word::kCannotTell) {
        reasons.insert(plain_text(fmt::format("{}: {}", judgement.metric, judgement.reason)));
      }
    }
    for (const auto& reason : reasons) {
      text += fmt::format("  cannot tell {}\n", reason);
    }
    constexpr std::size_t kNameWidth = 16;
    text += fmt::format("  {:<{}}", "class", kNameWidth);
    for (const auto& column : columns) {
      text += fmt::format(" {:>12}", column);
    }
    text += "\n";
    for (const auto& [name, figures] : classes) {
      text += fmt::format("  {:<{}}", name, kNameWidth);
      for (const auto& column : columns) {
        const auto found = figures.find(column);
        text += fmt::format(" {:>12}", found == figures.end() ? "-" : found->second);
      }
      text += "\n";
    }
    begin = end;
  }
  for (const auto& note : report.notes) {
    text += fmt::format("note: {}\n", plain_text(note));
  }
  return text + "\nIn percent and points; + better, - worse, = equal, ? cannot tell.\n";
}

Json compare_json(const CompareReport& report) {
  Json differences = Json::array();
  const auto optional = [](const std::optional<double>& value, double sign) {
    return value ? Json(sign * *value) : Json(nullptr);
  };
  for (const auto& [word, judgement] : report.differences) {
    differences.push_back(
        {{"word", to_text(word)},
         {"method", judgement.cell.method},
         {"dataset", judgement.cell.dataset},
         {"setting", judgement.cell.setting},
         {"protocol", judgement.cell.protocol},
         {"category", judgement.category},
         {"metric", judgement.metric},
         {"a", optional(judgement.baseline, 1)},
         {"b", optional(judgement.current, 1)},
         {"difference", optional(judgement.change, -1)},
         {"interval",
          judgement.interval ? Json({-judgement.interval->high, -judgement.interval->low})
                             : Json(nullptr)},
         {"p", optional(judgement.p, 1)},
         {"adjusted_p", optional(judgement.adjusted_p, 1)},
         {"pairs", judgement.pairs},
         {"classes", judgement.classes},
         {"seeds", judgement.seeds},
         {"reason", judgement.reason}});
  }
  return {{"a", report.a},
          {"b", report.b},
          {"exit_code", report.exit_code},
          {"problem", report.problem},
          {"notes", report.notes},
          {"differences", differences}};
}

}  // namespace adb
