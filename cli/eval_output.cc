#include "cli/eval_output.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "core/csv.h"
#include "formats/quote.h"
#include "metrics/keys.h"

namespace adb {
namespace {

std::string percent(double value, int decimals) {
  return fmt::format("{:.{}f}", 100 * value, decimals);
}

Json value_json(const MetricValue& value) {
  return {{"value", value.value ? Json(*value.value) : Json(nullptr)},
          {"reason", value.value ? Json(nullptr) : Json(value.reason)}};
}

// Columns two blanks apart, the first to the left, the others to the right.
std::string layout(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? fmt::format("{:<{}}", row[i], widths[i])
                     : fmt::format("  {:>{}}", row[i], widths[i]);
    }
    text += '\n';
  }
  return text;
}

// Names the reasons of undefined figures once each: "n/a (2)".
class Footnotes {
 public:
  std::string cell(const MetricValue& value) {
    if (value.value) {
      return percent(*value.value, 1);
    }
    auto found = std::find(reasons_.begin(), reasons_.end(), value.reason);
    if (found == reasons_.end()) {
      found = reasons_.insert(found, value.reason);
    }
    return fmt::format("n/a ({})", found - reasons_.begin() + 1);
  }

  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
      text += fmt::format("({}) {}\n", i + 1, reasons_[i]);
    }
    return text;
  }

 private:
  std::vector<std::string> reasons_;
};

std::string mean_cell(const Average::Mean& mean, Footnotes& footnotes) {
  const bool partly = mean.value.value && mean.defined < mean.categories;
  return footnotes.cell(mean.value) +
         (partly ? fmt::format(" ({} of {})", mean.defined, mean.categories) : std::string());
}

std::string extra_table(const EvalAnswer& answer, Footnotes& footnotes) {
  const auto means = average_extra(answer.results(), answer.skip_undefined);
  if (means.empty()) {
    return {};
  }
  std::vector<std::vector<std::string>> rows(1, {"category"});
  for (const auto& [key, mean] : means) {
    rows.front().push_back(key);
  }
  for (const auto& category : answer.categories) {
    rows.push_back({shown(category.category)});
    for (const ExtraFigure& figure : category.result.extra) {
      rows.back().push_back(footnotes.cell(figure.value));
    }
  }
  rows.push_back({"mean"});
  for (const auto& [key, mean] : means) {
    rows.back().push_back(mean_cell(mean, footnotes));
  }
  return fmt::format("\n{}", layout(rows));
}

std::string defect_table(const EvalAnswer& answer, Footnotes& footnotes) {
  std::vector<std::vector<std::string>> rows(1, {"defect", "images"});
  for (const MetricInfo& info : kMetrics) {
    rows.front().emplace_back(info.title);
  }
  for (const auto& category : answer.categories) {
    for (const auto& defect : category.defects) {
      rows.push_back({shown(category.category + "/" + defect.defect),
                      std::to_string(defect.result.anomalous_images)});
      for (const MetricValue& value : defect.result.values) {
        rows.back().push_back(footnotes.cell(value));
      }
    }
  }
  if (rows.size() == 1) {
    return {};
  }
  return fmt::format("\n{}each kind of defect against all normal images of its category\n",
                     layout(rows));
}

std::string interval_table(const EvalAnswer& answer) {
  std::vector<std::vector<std::string>> rows(1, {"category"});
  const auto& bootstrap = answer.options.bootstrap;
  for (const auto& category : answer.categories) {
    for (const ConfidenceInterval& interval : category.intervals) {
      if (std::find(rows.front().begin(), rows.front().end(), interval.key) == rows.front().end()) {
        rows.front().push_back(interval.key);
      }
    }
  }
  if (rows.front().size() == 1) {
    return {};
  }
  for (const auto& category : answer.categories) {
    rows.push_back({shown(category.category)});
    for (std::size_t i = 1; i < rows.front().size(); ++i) {
      std::string cell = "n/a";
      for (const ConfidenceInterval& interval : category.intervals) {
        if (interval.key == rows.front()[i]) {
          cell = percent(interval.lower, 1) + ".." + percent(interval.upper, 1);
        }
      }
      rows.back().push_back(cell);
    }
  }
  return fmt::format("\n{}{} % intervals of {} resamples of the images, seed {}\n",
                     layout(rows),
                     100 * bootstrap->level,
                     bootstrap->resamples,
                     bootstrap->seed);
}

Json extra_json(const CategoryResult& result) {
  Json extra = Json::object();
  for (const ExtraFigure& figure : result.extra) {
    extra[figure.key] = value_json(figure.value);
  }
  return extra;
}

Json metrics_json(const CategoryResult& result) {
  Json metrics = Json::object();
  for (const MetricInfo& info : kMetrics) {
    metrics[std::string(info.key)] = value_json(result.value(info.metric));
  }
  return metrics;
}

Json mean_json(const Average::Mean& mean) {
  Json entry = value_json(mean.value);
  entry["defined"] = mean.defined;
  entry["categories"] = mean.categories;
  return entry;
}

Json intervals_json(const CategoryEvaluation& category) {
  Json intervals = Json::object();
  for (const ConfidenceInterval& interval : category.intervals) {
    intervals[interval.key] = {
        {"lower", interval.lower}, {"upper", interval.upper}, {"resamples", interval.resamples}};
  }
  return intervals;
}

}  // namespace

std::vector<CategoryResult> EvalAnswer::results() const {
  std::vector<CategoryResult> results;
  for (const auto& category : categories) {
    results.push_back(category.result);
  }
  return results;
}

Average EvalAnswer::mean() const {
  return average(results(), skip_undefined);
}

std::vector<std::pair<std::string, std::int64_t>> counts_of(const CategoryEvaluation& category) {
  const auto& result = category.result;
  return {{"images", static_cast<std::int64_t>(result.num_images)},
          {"anomalous", static_cast<std::int64_t>(result.anomalous_images)},
          {"components", static_cast<std::int64_t>(result.components)},
          {"components_vanished", category.components_vanished},
          {"labels_changed", category.labels_changed}};
}

std::string shown(const std::string& name) {
  const auto quoted = quote(name);
  return quoted.substr(1, quoted.size() - 2);
}

std::string eval_table(const EvalAnswer& answer) {
  Footnotes footnotes;
  std::vector<std::vector<std::string>> rows(1, {"category", "images"});
  for (const MetricInfo& info : kMetrics) {
    rows.front().emplace_back(info.title);
  }
  std::size_t images = 0;
  for (const auto& category : answer.categories) {
    rows.push_back({shown(category.category), std::to_string(category.result.num_images)});
    images += category.result.num_images;
    for (const MetricValue& value : category.result.values) {
      rows.back().push_back(footnotes.cell(value));
    }
  }
  rows.push_back({"mean", std::to_string(images)});
  for (const Average::Mean& mean : answer.mean().means) {
    rows.back().push_back(mean_cell(mean, footnotes));
  }
  std::string text = layout(rows) + extra_table(answer, footnotes) +
                     defect_table(answer, footnotes) + interval_table(answer);
  const auto& options = answer.options;
  const auto size = options.size.text();
  text +=
      fmt::format("percent; metric mode {} (version {}), AU-PRO to FPR {}, at {}, image score {}\n",
                  metric_mode_name(options.metrics.mode),
                  kMetricVersion,
                  options.metrics.fpr_limit,
                  options.size.side == 0 ? "the masks' size" : size + " x " + size + " pixels",
                  options.image_score.text());
  std::int64_t vanished = 0, changed = 0, components = 0;
  for (const auto& category : answer.categories) {
    vanished += category.components_vanished;
    changed += category.labels_changed;
    components += static_cast<std::int64_t>(category.result.components);
  }
  if (vanished > 0) {
    text += fmt::format("{} anomalous regions of the masks vanish at this size; {} are measured\n",
                        vanished,
                        components);
  }
  if (changed > 0) {
    text += fmt::format(
        "{} images have a label that their mask at this size does not show{}\n",
        changed,
        options.metrics.mode == MetricMode::kAder ? "; this metric mode takes the mask's" : "");
  }
  return text + footnotes.text();
}

std::string eval_csv(const EvalAnswer& answer) {
  std::string text = "category,images";
  for (const MetricInfo& info : kMetrics) {
    text += fmt::format(",{}", info.key);
  }
  const auto extra_means = average_extra(answer.results(), answer.skip_undefined);
  for (const auto& [key, mean] : extra_means) {
    text += fmt::format(",{}", key);
  }
  text += ",metric_mode,metric_version,fpr_limit,eval_size,image_score\n";
  const auto line = [&](const std::string& category, std::size_t images, const auto& value_at) {
    text += fmt::format("{},{}", csv_field(category), images);
    for (std::size_t i = 0; i < kNumMetrics + extra_means.size(); ++i) {
      const MetricValue& value = value_at(i);
      text += fmt::format(",{}", value.value ? percent(*value.value, 6) : "n/a");
    }
    text += fmt::format(",{},{},{},{},{}\n",
                        metric_mode_name(answer.options.metrics.mode),
                        kMetricVersion,
                        answer.options.metrics.fpr_limit,
                        answer.options.size.text(),
                        answer.options.image_score.text());
  };
  std::size_t images = 0;
  for (const auto& category : answer.categories) {
    images += category.result.num_images;
    line(category.category, category.result.num_images, [&](std::size_t i) -> const MetricValue& {
      const auto& result = category.result;
      return i < kNumMetrics ? result.values[i] : result.extra[i - kNumMetrics].value;
    });
  }
  const Average mean = answer.mean();
  line("", images, [&](std::size_t i) -> const MetricValue& {
    return i < kNumMetrics ? mean.means[i].value : extra_means[i - kNumMetrics].second.value;
  });
  return text;
}

Json eval_json(const EvalAnswer& answer) {
  const auto& options = answer.options;
  const auto extra_means = average_extra(answer.results(), answer.skip_undefined);
  Json categories = Json::array();
  for (const auto& category : answer.categories) {
    Json counts = Json::object();
    for (const auto& [name, value] : counts_of(category)) {
      counts[name] = value;
    }
    Json entry = {{"category", category.category},
                  {"images", category.result.num_images},
                  {"metrics", metrics_json(category.result)},
                  {"counts", counts}};
    if (!extra_means.empty()) {
      entry["extra"] = extra_json(category.result);
    }
    if (options.by_defect) {
      entry["defects"] = Json::array();
      for (const auto& defect : category.defects) {
        entry["defects"].push_back({{"defect", defect.defect},
                                    {"images", defect.result.anomalous_images},
                                    {"metrics", metrics_json(defect.result)},
                                    {"extra", extra_json(defect.result)}});
      }
    }
    if (options.bootstrap) {
      entry["intervals"] = intervals_json(category);
    }
    categories.push_back(std::move(entry));
  }
  Json means = Json::object();
  const Average average = answer.mean();
  for (const MetricInfo& info : kMetrics) {
    means[std::string(info.key)] = mean_json(average.means[static_cast<std::size_t>(info.metric)]);
  }
  Json json = {{"metric_mode", std::string(metric_mode_name(options.metrics.mode))},
               {"metric_version", kMetricVersion},
               {"fpr_limit", options.metrics.fpr_limit},
               {"eval_size", options.size.text()},
               {"image_score", options.image_score.text()},
               {"categories", categories},
               {"mean", means}};
  for (const auto& [key, mean] : extra_means) {
    json["mean_extra"][key] = mean_json(mean);
  }
  if (options.bootstrap) {
    json["bootstrap"] = {{"resamples", options.bootstrap->resamples},
                         {"seed", options.bootstrap->seed},
                         {"level", options.bootstrap->level}};
  }
  return json;
}

}  // namespace adb
