// The efficiency table.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "reports/groups.h"

namespace adb {
namespace {

enum class Merge { kMean, kSum, kMax };

struct EfficiencyKey {
  const char* key;
  const char* title;
  const char* unit;
  double factor;
  Merge merge;  // of the models of single classes
};

constexpr double kMebi = 1.0 / (1 << 20);
constexpr std::array<EfficiencyKey, 12> kEfficiencyKeys = {{
    {"parameters", "parameters", "M", 1e-6, Merge::kMean},
    {"trainable_parameters", "trainable parameters", "M", 1e-6, Merge::kMean},
    {"macs", "multiply-accumulates", "G", 1e-9, Merge::kMean},
    {"macs_with_norms", "multiply-accumulates with norms", "G", 1e-9, Merge::kMean},
    {"train_s", "training time", "h", 1.0 / 3600, Merge::kSum},
    {"train_energy_j", "training energy", "kJ", 1e-3, Merge::kSum},
    {"time_per_image_ms", "time per image", "ms", 1, Merge::kMean},
    {"latency_p50_ms", "latency, median", "ms", 1, Merge::kMean},
    {"throughput_images_per_s", "images per second", "1/s", 1, Merge::kMean},
    {"peak_memory_bytes", "peak memory", "MiB", kMebi, Merge::kMax},
    {"peak_device_memory_bytes", "peak device memory", "MiB", kMebi, Merge::kMax},
    {"model_file_bytes", "model file", "MiB", kMebi, Merge::kSum},
}};

Figure efficiency_of(const Replicate& replicate, const EfficiencyKey& key) {
  Values values;
  std::string reason;
  for (const ReportRun* run : replicate.runs) {
    if (!finished(*run)) {
      continue;
    }
    const auto row = std::find_if(
        run->efficiency.begin(), run->efficiency.end(), [&](const EfficiencyRow& candidate) {
          return candidate.key == key.key;
        });
    if (row == run->efficiency.end()) {
      return {};
    }
    if (row->value.has_value()) {
      values.push_back(*row->value);
    } else {
      reason = row->note;
    }
  }
  if (!reason.empty()) {
    return undefined_figure(reason);
  }
  if (values.empty()) {
    return {};
  }
  switch (key.merge) {
    case Merge::kSum:
      return value_figure(mean_of(values) * static_cast<double>(values.size()));
    case Merge::kMax:
      return value_figure(*std::max_element(values.begin(), values.end()));
    case Merge::kMean:
      break;
  }
  return value_figure(mean_of(values));
}

Figure efficiency_over_seeds(const Group& group, const EfficiencyKey& key) {
  Values values;
  for (const auto& replicate : group.replicates) {
    const Figure figure = efficiency_of(replicate, key);
    if (figure.state == Figure::State::kUndefined) {
      return figure;
    }
    if (figure.state == Figure::State::kValue) {
      values.push_back(figure.value);
    }
  }
  return mean_figure(values);
}

}  // namespace

std::vector<std::string> efficiency_keys() {
  std::vector<std::string> keys;
  for (const auto& key : kEfficiencyKeys) {
    keys.emplace_back(key.key);
  }
  return keys;
}

ReportTable efficiency_table(const std::vector<Group>& groups,
                             const std::vector<ReportGroup>& described,
                             const std::vector<std::string>& keys,
                             const PublishedFigures& published) {
  std::vector<EfficiencyKey> chosen(kEfficiencyKeys.begin(), kEfficiencyKeys.end());
  if (!keys.empty()) {
    chosen.clear();
    for (const auto& name : keys) {
      chosen.push_back(*std::find_if(kEfficiencyKeys.begin(),
                                     kEfficiencyKeys.end(),
                                     [&](const EfficiencyKey& key) { return key.key == name; }));
    }
  }
  ReportTable table;
  std::vector<ReportRow> rows(groups.size());
  for (const auto& key : chosen) {
    std::vector<Figure> figures;
    for (const auto& group : groups) {
      figures.push_back(efficiency_over_seeds(group, key));
    }
    const bool nowhere = std::all_of(figures.begin(), figures.end(), [](const Figure& figure) {
      return figure.state == Figure::State::kMissing;
    });
    if (keys.empty() && nowhere) {
      continue;
    }
    // Hours where any training took one, and in a paper's table; else seconds read better.
    const bool in_seconds =
        keys.empty() && std::all_of(figures.begin(), figures.end(), [&](const Figure& figure) {
          return key.key == std::string_view("train_s") && figure.value < 3600;
        });
    const ReportColumn column = {.key = key.key,
                                 .title = key.title,
                                 .unit = in_seconds ? "s" : key.unit,
                                 .factor = in_seconds ? 1 : key.factor};
    table.columns.push_back(column);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].group = i;
      rows[i].figures.push_back(figures[i]);
    }
  }
  if (!table.columns.empty()) {
    for (auto& row : rows) {
      table.rows.push_back(std::move(row));
      add_published(published, described[table.rows.back().group], table.columns, table.rows);
    }
  }
  return table;
}

}  // namespace adb
