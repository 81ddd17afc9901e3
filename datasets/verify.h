// Checks every file of a data set. Returns facts; printing them is the caller's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"
#include "images/image.h"

namespace adb {

enum class FindingKind {
  kMissing,     // a file that should exist does not
  kUnreadable,  // an image or mask cannot be decoded
  kMaskSize,    // a mask has another size than its image
  kMaskValues,  // a mask has values other than 0 and 255; the protocol takes every value above 0 as
                // anomalous
  kMaskEmpty,   // an anomalous image's mask marks nothing
  kMaskOnNormal,  // a normal image's mask marks something
  kDuplicate,     // a test image has the same pixels as a training image
  kLabelFlip,  // the label that the mask resized to the evaluation size gives is not the data set's
};

// "missing", "unreadable", "mask_size", ...
std::string_view finding_name(FindingKind kind);

// The first three make runs fail; the others change what numbers mean.
bool is_error(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::kMissing;
  std::string sample;   // id; empty for a missing file of no sample
  std::string message;  // names the file, what was expected and what was found
};

struct CategoryCounts {
  std::string category;
  std::int64_t train = 0;
  std::int64_t test_normal = 0;
  std::int64_t test_anomalous = 0;
  std::int64_t masks = 0;
  std::map<std::string, std::int64_t> defects;  // anomalous test images of each kind
};

struct VerifyReport {
  std::vector<CategoryCounts> categories;  // in the data set's order
  std::vector<Finding> findings;           // missing files, then by sample in the data set's order
  std::string manifest_hash;               // empty where a file could not be read

  std::int64_t count(FindingKind kind) const;
  bool ok() const;  // no finding that is an error
};

// The functions of images/codec.h and images/resize.h, so that this library links no decoder.
struct PixelFunctions {
  std::function<Image(const std::filesystem::path&)> read_image;
  std::function<Image(const std::filesystem::path&)> read_mask;
  std::function<std::vector<std::uint8_t>(const Image&, int width, int height)> resize_mask;
};

// Opens every image and mask of `dataset` (open it with OpenOptions::keep_going, so that missing
// files are findings too). `eval_size`: side to which masks are resized for the label check.
//   Errors of single files are findings; it throws only what has another cause.
VerifyReport verify_dataset(const Dataset& dataset,
                            const PixelFunctions& pixels,
                            int eval_size = 256,
                            int threads = 2);

}  // namespace adb
