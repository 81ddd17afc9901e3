// Every run with its provenance.
#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "reports/html/sections.h"

namespace adb {
namespace {

constexpr std::size_t kLines = 24;  // in a plot of a group's own curves

void add_fact(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", name, escape_markup(value));
  }
}

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

// "a.b = 1" for every leaf.
void flatten(const Json& value,
             const std::string& path,
             std::vector<std::pair<std::string, std::string>>& out) {
  if (!value.is_object() || value.empty()) {
    out.emplace_back(path, value_text(value));
    return;
  }
  for (const auto& [key, child] : value.items()) {
    flatten(child, path.empty() ? key : path + "." + key, out);
  }
}

std::string option_table(const RunRow& run) {
  std::vector<std::pair<std::string, std::string>> options;
  flatten(run.options, "", options);
  std::map<std::string, const ChangedOption*> changed;
  for (const auto& option : run.changed_options) {
    changed[option.path] = &option;
  }
  std::string out =
      "<table class=\"kv\"><caption>options</caption><thead><tr><th scope=\"col\">option</th><th "
      "scope=\"col\">value</th><th scope=\"col\">default</th><th scope=\"col\">origin</th></tr>"
      "</thead><tbody>";
  const auto add = [&](const std::string& path, const std::string& value) {
    const auto found = changed.find(path);
    if (found == changed.end()) {
      out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>same</td><td></td></tr>",
                         escape_markup(path),
                         escape_markup(value));
      return;
    }
    out += fmt::format(
        "<tr class=\"changed\"><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape_markup(path),
        escape_markup(value),
        escape_markup(value_text(found->second->default_value)),
        escape_markup(found->second->origin));
    changed.erase(found);
  };
  for (const auto& [path, value] : options) {
    if (!path.empty()) {
      add(path, value);
    }
  }
  // Options of the run rather than of the method, epochs say.
  const auto others = changed;
  for (const auto& [path, option] : others) {
    add(path, value_text(option->value));
  }
  return out + "</tbody></table>";
}

std::string artifact_table(const std::vector<ArtifactRow>& artifacts) {
  if (artifacts.empty()) {
    return "";
  }
  std::string out =
      "<table class=\"kv\"><caption>files</caption><thead><tr><th scope=\"col\">file</th><th "
      "scope=\"col\">kind</th><th scope=\"col\">epoch</th><th scope=\"col\">bytes</th><th "
      "scope=\"col\">sha256</th></tr></thead><tbody>";
  for (const auto& row : artifacts) {
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td "
        "class=\"hash\">{}</td></tr>",
        escape_markup(row.path),
        escape_markup(row.kind),
        row.epoch,
        row.bytes,
        escape_markup(row.sha256));
  }
  return out + "</tbody></table>";
}

// Facts about the test images by class: images, anomalous, ...
std::string count_table(const std::vector<CountRow>& counts) {
  std::vector<std::string> names;
  std::vector<std::string> categories;
  std::map<std::pair<std::string, std::string>, std::int64_t> values;
  for (const auto& row : counts) {
    add_once(names, row.name);
    add_once(categories, row.category);
    values[{row.category, row.name}] = row.value;
  }
  if (names.empty()) {
    return "";
  }
  std::string out =
      "<table class=\"kv\"><caption>test images</caption><thead><tr><th scope=\"col\">class</th>";
  for (const auto& name : names) {
    out += fmt::format("<th scope=\"col\">{}</th>", escape_markup(name));
  }
  out += "</tr></thead><tbody>";
  for (const auto& category : categories) {
    out += fmt::format("<tr><th scope=\"row\">{}</th>", escape_markup(category));
    for (const auto& name : names) {
      const auto found = values.find({category, name});
      out += found == values.end() ? "<td>-</td>" : fmt::format("<td>{}</td>", found->second);
    }
    out += "</tr>";
  }
  return out + "</tbody></table>";
}

std::string efficiency_list(const std::vector<EfficiencyRow>& rows) {
  std::string facts;
  for (const auto& row : rows) {
    std::string text = row.value.has_value() ? fmt::format("{:.6g} {}", *row.value, row.unit)
                                             : std::string("not measured");
    text += row.note.empty() ? "" : " (" + row.note + ")";
    facts += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_markup(row.key), escape_markup(text));
  }
  return facts.empty() ? "" : "<dl class=\"facts\">" + facts + "</dl>";
}

std::string run_block(const PageView& view, const ReportRun& run, bool tables) {
  const RunRow& row = run.run;
  const PageRun& more = view.more(run);
  const bool single = row.setting == "single";
  std::string out = fmt::format(
      "<details class=\"run\" id=\"run-{}\"><summary>seed {}{}: {}{}</summary><dl "
      "class=\"facts\">",
      to_int(row.id),
      row.seed,
      single ? fmt::format(", {}", escape_markup(join(row.classes, ", "))) : "",
      to_text(row.status),
      row.reported_epoch.has_value()
          ? fmt::format(", reported epoch {} of {}", *row.reported_epoch, row.epochs)
          : "");
  add_fact(out, "reason", row.reason);
  add_fact(out, "run", fmt::format("{}, attempt {}", to_int(row.id), row.attempt));
  add_fact(out, "cell key", row.key);
  add_fact(out, "last epoch", row.last_epoch.has_value() ? std::to_string(*row.last_epoch) : "");
  add_fact(out, "data manifest", row.data_manifest);
  add_fact(out, "textures", row.textures);
  add_fact(out,
           "weights",
           row.weights.resolved.empty()
               ? "none"
               : fmt::format("{}, file {}, {}",
                             row.weights.name,
                             row.weights.source,
                             row.weights.random() ? "initialised at random"
                                                  : "sha256 " + row.weights.resolved));
  add_fact(out, "device", fmt::format("{}, {} threads", row.device, row.threads));
  out += fmt::format("<dt>environment</dt><dd><a href=\"#environment-{0}\">{0}</a></dd>",
                     row.environment);
  add_fact(out, "process", fmt::format("{} on {}", row.pid, row.host));
  add_fact(out, "started", row.started_at);
  add_fact(out, "finished", row.finished_at);
  add_fact(out, "folder", row.folder);
  add_fact(out, "notes", row.notes);
  for (const auto& problem : more.problems) {
    add_fact(out, "not shown", problem);
  }
  out += "</dl>";
  out += efficiency_list(run.efficiency);
  if (tables) {
    out += count_table(run.counts);
  }
  return out + artifact_table(more.artifacts) + "</details>";
}

// The stored curves of a group's runs and the means of every metric, a line a run.
std::string curve_plots(const PageView& view, std::size_t group) {
  const Group& shown = view.groups[group];
  std::vector<std::string> names;
  for (const ReportRun* run : shown.runs) {
    for (const auto& row : view.more(*run).curves) {
      add_once(names, row.name);
    }
  }
  // The losses first.
  std::stable_sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.starts_with("loss") > b.starts_with("loss");
  });
  std::string plots;
  std::vector<Line> lines;
  const auto add = [&](const std::string& title, const auto& points_of) {
    LinePlot plot{
        .title = title, .x = {.title = "epoch", .whole = true}, .width = 220, .height = 150};
    bool any = false;
    std::size_t style = 0;
    for (const ReportRun* run : shown.runs) {
      if (plot.lines.size() == kLines) {
        break;
      }
      Line line{.name = fmt::format("seed {}{}",
                                    run->run.seed,
                                    run->run.setting == "single"
                                        ? fmt::format(", {}", join(run->run.classes, ", "))
                                        : std::string()),
                .points = points_of(*run),
                .style = style++};
      for (const auto& point : line.points) {
        if (run->run.reported_epoch.has_value() &&
            point.x == static_cast<double>(*run->run.reported_epoch)) {
          line.marks.push_back(point);
        }
      }
      any = any || !line.points.empty();
      plot.lines.push_back(std::move(line));
    }
    lines = plot.lines;
    if (any) {
      plots += in_figure(line_plot(plot));
    }
  };
  for (const auto& name : names) {
    add(name, [&](const ReportRun& run) {
      std::vector<PlotPoint> points;
      for (const auto& row : view.more(run).curves) {
        if (row.name == name) {
          points.push_back({static_cast<double>(row.epoch), row.value});
        }
      }
      return points;
    });
  }
  for (const auto& column : view.report.means.columns) {
    add(column.title + " (%)", [&](const ReportRun& run) {
      std::vector<PlotPoint> points;
      for (const auto& row : view.more(run).means) {
        if (row.key == column.key && row.setting == shown.setting && row.value.has_value()) {
          points.push_back({static_cast<double>(row.epoch), *row.value * column.factor});
        }
      }
      return points;
    });
  }
  return plots.empty() ? ""
                       : fmt::format(
                             "<details class=\"own\"><summary>Loss, rates and figures over "
                             "training, a line a run</summary>{}<div "
                             "class=\"plots\">{}</div></details>",
                             legend(lines, 900),
                             plots);
}

std::string environment_table(const PageView& view) {
  std::map<std::int64_t, const Environment*> environments;
  for (const auto& run : view.input->runs) {
    environments[run.run.environment] = &run.environment;
  }
  std::string out = "<h3>Environments</h3>";
  for (const auto& [id, environment] : environments) {
    out += fmt::format(
        "<div id=\"environment-{0}\" class=\"environment\"><h4>Environment {0}</h4><dl "
        "class=\"facts\">",
        id);
    add_fact(out, "host", environment->host);
    add_fact(out, "processor", environment->cpu);
    add_fact(out, "GPU", environment->gpu.empty() ? "none" : environment->gpu);
    add_fact(out, "compiler", environment->compiler);
    add_fact(out, "build", environment->build_type);
    add_fact(out, "code", environment->code_commit);
    std::vector<std::pair<std::string, std::string>> libraries;
    flatten(environment->libraries, "", libraries);
    std::vector<std::string> texts;
    for (const auto& [name, version] : libraries) {
      if (!name.empty()) {
        texts.push_back(name + " " + version);
      }
    }
    add_fact(out, "libraries", join(texts, ", "));
    out += "</dl></div>";
  }
  return out;
}

}  // namespace

std::string run_section(const PageView& view, std::size_t curve_bytes) {
  std::string out =
      "<section id=\"runs\"><h2>Runs</h2><p>Every run with what made it: options, "
      "weights, data, seeds, machine.</p>";
  for (const auto& place : places_of(view)) {
    for (const std::size_t group : place.groups) {
      const ReportGroup& shown = view.report.groups[group];
      const RunRow& first = view.groups[group].runs.front()->run;
      out += fmt::format("<article id=\"g{}\"{}><h3>{}, {}</h3><p>{}.</p>",
                         group,
                         filter_attributes(shown),
                         escape_markup(shown.label),
                         escape_markup(place_title(place)),
                         escape_markup(describe_group(shown)));
      if (const std::string plots = curve_plots(view, group); plots.size() <= curve_bytes) {
        curve_bytes -= plots.size();
        out += plots;
      } else {
        curve_bytes = 0;  // for the rest too: no chance choice of groups
        out += "<p>Curves left out: the page would grow too large.</p>";
      }
      std::vector<std::pair<std::string, std::string>> protocol;
      flatten(first.protocol_config, "", protocol);
      out += "<details class=\"options\"><summary>Options and protocol</summary>" +
             option_table(first) + "<dl class=\"facts\">";
      add_fact(out, "method version", std::to_string(first.method_version));
      for (const auto& [name, value] : protocol) {
        if (!name.empty()) {
          out += fmt::format(
              "<dt>protocol: {}</dt><dd>{}</dd>", escape_markup(name), escape_markup(value));
        }
      }
      out += "</dl></details>";
      std::set<std::string> described;  // the test images are the same for every seed
      for (const ReportRun* run : view.groups[group].runs) {
        out += run_block(view, *run, described.insert(run->run.data_manifest).second);
      }
      out += "</article>";
    }
  }
  return out + environment_table(view) + "</section>";
}

}  // namespace adb
