// Score maps that any program wrote: which image each belongs to, and how a file of one is read.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace adb {

// A test image with its map.
struct EvalItem {
  std::string id;  // unique; names it in messages and in the store
  std::string category;
  bool anomalous = false;
  std::filesystem::path map;
  std::optional<std::filesystem::path> mask;  // absent: all normal, or (anomalous) not known where
  std::optional<float> score;                 // of the image, when the program gave one
  std::string defect;                         // kind of the anomaly; of a normal image anything
};

struct EvalSet {
  std::string name;
  std::vector<std::string> categories;  // in the order of result rows; none is empty
  std::vector<EvalItem> items;          // in the order of the categories
  std::string manifest_hash;            // SHA-256 of what the maps are measured against; see hash
  std::vector<std::string> notes;       // for the user
};

// The test images of `dataset` with their maps FOLDER/CATEGORY/test/DEFECT/STEM.EXT, where EXT is
// npy, npz, safetensors, tiff, tif or png in any case. For a data set of one category FOLDER may
// be that of the category.
//   hash: also read all files of the data set for manifest_hash (the hash that `run` stores).
//   throws: Error(kData) naming the first image without a map (and how many there are), or with
//           two; maps without an image are a note
EvalSet pair_maps(const Dataset& dataset, const std::filesystem::path& folder, bool hash);

// The same from a table; paths in it are relative to its folder, or absolute.
//   FILE.csv: columns map, label, and optionally mask, score, category, sample, defect.
//   FILE.json: a list of objects with those fields, or {"samples": [...]}.
//   label: normal, good, 0, false; anomaly, anomalous, bad, 1, true. category: the file's name
//   without its extension by default. sample: by default the map as written. defect: by default
//   anomalous. An empty mask or score counts as absent.
//   categories: only these; empty means all.
//   throws: Error(kData) "FILE:LINE: ..." or "FILE: samples[K]: ..."; unknown columns and fields
//           are refused. Error(kUsage) for an unknown category
EvalSet read_eval_manifest(const std::filesystem::path& file,
                           const std::vector<std::string>& categories,
                           bool hash);

// One map as its file holds it: row-major, height x width values.
struct ScoreMap {
  int width = 0;
  int height = 0;
  std::span<const float> values;
  bool mapped = false;                // the values are pages of the file, not memory of their own
  std::shared_ptr<const void> owner;  // of the values
};

// .npy, and .npz and .safetensors that hold one array or one called "map": [H, W], or with extents
// of 1 before or after, any real type, float64 rounded to float32; .tiff and .png as read_map of
// images/codec.h takes them. Values may be NaN or infinite. Row-major float32 of .npy and
// .safetensors is mapped where it lies aligned in its file, everything else decoded.
//   throws: Error(kData) naming the file: unreadable, of another type or shape, larger than an
//           image may be
ScoreMap read_score_map(const std::filesystem::path& file);

}  // namespace adb
