#include "reports/groups.h"

#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/text.h"

namespace adb {
namespace {

// Everything that runs of one group have in common; runs of single classes differ in class and
// manifest.
std::string group_key(const RunRow& run) {
  Json key = {run.method,
              run.method_version,
              run.dataset,
              run.setting,
              run.protocol,
              run.protocol_version,
              run.protocol_config,
              run.epoch_rule,
              run.options,
              run.weights.name,
              run.weights.resolved,
              run.textures,
              run.external};
  for (const auto& option : run.changed_options) {
    key.push_back({option.path, option.value});
  }
  if (run.setting == "multi") {
    key.push_back(run.classes);
    key.push_back(run.data_manifest);
  }
  return canonical_json(key);
}

auto rank_of(const MetricSetting& setting) {
  return std::tuple(setting.mode != "exact",
                    setting.mode,
                    setting.fpr_limit != 0.3,
                    setting.fpr_limit,
                    setting.eval_size != "256",
                    setting.eval_size,
                    -setting.version);
}

MetricSetting best_setting(const std::vector<const ReportRun*>& runs, const std::string& mode) {
  std::optional<MetricSetting> best;
  for (const ReportRun* run : runs) {
    for (const auto& row : run->metrics) {
      if ((mode.empty() || row.setting.mode == mode) &&
          (!best.has_value() || rank_of(row.setting) < rank_of(*best))) {
        best = row.setting;
      }
    }
  }
  return best.value_or(MetricSetting{.mode = mode.empty() ? "exact" : mode});
}

std::vector<Replicate> replicates_of(const std::vector<const ReportRun*>& runs) {
  std::vector<Replicate> replicates;
  for (const ReportRun* run : runs) {
    const auto same_seed =
        std::find_if(replicates.begin(), replicates.end(), [&](const Replicate& replicate) {
          return replicate.seed == run->run.seed;
        });
    if (run->run.setting == "single" && same_seed != replicates.end()) {
      same_seed->runs.push_back(run);
    } else {
      replicates.push_back({.seed = run->run.seed, .runs = {run}});
    }
  }
  std::stable_sort(replicates.begin(),
                   replicates.end(),
                   [](const Replicate& a, const Replicate& b) { return a.seed < b.seed; });
  return replicates;
}

void describe_replicate(const Replicate& replicate, const Group& group, ReportGroup& out) {
  std::set<std::string> present;
  bool any_finished = false;
  for (const ReportRun* run : replicate.runs) {
    const RunRow& row = run->run;
    present.insert(row.classes.begin(), row.classes.end());
    if (!finished(*run)) {
      const std::string where =
          row.setting == "single"
              ? fmt::format("seed {}, class {}", row.seed, join(row.classes, ", "))
              : fmt::format("seed {}", row.seed);
      out.problems.push_back(
          row.reason.empty() ? fmt::format("{}: {}", where, to_text(row.status))
                             : fmt::format("{}: {}: {}", where, to_text(row.status), row.reason));
      continue;
    }
    any_finished = true;
    out.reported_epochs.push_back(row.reported_epoch.value_or(0));
    out.last_epochs.push_back(row.last_epoch.value_or(row.reported_epoch.value_or(0)));
    const bool measured =
        std::any_of(run->metrics.begin(), run->metrics.end(), [&](const MetricRow& metric) {
          return metric.setting == group.setting;
        });
    if (!measured) {
      out.problems.push_back(fmt::format("seed {}: no figures of this kind", row.seed));
    }
    add_once(
        out.devices,
        fmt::format("{}, {} threads, {}",
                    row.device,
                    row.threads,
                    run->environment.gpu.empty() || row.device == "cpu" ? run->environment.cpu
                                                                        : run->environment.gpu));
  }
  for (const auto& category : group.classes) {
    if (!present.contains(category)) {
      out.problems.push_back(fmt::format("seed {}, class {}: not run", replicate.seed, category));
    }
  }
  if (any_finished) {
    out.seeds.push_back(replicate.seed);
  }
}

// The classes that a suite's tables have figures of, in their order.
std::vector<std::string> published_classes(const ReportOptions& options, const NamedRow& row) {
  std::vector<std::string> classes;
  for (const auto& published : options.published) {
    if (published.dataset == row.dataset && published.method == row.method &&
        !published.category.empty() &&
        std::find(options.published_tables.begin(),
                  options.published_tables.end(),
                  published.table_id) != options.published_tables.end()) {
      add_once(classes, published.category);
    }
  }
  return classes;
}

std::string epoch_rule_text(const ReportGroup& group) {
  return group.epoch_rule == "best_pixel_auroc"
             ? "reported epoch: highest mean pixel AUROC over the tests (selected on the test set; "
               "the last epoch "
               "stands beside it)"
             : "reported epoch: the last";
}

std::string option_text(const ChangedOption& option) {
  return fmt::format(
      "{}={}",
      option.path,
      option.value.is_string() ? option.value.get<std::string>() : canonical_json(option.value));
}

}  // namespace

double mean_of(const Values& values) {
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  return sum / static_cast<double>(values.size());
}

std::optional<double> deviation_of(const Values& values) {
  if (values.size() < 2) {
    return std::nullopt;
  }
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) {
    sum += (value - mean) * (value - mean);
  }
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

Figure value_figure(double value) {
  Figure figure;
  figure.state = Figure::State::kValue;
  figure.value = value;
  return figure;
}

Figure undefined_figure(const std::string& reason) {
  Figure figure;
  figure.state = Figure::State::kUndefined;
  figure.reason = reason;
  return figure;
}

Figure mean_figure(const Values& values) {
  if (values.empty()) {
    return {};
  }
  Figure figure = value_figure(mean_of(values));
  figure.sd = deviation_of(values);
  return figure;
}

std::vector<Group> groups_of(const std::vector<ReportRun>& runs, const ReportOptions& options) {
  std::map<std::pair<std::string, bool>, std::vector<std::string>>
      single_classes;  // of each data set
  std::map<std::string, std::vector<const ReportRun*>> by_cell;
  for (const auto& run : runs) {
    by_cell[run.run.key].push_back(&run);
    for (const auto& category : run.run.classes) {
      add_once(single_classes[{run.run.dataset, run.run.setting == "single"}], category);
    }
  }
  using Place = std::tuple<std::string,
                           std::string,
                           std::size_t,
                           std::ptrdiff_t,
                           std::string,
                           std::string,
                           std::string>;
  std::vector<std::pair<Place, Group>> placed;
  // Runs of one row that differ in more than their seed stand in rows of their own.
  const auto add = [&](std::vector<const ReportRun*> members, const NamedRow* row) {
    std::sort(members.begin(), members.end(), [](const ReportRun* a, const ReportRun* b) {
      return std::pair(a->run.id, a) < std::pair(b->run.id, b);
    });
    std::map<std::string, Group> by_key;
    for (const ReportRun* run : members) {
      by_key[group_key(run->run)].runs.push_back(run);
    }
    const auto row_index =
        row == nullptr ? options.rows.size() : static_cast<std::size_t>(row - options.rows.data());
    for (auto& [key, group] : by_key) {
      const RunRow& first = group.runs.front()->run;
      group.row = row;
      group.classes =
          first.setting == "single" ? single_classes[{first.dataset, true}] : first.classes;
      group.replicates = replicates_of(group.runs);
      group.setting = options.setting.has_value() ? *options.setting
                                                  : best_setting(group.runs, options.metric_mode);
      placed.emplace_back(
          Place(first.dataset,
                first.setting,
                row_index,
                std::find(options.methods.begin(), options.methods.end(), first.method) -
                    options.methods.begin(),
                first.method,
                first.protocol,
                key),
          std::move(group));
    }
    if (by_key.empty() && row != nullptr && !options.suite.empty()) {
      Group none;
      none.row = row;
      none.classes = published_classes(options, *row);
      placed.emplace_back(Place(row->dataset, row->setting, row_index, 0, row->method, "", ""),
                          std::move(none));
    }
  };
  std::set<std::string> named;
  for (const auto& row : options.rows) {
    std::vector<const ReportRun*> members;
    for (const auto& key : row.keys) {
      const auto found = by_cell.find(key);
      if (found != by_cell.end()) {
        members.insert(members.end(), found->second.begin(), found->second.end());
        named.insert(key);
      }
    }
    add(std::move(members), &row);
  }
  if (options.suite.empty()) {
    std::vector<const ReportRun*> others;
    for (const auto& [key, members] : by_cell) {
      if (!named.contains(key)) {
        others.insert(others.end(), members.begin(), members.end());
      }
    }
    add(std::move(others), nullptr);
  }
  std::stable_sort(
      placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Group> groups;
  for (auto& [place, group] : placed) {
    groups.push_back(std::move(group));
  }
  return groups;
}

ReportGroup describe(const Group& group) {
  ReportGroup out;
  if (group.row != nullptr) {
    out.label = group.row->label;
    out.published_variant = group.row->published_variant;
    out.note = group.row->note;
    out.departures = group.row->departures;
    out.method = group.row->method;
    out.dataset = group.row->dataset;
    out.setting = group.row->setting;
  }
  if (group.runs.empty()) {
    out.not_run = true;
    out.classes = group.classes;
    out.problems.emplace_back("no run");
    return out;
  }
  const RunRow& first = group.runs.front()->run;
  if (group.row == nullptr) {
    out.label = first.method_title.empty() ? first.method : first.method_title;
  } else if (group.row->wants_pretrained && first.weights.random()) {
    out.departures.emplace_back("random weights instead of pretrained ones");
  }
  out.method = first.method;
  out.method_version = first.method_version;
  out.dataset = first.dataset;
  out.setting = first.setting;
  out.classes = group.classes;
  out.protocol = first.protocol;
  out.protocol_version = first.protocol_version;
  out.epoch_rule = first.epoch_rule;
  out.metrics = group.setting;
  out.weights = first.weights;
  out.textures = first.textures;
  out.changed_options = first.changed_options;
  out.external = first.external;
  out.epochs = first.epochs;
  for (const auto& replicate : group.replicates) {
    describe_replicate(replicate, group, out);
  }
  // The test images are the same for every seed: counted in the first replicate that finished.
  for (const auto& replicate : group.replicates) {
    for (const ReportRun* run : replicate.runs) {
      add_once(out.data_manifests, run->run.data_manifest);
      for (const auto& count : run->counts) {
        if (replicate.seed != (out.seeds.empty() ? 0 : out.seeds.front()) ||
            count.eval_size != group.setting.eval_size) {
          continue;
        }
        out.images += count.name == "images" ? count.value : 0;
        out.labels_changed += count.name == "labels_changed" ? count.value : 0;
        out.components_vanished += count.name == "components_vanished" ? count.value : 0;
      }
    }
  }
  return out;
}

std::string condition_of(const ReportGroup& group) {
  return fmt::format(
      "protocol {} (version {}); {}; metrics {} (version {}), FPR limit {}, evaluated at {}{}",
      group.protocol,
      group.protocol_version,
      epoch_rule_text(group),
      group.metrics.mode,
      group.metrics.version,
      group.metrics.fpr_limit,
      group.metrics.eval_size == "native" ? "native size" : group.metrics.eval_size + " px",
      group.weights.random()            ? "; pretrained parts initialised at random"
      : !group.weights.resolved.empty() ? "; pretrained parts as published"
                                        : "");
}

// Gives rows that would read alike what tells them apart.
void make_labels_unique(std::vector<ReportGroup>& groups) {
  const auto place = [](const ReportGroup& group) {
    return std::tie(group.dataset, group.setting, group.label);
  };
  const auto is_alone = [&](const ReportGroup& group) {
    return std::count_if(groups.begin(), groups.end(), [&](const ReportGroup& other) {
             return place(other) == place(group);
           }) == 1;
  };
  const auto options = [](const ReportGroup& group) {
    std::vector<std::string> texts;
    for (const auto& option : group.changed_options) {
      texts.push_back(option_text(option));
    }
    return join(texts, ", ");
  };
  const std::array<std::string (*)(const ReportGroup&), 4> details = {
      +options,
      [](const ReportGroup& group) { return group.protocol; },
      [](const ReportGroup& group) {
        return group.weights.random() ? std::string("random") : group.weights.name;
      },
      [](const ReportGroup& group) { return fmt::format("version {}", group.method_version); },
  };
  for (const auto detail : details) {
    std::vector<std::size_t> alike;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (!is_alone(groups[i])) {
        alike.push_back(i);
      }
    }
    // What is the same in all of them tells nothing apart.
    std::map<std::string, std::set<std::string>> texts;
    for (const std::size_t i : alike) {
      texts[groups[i].dataset + '\n' + groups[i].setting + '\n' + groups[i].label].insert(
          detail(groups[i]));
    }
    std::vector<std::pair<std::size_t, std::string>> additions;
    for (const std::size_t i : alike) {
      const std::string text = detail(groups[i]);
      if (!text.empty() &&
          texts[groups[i].dataset + '\n' + groups[i].setting + '\n' + groups[i].label].size() > 1) {
        additions.emplace_back(i, text);
      }
    }
    for (const auto& [i, text] : additions) {
      groups[i].label.append(" (").append(text).append(")");
    }
  }
  std::map<std::string, int> seen;
  for (auto& group : groups) {
    const int number = ++seen[fmt::format("{}\n{}\n{}", group.dataset, group.setting, group.label)];
    if (number > 1) {
      group.label.append(" #").append(std::to_string(number));
    }
  }
}

}  // namespace adb
