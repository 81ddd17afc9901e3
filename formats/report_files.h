// What a worker leaves beside its figures for reports, at the reported and at the last test:
// curves and thumbnails. Writer and reader in one place, so that both sides agree (docs/page.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/curves.h"
#include "formats/safetensors.h"

namespace adb {

inline constexpr std::int64_t kReportFilesSchema = 1;  // raised when a field changes its meaning
inline constexpr int kMaxThumbnailSide = 128;          // pixels

// Artifact kinds in the store, and the files' names in the run's folder.
inline constexpr const char* kCurvesKind = "curve";
inline constexpr const char* kThumbnailsKind = "thumbnail";
std::string curves_file_name(std::int64_t epoch);      // "curves-80.json"
std::string thumbnails_file_name(std::int64_t epoch);  // "thumbs-80.safetensors"

struct TestCurves {
  std::int64_t epoch = 0;
  std::vector<CategoryCurves> categories{};

  bool operator==(const TestCurves&) const = default;
};

// throws: Error(kInternal) for a number that is not finite or a line that is too long; Error(kData)
// with the system's reason if writing fails
void write_curves(const std::filesystem::path& file, const TestCurves& curves);

// throws: Error(kData) naming the file and the place: unreadable, of another schema, a number
// outside [0, 1], a line that is too long or does not ascend
TestCurves read_curves(const std::filesystem::path& file);

// One test image, at most kMaxThumbnailSide pixels a side, all parts of one size.
struct Thumbnail {
  std::string category{};
  std::string sample{};  // its id, as image_score.sample in the store
  bool anomalous = false;
  double score = 0;
  // The colour scale of its category: the values that became 0 and 255 in every heat map.
  double low = 0;
  double high = 0;
  std::string input{};  // bytes of a JPEG or PNG file
  std::string truth{};  // of an 8-bit grey PNG, 0 normal and 255 anomalous; empty without a mask
  std::string heat{};   // of an 8-bit grey PNG
};

// throws: Error(kInternal) for parts that are not what they should be; Error(kData) if writing
// fails
void write_thumbnails(const std::filesystem::path& file,
                      std::int64_t epoch,
                      std::span<const Thumbnail> images);

// A file of thumbnails, opened for reading; the pictures are read when they are asked for.
class ThumbnailFile {
 public:
  // throws: Error(kData) naming the file and what is wrong
  static ThumbnailFile open(const std::filesystem::path& file);

  std::int64_t epoch() const { return epoch_; }

  // Everything but the pictures.
  const std::vector<Thumbnail>& images() const { return images_; }

  // With the pictures, each of them certainly a PNG or JPEG by its first bytes.
  Thumbnail read(std::size_t image) const;

 private:
  explicit ThumbnailFile(SafetensorsFile file) : file_(std::move(file)) {}

  SafetensorsFile file_;
  std::int64_t epoch_ = 0;
  std::vector<Thumbnail> images_{};
};

// "image/png" or "image/jpeg" by the first bytes, "" for anything else.
std::string picture_type(std::string_view bytes);

}  // namespace adb
