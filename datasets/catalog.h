// Known data sets, and the one function that opens any: by name, folder or manifest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/registry.h"
#include "datasets/dataset.h"

namespace adb {

struct DatasetEntry {
  std::string name;
  std::string title;
  std::string summary;
  int version = 1;  // raised when the loader's order or pairing changes
};

// mvtec_ad, visa, sample.
void add_builtin_datasets(Registry<DatasetEntry>& datasets);

// The name that a data set has in stores: that of a folder or manifest is the file's. Nothing is
// opened.
std::string dataset_name(const std::string& name_or_path);

struct OpenOptions {
  // Only these categories are looked at, so that others may be incomplete. Empty: all.
  std::vector<std::string> categories;
  // False where only test images count (`eval`): a category then needs no train folder.
  bool need_train = true;
  // For `data verify`: missing images and masks go to Dataset::missing instead of stopping at the
  // first.
  bool keep_going = false;
};

// Opens a data set.
//   name_or_path: with a '/' (or "." or "..") a folder or a manifest.csv / .json file; else a name:
//   a folder
//     of data_root. data_root may be empty.
//   A folder is recognised by what it holds, in this order:
//     split_csv/1cls.csv             VisA
//     train/ and test/               one category, named like the folder
//     folders with train/ and test/  a category each; others are passed over with a note
//     manifest.csv or manifest.json  a table of files
//   Categories of MVTec AD and of VisA come in the order of the protocol card, others sorted by
//   name. throws: Error(kUsage) for an unknown name or category; Error(kData), naming the place,
//   for a missing
//     folder, an unknown layout, no training or test image, a missing image or mask, an invalid
//     table
Dataset open_dataset(const std::string& name_or_path,
                     const std::filesystem::path& data_root,
                     const OpenOptions& options = {});

// The same for a folder or manifest file that is known to be one, under a given name.
Dataset open_path(const std::filesystem::path& path,
                  const std::string& name,
                  const OpenOptions& options = {});

}  // namespace adb
