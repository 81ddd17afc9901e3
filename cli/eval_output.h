// What `adbench eval` answers: as a table, CSV or JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/eval_category.h"
#include "core/json.h"

namespace adb {

struct EvalAnswer {
  EvalSet set;
  EvalOptions options;
  bool skip_undefined = false;
  std::vector<CategoryEvaluation> categories;

  std::vector<CategoryResult> results() const;
  Average mean() const;  // as asked: with or without the undefined ones
};

// Facts about a category's test images, by the names that the store has for them.
std::vector<std::pair<std::string, std::int64_t>> counts_of(const CategoryEvaluation& category);

// A name from outside for a terminal: without control characters.
std::string shown(const std::string& name);

// Percent with one decimal, what the figures depend on, and a line for each reason of an n/a.
std::string eval_table(const EvalAnswer& answer);

// One line for each category and one, with an empty category, for the mean: percent with six
// decimals, n/a where undefined, every condition in a column of its own.
std::string eval_csv(const EvalAnswer& answer);

// {metric_mode, metric_version, fpr_limit, eval_size, image_score, categories: [{category, images,
// metrics: {KEY: {value, reason}}, counts}], mean: {KEY: {value, reason, defined, categories}}},
// fractions in [0, 1]; eval_size and image_score as the flags' text. Where asked for, categories
// also have extra: {KEY: {value, reason}}, defects: [{defect, images, metrics, extra}] and
// intervals: {KEY: {lower, upper, resamples}}, and the answer mean_extra and bootstrap.
Json eval_json(const EvalAnswer& answer);

}  // namespace adb
