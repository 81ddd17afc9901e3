// What a data set is to the rest of the project: an ordered list of files and facts. Nothing is
// decoded here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adb {

enum class Split { kTrain, kTest };

std::string_view split_name(Split split);  // "train" or "test"

struct Sample {
  // Unique in the data set and the same wherever it lies, for example "bottle/test/broken/003.png":
  // in folder layouts CATEGORY/SPLIT/DEFECT/FILE, else the image's path relative to the table's
  // folder.
  std::string id;
  std::string category;
  std::filesystem::path image;
  std::optional<std::filesystem::path> mask;  // absent: all normal, or (anomalous) not known where
  std::string defect;                         // "good" for a normal image
  bool anomalous = false;
};

struct Dataset {
  std::string name;
  std::string title;
  std::filesystem::path root;
  std::vector<std::string> categories;  // in the order of result rows
  std::vector<Sample> train;  // normal images only; by category, then in the order of the layout
  std::vector<Sample> test;   // likewise
  std::vector<std::string> notes;    // what was passed over on opening, for the user
  std::vector<std::string> missing;  // files that should exist (only with OpenOptions::keep_going)

  const std::vector<Sample>& samples(Split split) const {
    return split == Split::kTrain ? train : test;
  }

  // The part with these categories, in this data set's order. An empty list means all.
  //   throws: Error(kUsage) naming an unknown category and the known ones
  Dataset restrict(const std::vector<std::string>& chosen) const;

  // Why pixel figures of a category are undefined, or nothing when every anomalous test image has a
  // mask.
  std::optional<std::string> why_no_pixel_figures(const std::string& category) const;
};

// SHA-256 of a sample's files.
struct SampleHashes {
  std::string image;
  std::string mask;  // empty without a mask
};

// throws: Error(kData) naming a file that cannot be read
SampleHashes hash_files(const Sample& sample);

// SHA-256 over every sample's facts and the SHA-256 of its files' bytes, in the data set's order
// (the order of training images changes a model, so it is part of the identity). It depends neither
// on where the data lies nor on name and title. Files are read by `threads` threads.
//   throws: Error(kData) naming a file that cannot be read
std::string manifest_hash(const Dataset& dataset, int threads = 2);

// The same from known hashes: of the training samples, then of the test samples.
std::string manifest_hash(const Dataset& dataset, const std::vector<SampleHashes>& hashes);

}  // namespace adb
