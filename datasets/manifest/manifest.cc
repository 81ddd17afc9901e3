#include "datasets/manifest/manifest.h"

#include <array>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "datasets/csv.h"
#include "datasets/table.h"

namespace adb {
namespace {

struct Column {
  std::string_view name;
  std::string SampleRow::*field;
  bool required;
};

constexpr std::array<Column, 6> kColumns = {{{"image", &SampleRow::image, true},
                                             {"category", &SampleRow::category, true},
                                             {"split", &SampleRow::split, true},
                                             {"label", &SampleRow::label, true},
                                             {"mask", &SampleRow::mask, false},
                                             {"defect", &SampleRow::defect, false}}};

const Column& find_column(const std::string& name,
                          const std::string& where,
                          std::string_view what) {
  std::vector<std::string> known;
  for (const Column& column : kColumns) {
    if (column.name == name) {
      return column;
    }
    known.emplace_back(column.name);
  }
  fail(ErrorKind::kData, "{}: {}", where, unknown_name(what, name, known));
}

void add_csv(const std::filesystem::path& file, TableLoader& loader) {
  const std::string source = file.string();
  const CsvTable table = parse_csv(read_text(file, ErrorKind::kData), source);
  for (const auto& [name, index] : table.columns) {
    find_column(name, source, "column");
  }
  for (const Column& column : kColumns) {
    ADB_CHECK(!column.required || table.columns.contains(std::string(column.name)),
              ErrorKind::kData,
              "'{}' has no column '{}'",
              source,
              column.name);
  }
  for (const CsvRow& row : table.rows) {
    SampleRow sample;
    sample.where = fmt::format("{}:{}", source, row.line);
    for (const auto& [name, index] : table.columns) {
      sample.*find_column(name, source, "column").field = row.fields[index];
    }
    loader.add(sample);
  }
}

void add_json(const Json& samples, const std::string& source, TableLoader& loader) {
  ADB_CHECK(samples.is_array(), ErrorKind::kData, "{}: samples must be a list", source);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    SampleRow sample;
    sample.where = fmt::format("{}: samples[{}]", source, k);
    ADB_CHECK(samples[k].is_object(), ErrorKind::kData, "{} must be an object", sample.where);
    for (const auto& [name, value] : samples[k].items()) {
      const std::string where = sample.where + "." + name;
      if (name == "anomalous") {
        sample.label = json_bool(value, where, ErrorKind::kData) ? "anomalous" : "normal";
      } else {
        sample.*find_column(name, sample.where, "field").field =
            json_string(value, where, ErrorKind::kData);
      }
    }
    loader.add(sample);
  }
}

}  // namespace

Dataset open_manifest(const std::filesystem::path& file,
                      const std::string& name,
                      const OpenOptions& options) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  TableLoader loader(folder, name, options);
  std::string title = name;
  if (file.extension() == ".csv") {
    add_csv(file, loader);
  } else {
    const Json manifest = read_json(file, ErrorKind::kData);
    if (manifest.is_array()) {
      add_json(manifest, file.string(), loader);
    } else {
      add_json(
          json_at(manifest, "samples", file.string(), ErrorKind::kData), file.string(), loader);
      if (manifest.contains("title")) {
        title = json_string(manifest["title"], file.string() + ": title", ErrorKind::kData);
      }
    }
  }
  Dataset dataset = loader.finish();
  ADB_CHECK(!dataset.categories.empty(), ErrorKind::kData, "'{}' lists no images", file.string());
  dataset.title = title;
  return dataset;
}

}  // namespace adb
