// What `adbench eval` answers: as a table, CSV or JSON, and as rows of the store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/eval_category.h"
#include "core/json.h"

namespace adb {

struct EvalAnswer {
  EvalSet set;
  EvalOptions options;
  bool skip_undefined = false;
  std::vector<CategoryEvaluation> categories;

  Average mean() const;  // as asked: with or without the undefined ones
};

// Percent with one decimal, what the figures depend on, and a line for each reason of an n/a.
std::string eval_table(const EvalAnswer& answer);

// One line for each category and one, with an empty category, for the mean: percent with six
// decimals, n/a where undefined, every condition in a column of its own.
std::string eval_csv(const EvalAnswer& answer);

// {metric_mode, metric_version, fpr_limit, eval_size, image_score, categories: [{category, images,
// metrics: {KEY: {value, reason}}, counts}], mean: {KEY: {value, reason, defined, categories}}},
// fractions in [0, 1]; eval_size and image_score as the flags' text.
Json eval_json(const EvalAnswer& answer);

// Stores the answer as a run of an external method. Maps that are stored already (same method name,
// data, maps and image score) get the new figures beside the old ones. answer.set must have a
// manifest hash.
//   returns: one line that says what was stored.   throws: Error(kStore)
std::string store_eval(const EvalAnswer& answer,
                       const std::filesystem::path& store,
                       const std::string& method,
                       const std::string& dataset);

}  // namespace adb
