#include "cli/eval_output.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "core/hash.h"
#include "core/version.h"
#include "formats/quote.h"
#include "metrics/keys.h"
#include "results/store.h"

namespace adb {
namespace {

std::string percent(double value, int decimals) {
  return fmt::format("{:.{}f}", 100 * value, decimals);
}

std::vector<CategoryResult> results_of(const EvalAnswer& answer) {
  std::vector<CategoryResult> results;
  for (const auto& category : answer.categories) {
    results.push_back(category.result);
  }
  return results;
}

Json value_json(const MetricValue& value) {
  return {{"value", value.value ? Json(*value.value) : Json(nullptr)},
          {"reason", value.value ? Json(nullptr) : Json(value.reason)}};
}

std::vector<std::pair<std::string, std::int64_t>> counts_of(const CategoryEvaluation& category) {
  const auto& result = category.result;
  return {{"images", static_cast<std::int64_t>(result.num_images)},
          {"anomalous", static_cast<std::int64_t>(result.anomalous_images)},
          {"components", static_cast<std::int64_t>(result.components)},
          {"components_vanished", category.components_vanished},
          {"labels_changed", category.labels_changed}};
}

// Names come from outside: no control characters on a terminal.
std::string shown(const std::string& name) {
  const auto quoted = quote(name);
  return quoted.substr(1, quoted.size() - 2);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string field = "\"";
  for (const char c : text) {
    field += c == '"' ? "\"\"" : std::string(1, c);
  }
  return field + "\"";
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

std::string sha_of_maps(const EvalSet& set) {
  Sha256 hash;
  for (const EvalItem& item : set.items) {
    hash.add(item.id).add(std::string_view("\0", 1)).add(sha256_file(item.map, ErrorKind::kData));
    if (item.score) {
      hash.add(Json(*item.score).dump());
    }
    hash.add(std::string_view("\0", 1));
  }
  return hash.hex();
}

RunRow run_row(const EvalAnswer& answer, const std::string& method, const std::string& dataset) {
  RunRow row;
  row.method = method;
  row.method_title = method;
  row.dataset = dataset;
  row.classes = answer.set.categories;
  row.protocol = "external";
  row.protocol_version = 1;
  row.options = {{"image_score", answer.options.image_score.text()},
                 {"maps_sha256", sha_of_maps(answer.set)}};
  row.data_manifest = answer.set.manifest_hash;
  row.external = true;
  row.notes = "maps of another program, scored by `adbench eval`";
  row.key = sha256(canonical_json({{"external", true},
                                   {"method", method},
                                   {"dataset", dataset},
                                   {"data_manifest", row.data_manifest},
                                   {"classes", row.classes},
                                   {"options", row.options}}));
  return row;
}

Environment this_machine() {
  Environment machine;
  utsname system{};
  ::uname(&system);
  machine.host = system.nodename;
  machine.compiler = compiler();
  machine.code_commit = code_commit();
  machine.build_type = build_type();
  return machine;
}

EventBatch rows_of(const EvalAnswer& answer) {
  MetricSetting setting;
  setting.mode = std::string(metric_mode_name(answer.options.metrics.mode));
  setting.version = kMetricVersion;
  setting.fpr_limit = answer.options.metrics.fpr_limit;
  setting.eval_size = answer.options.size.text();
  EventBatch rows;
  const auto add = [&](const std::string& category, const MetricInfo& info, const MetricValue& v) {
    rows.metrics.push_back({0, category, std::string(info.key), v.value, v.reason, setting});
  };
  // Whether undefined figures are skipped is a matter of showing: a store holds the strict mean.
  const Average mean = average(results_of(answer), /*skip_undefined=*/false);
  for (const MetricInfo& info : kMetrics) {
    add("", info, mean.means[static_cast<std::size_t>(info.metric)].value);
  }
  for (const auto& category : answer.categories) {
    for (const MetricInfo& info : kMetrics) {
      add(category.category, info, category.result.value(info.metric));
    }
    for (const auto& [name, value] : counts_of(category)) {
      rows.counts.push_back({category.category, name, setting.eval_size, value});
    }
    for (std::size_t i = 0; i < category.items.size(); ++i) {
      const EvalItem& item = *category.items[i];
      const auto score = static_cast<double>(category.scores[i]);
      rows.scores.push_back({0, item.category, item.id, item.anomalous, score, std::nullopt});
    }
  }
  return rows;
}

}  // namespace

Average EvalAnswer::mean() const {
  return average(results_of(*this), skip_undefined);
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
    const bool partly = mean.value.value && mean.defined < mean.categories;
    rows.back().push_back(
        footnotes.cell(mean.value) +
        (partly ? fmt::format(" ({} of {})", mean.defined, mean.categories) : std::string()));
  }
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
    text += "," + std::string(info.key);
  }
  text += ",metric_mode,metric_version,fpr_limit,eval_size,image_score\n";
  const auto line = [&](const std::string& category, std::size_t images, const auto& value_at) {
    text += fmt::format("{},{}", csv_field(category), images);
    for (std::size_t i = 0; i < kNumMetrics; ++i) {
      const MetricValue& value = value_at(i);
      text += "," + (value.value ? percent(*value.value, 6) : "n/a");
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
      return category.result.values[i];
    });
  }
  const Average mean = answer.mean();
  line("", images, [&](std::size_t i) -> const MetricValue& { return mean.means[i].value; });
  return text;
}

Json eval_json(const EvalAnswer& answer) {
  Json categories = Json::array();
  for (const auto& category : answer.categories) {
    Json metrics = Json::object(), counts = Json::object();
    for (const MetricInfo& info : kMetrics) {
      metrics[std::string(info.key)] = value_json(category.result.value(info.metric));
    }
    for (const auto& [name, value] : counts_of(category)) {
      counts[name] = value;
    }
    categories.push_back({{"category", category.category},
                          {"images", category.result.num_images},
                          {"metrics", metrics},
                          {"counts", counts}});
  }
  Json means = Json::object();
  const Average average = answer.mean();
  for (const MetricInfo& info : kMetrics) {
    const Average::Mean& mean = average.means[static_cast<std::size_t>(info.metric)];
    Json& entry = means[std::string(info.key)];
    entry = value_json(mean.value);
    entry["defined"] = mean.defined;
    entry["categories"] = mean.categories;
  }
  return {{"metric_mode", std::string(metric_mode_name(answer.options.metrics.mode))},
          {"metric_version", kMetricVersion},
          {"fpr_limit", answer.options.metrics.fpr_limit},
          {"eval_size", answer.options.size.text()},
          {"image_score", answer.options.image_score.text()},
          {"categories", categories},
          {"mean", means}};
}

std::string store_eval(const EvalAnswer& answer,
                       const std::filesystem::path& file,
                       const std::string& method,
                       const std::string& dataset) {
  const RunRow row = run_row(answer, method, dataset);
  const EventBatch rows = rows_of(answer);
  auto store = Store::open_for_write(file);
  const auto known = store.newest_finished(row.key);
  const RunId id = known ? known->id : store.begin_run(row, this_machine());
  if (known) {
    store.append(id, rows);
  } else {
    store.finish_run(id, {RunStatus::kFinished, {}, 0, 0}, rows);
  }
  store.close();
  return fmt::format("stored as run {} of '{}' on '{}' in {}{}",
                     to_int(id),
                     shown(method),
                     shown(dataset),
                     std::filesystem::absolute(file).string(),
                     known ? " (these maps were there already)" : "");
}

}  // namespace adb
