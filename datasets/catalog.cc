#include "datasets/catalog.h"

#include "core/error.h"
#include "core/text.h"
#include "datasets/layout.h"
#include "datasets/listing.h"
#include "datasets/manifest/manifest.h"
#include "datasets/mvtec/mvtec.h"
#include "datasets/visa/visa.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool has_category_folder(const fs::path& root, bool need_train) {
  for (const std::string& name : list_folders(root)) {
    if (is_category_folder(root / name, need_train)) {
      return true;
    }
  }
  return false;
}

bool is_path(const std::string& name_or_path) {
  return name_or_path.find('/') != std::string::npos || name_or_path == "." || name_or_path == "..";
}

std::string name_of(const fs::path& path) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(path, ignored);
  const std::string name = is_file(path) ? whole.stem().string() : whole.filename().string();
  return name.empty() ? path.string() : name;
}

}  // namespace

void add_builtin_datasets(Registry<DatasetEntry>& datasets) {
  datasets.add({"sample",
                "Sample",
                "generated inspection images: textures and objects with exact masks",
                1});
  datasets.add({"mvtec_ad", "MVTec AD", "15 categories of textures and objects; folder layout", 1});
  datasets.add({"visa", "VisA", "12 categories of boards and objects; one-class split file", 1});
}

Dataset open_path(const fs::path& path, const std::string& name, const OpenOptions& options) {
  if (is_file(path)) {
    ADB_CHECK(path.extension() == ".csv" || path.extension() == ".json",
              ErrorKind::kData,
              "'{}' is no data set: expected a folder, or a manifest called .csv or .json",
              path.string());
    return open_manifest(path, name, options);
  }
  ADB_CHECK(
      is_folder(path), ErrorKind::kData, "data set folder '{}' does not exist", path.string());
  if (is_file(path / kVisaSplit)) {
    return open_visa(path, name, options);
  }
  if (is_category_folder(path, options.need_train) ||
      has_category_folder(path, options.need_train)) {
    return open_mvtec(path, name, options);
  }
  for (const char* manifest : {"manifest.csv", "manifest.json"}) {
    if (is_file(path / manifest)) {
      return open_manifest(path / manifest, name, options);
    }
  }
  fail(ErrorKind::kData,
       "'{}' holds no data set: expected folders CATEGORY/train/good and CATEGORY/test/DEFECT, "
       "VisA's {}, or "
       "a manifest.csv or manifest.json",
       path.string(),
       kVisaSplit);
}

std::string dataset_name(const std::string& name_or_path) {
  return is_path(name_or_path) ? name_of(name_or_path) : name_or_path;
}

Dataset open_dataset(const std::string& name_or_path,
                     const fs::path& data_root,
                     const OpenOptions& options) {
  if (is_path(name_or_path)) {
    return open_path(name_or_path, name_of(name_or_path), options);
  }
  Registry<DatasetEntry> known("data set");
  add_builtin_datasets(known);
  const DatasetEntry* entry = known.find(name_or_path);
  const fs::path folder = data_root / name_or_path;
  const bool exists = !data_root.empty() && !name_or_path.empty() && is_folder(folder);
  if (entry == nullptr && !exists) {
    std::vector<std::string> names = known.names();
    if (!data_root.empty() && is_folder(data_root)) {
      for (const std::string& other : list_folders(data_root)) {
        if (known.find(other) == nullptr) {
          names.push_back(other);
        }
      }
    }
    fail(ErrorKind::kUsage,
         "{}; a folder or manifest is given with a '/', as ./{}",
         unknown_name("data set", name_or_path, names),
         name_or_path);
  }
  ADB_CHECK(
      !data_root.empty(),
      ErrorKind::kData,
      "data set '{}' needs a data folder: give --data-root DIR (or ADBENCH_DATA) that holds DIR/{}",
      name_or_path,
      name_or_path);
  ADB_CHECK(exists, ErrorKind::kData, "data set folder '{}' does not exist", folder.string());
  Dataset dataset = open_path(folder, name_or_path, options);
  if (entry != nullptr) {
    dataset.title = entry->title;
  }
  return dataset;
}

}  // namespace adb
