#include "results/published.h"

#include <array>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/text.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSource = "arXiv 2312.07495";

// Names of the files' columns and the keys that the rest of the program uses.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMetricKeys = {{
    {"image_auroc", "image.auroc"},
    {"image_ap", "image.ap"},
    {"image_f1max", "image.f1_max"},
    {"pixel_auroc", "pixel.auroc"},
    {"pixel_ap", "pixel.ap"},
    {"pixel_f1max", "pixel.f1_max"},
    {"pixel_aupro", "pixel.aupro"},
    {"mad", "mad"},
}};

struct EfficiencyColumn {
  std::string_view name;
  std::string_view key;
  std::string_view unit;
};
constexpr std::array<EfficiencyColumn, 4> kEfficiencyColumns = {{
    {"parameters_m", "parameters", "million"},
    {"macs_g", "macs", "billion"},
    {"train_memory_mb", "train_memory", "MB"},
    {"train_time_h", "train_time", "h"},
}};

struct Line {
  std::string place;  // "FILE:LINE"
  std::vector<std::string> fields;
};

// The fields of a CSV line; a field in double quotes may hold commas.
std::vector<std::string> csv_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// The lines of a CSV file after its header, which must be `header`.
std::vector<Line> read_csv(const fs::path& file, std::string_view header) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    return {};
  }
  std::istringstream text(read_text(file, ErrorKind::kConfig));
  const std::size_t width = split(header, ',').size();
  std::vector<Line> lines;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    const std::string place = fmt::format("{}:{}", file.string(), number);
    if (number == 1) {
      ADB_CHECK(
          line == header, ErrorKind::kConfig, "{}: expected '{}', got '{}'", place, header, line);
      continue;
    }
    auto fields = csv_fields(line);
    ADB_CHECK(fields.size() == width,
              ErrorKind::kConfig,
              "{}: expected {} fields, got {}",
              place,
              width,
              fields.size());
    lines.push_back({place, std::move(fields)});
  }
  return lines;
}

std::string key_of(const std::string& name, const std::string& place) {
  for (const auto& [known, key] : kMetricKeys) {
    if (known == name) {
      return std::string(key);
    }
  }
  fail(ErrorKind::kConfig, "{}: unknown metric '{}'", place, name);
}

double number(const std::string& text, const std::string& place) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  ADB_CHECK(error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
            ErrorKind::kConfig,
            "{}: expected a number, got '{}'",
            place,
            text);
  return value;
}

PublishedRow row_of(const std::string& table_id,
                    const std::string& printed,
                    const std::string& place) {
  PublishedRow row;
  row.table_id = table_id;
  row.value = number(printed, place);
  row.printed = printed;
  row.unit = "percent";
  row.source = fmt::format("{}, Table {}", kSource, table_id);
  return row;
}

}  // namespace

std::vector<PublishedRow> read_published(const fs::path& folder) {
  std::vector<PublishedRow> rows;
  for (const auto& [place, fields] :
       read_csv(folder / "main_results.csv", "table,dataset,method,class,metric,value")) {
    PublishedRow row = row_of(fields[0], fields[5], place);
    row.dataset = fields[1];
    row.method = fields[2];
    row.category = fields[3] == "mean" ? "" : fields[3];
    row.metric = key_of(fields[4], place);
    rows.push_back(std::move(row));
  }
  for (const auto& [place, fields] :
       read_csv(folder / "ablations.csv", "table,group,row,metric,value")) {
    PublishedRow row = row_of(fields[0], fields[4], place);
    row.dataset = "mvtec_ad";
    // Table XI trains three methods, one group each; every other ablation is of the paper's own
    // method.
    row.method = fields[1].starts_with("loss_") ? fields[1].substr(5) : "vitad";
    row.variant = fields[1] + "/" + fields[2];
    row.metric = key_of(fields[3], place);
    rows.push_back(std::move(row));
  }
  for (const auto& [place, fields] : read_csv(
           folder / "efficiency.csv", "method,parameters_m,macs_g,train_memory_mb,train_time_h")) {
    for (std::size_t i = 0; i < kEfficiencyColumns.size(); ++i) {
      PublishedRow row = row_of("XIII", fields[i + 1], place);
      row.dataset = "mvtec_ad";
      row.method = fields[0];
      row.metric = kEfficiencyColumns[i].key;
      row.unit = kEfficiencyColumns[i].unit;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace adb
