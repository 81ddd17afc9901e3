#include "tracking/history.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "metrics/keys.h"
#include "tracking/cells.h"
#include "tracking/rules.h"

namespace adb {
namespace {

// All runs of a cell that belong to one commit; the newest of each (seed, classes).
struct CommitRuns {
  std::string commit{};
  std::int64_t first_run = 0;
  std::map<std::pair<std::int64_t, std::vector<std::string>>, TrackedRun> newest{};
  std::vector<TrackedRun> all{};
};

using Members = std::set<std::pair<std::int64_t, std::vector<std::string>>>;

Members members_of(const CommitRuns& commit) {
  Members members;
  for (const auto& [member, run] : commit.newest) {
    members.insert(member);
  }
  return members;
}

std::string commit_of(const Environment& environment) {
  return environment.code_commit.empty() ? "unknown" : environment.code_commit;
}

// Reads the runs of every cell, by commit, in the order asked for.
std::map<CellName, std::vector<CommitRuns>> read_cells(const Store& store,
                                                       RunFilter filter,
                                                       const std::vector<std::string>& order) {
  filter.statuses = {RunStatus::kFinished};
  std::map<CellName, std::map<std::string, CommitRuns>> cells;
  for (const auto& row : store.find_runs(filter)) {
    auto run = read_tracked_run(store, row);
    run.scores.clear();
    const auto commit = commit_of(run.environment);
    // "abc+dirty" takes the place of abc.
    const auto known = [&](const std::string& one) { return commit.starts_with(one); };
    if (!order.empty() && std::none_of(order.begin(), order.end(), known)) {
      continue;
    }
    auto& runs =
        cells[{row.method, row.method_title, row.dataset, row.setting, row.protocol, ""}][commit];
    if (runs.all.empty()) {
      runs.commit = commit;
      runs.first_run = to_int(row.id);
    }
    runs.newest[{row.seed, row.classes}] = run;
    runs.all.push_back(std::move(run));
  }
  std::map<CellName, std::vector<CommitRuns>> sorted;
  for (auto& [name, commits] : cells) {
    auto& list = sorted[name];
    for (auto& [commit, runs] : commits) {
      list.push_back(std::move(runs));
    }
    const auto place = [&](const CommitRuns& runs) {
      const auto found = std::find_if(order.begin(), order.end(), [&](const std::string& one) {
        return runs.commit.starts_with(one);
      });
      return std::pair(found - order.begin(), runs.first_run);
    };
    std::sort(list.begin(), list.end(), [&](const auto& a, const auto& b) {
      return place(a) < place(b);
    });
  }
  return sorted;
}

// Drops the commits whose runs do not compare with the newest one's.
void keep_comparable(const CellName& name,
                     std::vector<CommitRuns>* commits,
                     std::vector<std::string>* notes) {
  std::map<Members, std::size_t> counts;
  for (const auto& commit : *commits) {
    ++counts[members_of(commit)];
  }
  // The usual members; of equally usual ones those of the newest commit.
  Members usual;
  for (auto commit = commits->rbegin(); commit != commits->rend(); ++commit) {
    const auto members = members_of(*commit);
    if (usual.empty() || counts[members] > counts[usual]) {
      usual = members;
    }
  }
  const auto newest = std::find_if(commits->rbegin(), commits->rend(), [&](const auto& commit) {
    return members_of(commit) == usual;
  });
  const auto reference = *newest;
  std::erase_if(*commits, [&](const CommitRuns& commit) {
    std::string why;
    if (members_of(commit) != usual) {
      why = "other seeds or classes than most commits";
    } else {
      for (const auto& [member, run] : commit.newest) {
        if (why.empty()) {
          why = protocol_difference(run.row, reference.newest.at(member).row);
        }
      }
    }
    if (!why.empty()) {
      notes->push_back(
          fmt::format("{}: commit {:.12} left out: {}", describe(name), commit.commit, why));
    }
    return !why.empty();
  });
}

// The newest setting of a metric in the newest commit, or nothing when it has no value there.
std::optional<MetricSetting> setting_of(const CommitRuns& newest, const std::string& key) {
  std::optional<MetricSetting> setting;
  for (const auto& [member, run] : newest.newest) {
    for (const auto& row : run.metrics) {
      if (row.key == key && row.value) {
        setting = row.setting;
      }
    }
  }
  return setting;
}

// Mean over seeds and classes, or nothing when a figure is missing or undefined.
std::optional<double> quality_of(const CommitRuns& commit,
                                 const std::string& key,
                                 const std::string& category,
                                 const MetricSetting& setting) {
  double sum = 0;
  std::size_t n = 0;
  for (const auto& [member, run] : commit.newest) {
    for (const auto& name : member.second) {
      if (!category.empty() && name != category) {
        continue;
      }
      const auto row =
          std::find_if(run.metrics.begin(), run.metrics.end(), [&](const MetricRow& one) {
            return one.key == key && one.category == name && one.setting == setting;
          });
      if (row == run.metrics.end() || !row->value) {
        return std::nullopt;
      }
      sum += *row->value;
      ++n;
    }
  }
  return n == 0 ? std::nullopt : std::optional(sum / static_cast<double>(n));
}

std::string machine_of(const TrackedRun& run) {
  return fmt::format("{}: {}{}{} ({}, {} threads)",
                     run.environment.host,
                     run.environment.cpu,
                     run.environment.gpu.empty() ? "" : ", ",
                     run.environment.gpu,
                     run.row.device,
                     run.row.threads);
}

HistoryPoint point_of(const CommitRuns& commit, double value, std::size_t runs) {
  return {commit.commit, commit.all.back().row.finished_at, value, runs};
}

void find_moves(const TrackOptions& options, History* history) {
  std::vector<double> values;
  for (const auto& point : history->points) {
    values.push_back(point.value);
  }
  history->moves = find_change_points(
      values,
      options.alpha,
      Stream(0,
             fmt::format(
                 "track {} {} {}", describe(history->cell), history->category, history->metric)));
  std::erase_if(history->moves, [&](const ChangePoint& move) {
    if (history->kind == FigureKind::kQuality) {
      return std::abs(move.after - move.before) <= options.min_effect;
    }
    const double low = std::min(move.before, move.after);
    return low > 0 && std::max(move.before, move.after) / low <= options.min_ratio;
  });
}

bool wanted(const TrackOptions& options, const std::string& metric) {
  return options.metrics.empty() ||
         std::find(options.metrics.begin(), options.metrics.end(), metric) != options.metrics.end();
}

void add_quality(const CellName& name,
                 const std::vector<CommitRuns>& commits,
                 const TrackOptions& options,
                 TrackReport* report) {
  for (const auto& info : kMetrics) {
    const std::string key(info.key);
    const auto setting = setting_of(commits.back(), key);
    if (!wanted(options, key) || !setting) {
      continue;
    }
    History history{.cell = name, .category = options.category, .metric = key};
    std::size_t left_out = 0;
    for (const auto& commit : commits) {
      if (const auto value = quality_of(commit, key, options.category, *setting)) {
        history.points.push_back(point_of(commit, *value, commit.newest.size()));
      } else {
        ++left_out;
      }
    }
    if (left_out > 0 && !history.points.empty()) {
      report->notes.push_back(
          fmt::format("{}: {}: {} commits without this figure in the newest commit's setting",
                      describe(name),
                      key,
                      left_out));
    }
    if (!history.points.empty()) {
      find_moves(options, &history);
      report->histories.push_back(std::move(history));
    }
  }
}

void add_costs(const CellName& name,
               const std::vector<CommitRuns>& commits,
               const TrackOptions& options,
               TrackReport* report) {
  const auto& newest = commits.back().all.back();
  std::set<std::string> elsewhere;
  for (const auto& row : newest.efficiency) {
    const auto kind = figure_kind(row.key);
    if (!kind || *kind == FigureKind::kQuality || !wanted(options, row.key) || !row.value) {
      continue;
    }
    History history{.cell = name, .metric = row.key, .kind = *kind, .unit = row.unit};
    for (const auto& commit : commits) {
      std::vector<double> samples;
      for (const auto& run : commit.all) {
        if (machine_of(run) != machine_of(newest)) {
          elsewhere.insert(commit.commit);
          continue;
        }
        for (const auto& one : run.efficiency) {
          if (one.key == row.key && one.unit == row.unit && one.note == row.note && one.value) {
            samples.push_back(*one.value);
          }
        }
      }
      if (!samples.empty()) {
        history.points.push_back(point_of(commit, median(samples), samples.size()));
      }
    }
    find_moves(options, &history);
    report->histories.push_back(std::move(history));
  }
  if (!elsewhere.empty()) {
    report->notes.push_back(
        fmt::format("{}: runs of {} commits on other machines than {} are left out of the costs",
                    describe(name),
                    elsewhere.size(),
                    machine_of(newest)));
  }
}

}  // namespace

TrackReport track(const Store& store, const RunFilter& filter, const TrackOptions& options) {
  TrackReport report;
  for (auto& [name, commits] : read_cells(store, filter, options.commits)) {
    keep_comparable(name, &commits, &report.notes);
    add_quality(name, commits, options, &report);
    if (options.category.empty()) {
      add_costs(name, commits, options, &report);
    }
  }
  return report;
}

bool moved(const History& history) {
  return !history.moves.empty();
}

}  // namespace adb
