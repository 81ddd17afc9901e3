#include "reports/html/page.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <utility>

#include "core/hash.h"
#include "reports/figures/picture.h"
#include "reports/html/sections.h"
#include "reports/html/sources.h"

namespace adb {
namespace {

// For the content-security policy: only this script may run, whatever a name in the store holds.
std::string script_hash(std::string_view script) {
  const std::string hex = Sha256().add(script).hex();
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return "sha256-" + base64(bytes);
}

std::string head(const PageInput& input) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><meta "
      "http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{}'\">"
      "<title>{}: anomaly detection results</title><style>{}</style></head><body>",
      script_hash(page_script()),
      escape_markup(input.store),
      page_style());
}

std::string summary(const PageView& view) {
  std::size_t finished_runs = 0;
  std::string newest;
  for (const auto& run : view.input->runs) {
    finished_runs += finished(run) ? 1 : 0;
    newest = std::max(newest, run.run.finished_at);
  }
  return fmt::format("<header><h1>{}</h1><p>{} runs, {} finished{}; adbench {}</p></header>",
                     escape_markup(view.input->store),
                     view.input->runs.size(),
                     finished_runs,
                     newest.empty() ? "" : fmt::format(", the last on {}", escape_markup(newest)),
                     escape_markup(view.input->version));
}

std::string conditions(const PageView& view) {
  std::string out = "<section id=\"conditions\"><h2>Conditions</h2>";
  if (view.report.conditions.size() > 1) {
    out += "<p>Rows with different marks do not compare.</p>";
  }
  out += "<dl class=\"conditions\">";
  for (std::size_t i = 0; i < view.report.conditions.size(); ++i) {
    out += fmt::format("<dt id=\"condition-{0}\">{0}</dt><dd>{1}</dd>",
                       condition_mark(i),
                       escape_markup(view.report.conditions[i]));
  }
  return out + "</dl><p>n/a: undefined, with the reason as a note; -: no run.</p></section>";
}

std::string contents(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string out = "<nav aria-label=\"contents\">";
  for (const auto& [id, title] : parts) {
    out += fmt::format("<a href=\"#{}\">{}</a>", id, title);
  }
  return out + "</nav>";
}

// Values of one filter, in the report's order.
std::string choices(const PageView& view,
                    const std::string& name,
                    const std::string& title,
                    std::string ReportGroup::*member) {
  std::vector<std::string> values;
  for (const auto& group : view.report.groups) {
    add_once(values, group.*member);
  }
  std::string out =
      fmt::format("<label>{} <select name=\"{}\"><option value=\"\">all</option>", title, name);
  for (const auto& value : values) {
    out += fmt::format("<option value=\"{0}\">{0}</option>", escape_markup(value));
  }
  return out + "</select></label>";
}

// Shown by the script: it does nothing without.
std::string filters(const PageView& view) {
  std::vector<std::pair<std::string, std::string>> methods;
  for (std::size_t g = 0; g < view.groups.size(); ++g) {
    add_once(
        methods,
        std::pair(view.report.groups[g].method, view.groups[g].runs.front()->run.method_title));
  }
  std::string out =
      "<form id=\"filters\" aria-label=\"filters\" hidden><fieldset><legend>methods</legend>";
  for (const auto& [name, title] : methods) {
    out += fmt::format(
        "<label><input type=\"checkbox\" name=\"method\" value=\"{}\" checked>{}</label>",
        escape_markup(name),
        escape_markup(title));
  }
  out += "</fieldset>";
  out += choices(view, "dataset", "data set", &ReportGroup::dataset);
  out += choices(view, "setting", "setting", &ReportGroup::setting);
  out += choices(view, "protocol", "protocol", &ReportGroup::protocol);
  return out +
         "<button type=\"reset\">show all</button><output aria-live=\"polite\"></output></form>";
}

std::string note_section(const NoteList& notes) {
  if (notes.reasons().empty()) {
    return "";
  }
  std::string out = "<section id=\"notes\"><h2>Undefined figures</h2><ol>";
  for (std::size_t i = 0; i < notes.reasons().size(); ++i) {
    out += fmt::format("<li id=\"note-{}\">{}</li>", i + 1, escape_markup(notes.reasons()[i]));
  }
  return out + "</ol></section>";
}

}  // namespace

const PageRun& PageView::more(const ReportRun& run) const {
  static const PageRun nothing;
  const auto found = input->more.find(to_int(run.run.id));
  return found == input->more.end() ? nothing : found->second;
}

std::vector<Place> places_of(const PageView& view) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < view.report.groups.size(); ++i) {
    const ReportGroup& group = view.report.groups[i];
    const auto found = std::find_if(places.begin(), places.end(), [&](const Place& place) {
      return place.dataset == group.dataset && place.setting == group.setting;
    });
    if (found == places.end()) {
      places.push_back({group.dataset, group.setting, {i}});
    } else {
      found->groups.push_back(i);
    }
  }
  return places;
}

std::string place_title(const Place& place) {
  return fmt::format(
      "{}, {}", place.dataset, place.setting == "multi" ? "multi-class" : "single-class");
}

std::vector<std::vector<std::size_t>> comparable_groups(const PageView& view, const Place& place) {
  std::map<std::size_t, std::vector<std::size_t>> by_condition;
  for (const std::size_t group : place.groups) {
    by_condition[view.report.groups[group].condition].push_back(group);
  }
  std::vector<std::vector<std::size_t>> lists;
  for (auto& [condition, groups] : by_condition) {
    lists.push_back(std::move(groups));
  }
  return lists;
}

PageView view_of(PageInput& input) {
  std::sort(input.runs.begin(), input.runs.end(), [](const ReportRun& a, const ReportRun& b) {
    return std::pair(a.run.id, a.run.key) < std::pair(b.run.id, b.run.key);
  });
  return {.input = &input,
          .groups = groups_of(input.runs, input.options),
          .report = build_report(input.runs, input.options)};
}

std::string html_page(PageInput input) {
  const PageView view = view_of(input);
  NoteList notes;
  std::vector<std::pair<std::string, std::string>> parts;
  std::vector<std::string> sections;
  std::size_t size = 0;
  const auto add = [&](const char* id, const char* title, std::string section) {
    if (!section.empty()) {
      size += section.size();
      parts.emplace_back(id, title);
      sections.push_back(std::move(section));
    }
  };
  const auto left = [&](std::size_t total) { return total > size ? total - size : 0; };
  add("leaderboard", "Leaderboard", leaderboard_section(view, notes));
  add("classes", "Classes", class_section(view, notes));
  add("cost", "Quality against cost", cost_section(view));
  add("training", "Over training", training_section(view));
  add("resolution", "Input size", resolution_section(view));
  add("efficiency", "Efficiency", efficiency_section(view, notes));
  add("curves", "ROC, PR, PRO", class_curve_section(view));
  // Curves of single runs may take what is left but for a quarter of the page, which is kept for
  // the test images when there are any.
  std::string runs = run_section(view, 0);
  const std::size_t kept = input.pictures.empty() ? 0 : input.max_bytes / 4;
  if (const std::size_t others = runs.size() + kept; others < left(input.max_bytes)) {
    runs = run_section(view, left(input.max_bytes) - others);
  }
  const std::string front = conditions(view) + filters(view);
  const std::size_t beside =
      runs.size() + front.size() + page_style().size() + page_script().size() + 4'000;
  add("images",
      "Test images",
      image_section(view, left(input.max_bytes) > beside ? left(input.max_bytes) - beside : 0));
  add("runs", "Runs", std::move(runs));
  add("notes", "Undefined figures", note_section(notes));

  std::string out = head(input);
  out += "<a class=\"skip\" href=\"#leaderboard\">to the leaderboard</a>";
  out += summary(view) + contents(parts) + "<main>" + front;
  for (const auto& section : sections) {
    out += section + '\n';
  }
  out += "</main><script>";
  out += page_script();
  return out + "</script></body></html>\n";
}

std::vector<double> wrong_shares(const std::vector<Thumbnail>& images) {
  std::array<std::vector<double>, 2> scores;  // normal, anomalous
  for (const auto& image : images) {
    scores[image.anomalous ? 1 : 0].push_back(image.score);
  }
  for (auto& list : scores) {
    std::sort(list.begin(), list.end());
  }
  std::vector<double> shares;
  for (const auto& image : images) {
    const auto& rivals = scores[image.anomalous ? 0 : 1];
    if (rivals.empty()) {
      shares.push_back(-1);
      continue;
    }
    const auto [first, last] = std::equal_range(rivals.begin(), rivals.end(), image.score);
    const auto beyond = image.anomalous ? rivals.end() - last : first - rivals.begin();
    shares.push_back((static_cast<double>(beyond) + 0.5 * static_cast<double>(last - first)) /
                     static_cast<double>(rivals.size()));
  }
  return shares;
}

}  // namespace adb
