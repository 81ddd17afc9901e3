#include "datasets/table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "datasets/layout.h"
#include "datasets/listing.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

bool is_anomalous(const SampleRow& row) {
  constexpr std::array<std::string_view, 4> kNormal = {"normal", "good", "0", "false"};
  constexpr std::array<std::string_view, 5> kAnomalous = {
      "anomaly", "anomalous", "1", "true", "bad"};
  if (std::find(kNormal.begin(), kNormal.end(), row.label) != kNormal.end()) {
    return false;
  }
  ADB_CHECK(
      std::find(kAnomalous.begin(), kAnomalous.end(), row.label) != kAnomalous.end(),
      ErrorKind::kData,
      "{}: unknown label '{}'; known: normal, good, 0, false, anomaly, anomalous, bad, 1, true",
      row.where,
      row.label);
  return true;
}

// Categories and defects become folder names of maps.
void check_name(const std::string& name, std::string_view what, const std::string& where) {
  ADB_CHECK(!name.empty() && name.find('/') == std::string::npos &&
                name.find('\0') == std::string::npos && !name.starts_with('.'),
            ErrorKind::kData,
            "{}: '{}' cannot be a {}: it must be a plain name without '/'",
            where,
            name,
            what);
}

}  // namespace

TableLoader::TableLoader(const fs::path& root, const std::string& name, const OpenOptions& options)
    : options_(options) {
  dataset_.name = name;
  dataset_.title = name;
  dataset_.root = root;
}

fs::path TableLoader::resolve(const std::string& text,
                              std::string_view what,
                              const std::string& where) {
  ADB_CHECK(!text.empty(), ErrorKind::kData, "{}: no {} is given", where, what);
  ADB_CHECK(text.find('\0') == std::string::npos,
            ErrorKind::kData,
            "{}: the {}'s path has a zero byte",
            where,
            what);
  const fs::path root = fs::absolute(dataset_.root).lexically_normal();
  const fs::path relative = (root / text).lexically_normal().lexically_relative(root);
  ADB_CHECK(!relative.empty() && *relative.begin() != ".." && *relative.begin() != ".",
            ErrorKind::kData,
            "{}: '{}' leads out of '{}'",
            where,
            text,
            dataset_.root.string());
  std::error_code ignored;
  if (!fs::is_regular_file(dataset_.root / relative, ignored)) {
    report_missing(
        dataset_,
        options_,
        fmt::format(
            "{}: the {} '{}' does not exist", where, what, (dataset_.root / relative).string()));
    return {};
  }
  return relative;
}

void TableLoader::add(const SampleRow& row) {
  check_name(row.category, "category", row.where);
  auto& categories = dataset_.categories;
  if (std::find(categories.begin(), categories.end(), row.category) == categories.end()) {
    categories.push_back(row.category);
  }
  const auto& chosen = options_.categories;
  if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), row.category) == chosen.end()) {
    return;
  }
  ADB_CHECK(row.split == "train" || row.split == "test",
            ErrorKind::kData,
            "{}: unknown split '{}'; known: train, test",
            row.where,
            row.split);
  Sample sample;
  sample.category = row.category;
  sample.anomalous = is_anomalous(row);
  ADB_CHECK(row.split == "test" || !sample.anomalous,
            ErrorKind::kData,
            "{}: a training image is labelled '{}'; training uses normal images only",
            row.where,
            row.label);
  sample.defect = !row.defect.empty() ? row.defect
                  : sample.anomalous  ? "anomaly"
                                      : std::string(kGood);
  check_name(sample.defect, "defect", row.where);
  const fs::path image = resolve(row.image, "image", row.where);
  if (image.empty()) {
    return;
  }
  sample.id = image.generic_string();
  sample.image = dataset_.root / image;
  if (!row.mask.empty()) {
    if (const fs::path mask = resolve(row.mask, "mask", row.where); !mask.empty()) {
      sample.mask = dataset_.root / mask;
    }
  }
  const auto [first, fresh] = seen_.emplace(sample.id, row.where);
  ADB_CHECK(fresh,
            ErrorKind::kData,
            "{}: image '{}' is listed before, at {}",
            row.where,
            sample.id,
            first->second);
  (row.split == "train" ? dataset_.train : dataset_.test).push_back(std::move(sample));
}

Dataset TableLoader::finish() {
  Dataset& dataset = dataset_;
  sort_categories(dataset.categories);
  dataset.categories = choose_categories(dataset.categories, options_.categories, dataset.name);
  std::map<std::string, std::size_t> rank;
  for (std::size_t k = 0; k < dataset.categories.size(); ++k) {
    rank[dataset.categories[k]] = k;
  }
  const auto earlier = [&](const Sample& a, const Sample& b) {
    return rank.at(a.category) < rank.at(b.category);
  };
  std::stable_sort(dataset.train.begin(), dataset.train.end(), earlier);
  std::stable_sort(dataset.test.begin(), dataset.test.end(), earlier);
  for (const std::string& category : dataset.categories) {
    if (const auto why = dataset.why_no_pixel_figures(category)) {
      dataset.notes.push_back(
          fmt::format("pixel figures of '{}' are undefined: {}", category, *why));
    }
  }
  check_not_empty(dataset, options_);
  return std::move(dataset_);
}

}  // namespace adb
