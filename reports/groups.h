// How runs are put together into the rows of a report; internal to reports/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "reports/table.h"

namespace adb {

// Runs that give one set of figures: one run, or in the single-class setting one a class.
struct Replicate {
  std::int64_t seed = 0;
  std::vector<const ReportRun*> runs{};
};

struct Group {
  const NamedRow* row = nullptr;         // of a suite
  std::vector<const ReportRun*> runs{};  // by id; empty for a suite's row that did not run
  std::vector<Replicate> replicates{};   // by seed
  std::vector<std::string> classes{};    // those that should be there
  MetricSetting setting{};
};

inline bool finished(const ReportRun& run) {
  return run.run.status == RunStatus::kFinished;
}

// `runs` by id; the groups point to them. Groups come in the order of the report's rows.
std::vector<Group> groups_of(const std::vector<ReportRun>& runs, const ReportOptions& options);

// Everything that a report says of a group but its condition.
ReportGroup describe(const Group& group);

// The text of what figures must have in common to be comparable.
std::string condition_of(const ReportGroup& group);

// Gives rows that would read alike what tells them apart.
void make_labels_unique(std::vector<ReportGroup>& groups);

using Values = std::vector<double>;

double mean_of(const Values& values);
std::optional<double> deviation_of(
    const Values& values);  // of the sample; nothing below two values

Figure value_figure(double value);
Figure undefined_figure(const std::string& reason);
Figure mean_figure(const Values& values);  // with deviation; missing when there are none

// Published rows by data set, method, variant, class and metric.
using PublishedFigures =
    std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>,
             PublishedRow>;

// The published row beside the last of `rows` and the row of differences, when one of its columns
// was published.
void add_published(const PublishedFigures& published,
                   const ReportGroup& group,
                   const std::vector<ReportColumn>& columns,
                   std::vector<ReportRow>& rows);

// Keys of the efficiency table, in its order.
std::vector<std::string> efficiency_keys();

// Parameters, multiply-accumulates, times and memory: a column for each of `keys`, or when there
// are none for every key that any group has.
ReportTable efficiency_table(const std::vector<Group>& groups,
                             const std::vector<ReportGroup>& described,
                             const std::vector<std::string>& keys,
                             const PublishedFigures& published);

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) {
    list.push_back(value);
  }
}

}  // namespace adb
