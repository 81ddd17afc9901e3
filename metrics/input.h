// What one category hands to the metrics, and the check that refuses what cannot be measured.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace adb {

// One category, image by image in the same order everywhere. Spans refer to the caller's memory (or
// mapped files); nothing is copied.
struct CategoryInput {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::span<const float>> maps;  // [H, W] row-major each; higher is more anomalous
  std::vector<std::span<const std::uint8_t>> masks;  // [H, W] each; 1 anomalous, 0 normal
  std::span<const std::uint8_t> image_labels;  // 1 anomalous, 0 normal: the data set's own labels
  std::span<const float> image_scores;
  std::span<const float> ader_image_scores;  // used in `ader` mode; empty: image_scores

  // A data set without masks: `masks` is empty and every pixel figure is undefined.
  bool without_masks = false;

  // Name of an image for messages; without it "image 3" (counted from 0).
  std::function<std::string(std::size_t image)> image_name;

  std::size_t num_images() const { return image_labels.size(); }
  std::string describe_image(std::size_t image) const;
};

// Why input was refused, and where the first offender is.
struct Rejection {
  enum class Reason { kNonFinite, kSize, kMaskValue, kLabelValue, kTooLarge };

  Reason reason;
  std::optional<std::size_t> first_image = std::nullopt;
  std::optional<std::array<std::size_t, 2>> first_pixel =
      std::nullopt;             // row, column; empty: the whole image
  std::uint64_t count_nan = 0;  // in all maps and image scores
  std::uint64_t count_infinite = 0;
};

// Thrown for input that no figure may be computed from; the message names the first offender.
class RejectedInput : public Error {
 public:
  RejectedInput(const Rejection& rejection, const std::string& message)
      : Error(ErrorKind::kData, message), rejection_(rejection) {}
  const Rejection& rejection() const { return rejection_; }

 private:
  Rejection rejection_;
};

struct InputCounts {
  std::vector<std::uint64_t> anomalous_pixels;  // per image; empty without masks
  std::uint64_t anomalous_images = 0;
};

// Checks sizes, then labels and mask values, then that all scores are finite, on at most `threads`
// threads.
//   throws: RejectedInput
InputCounts check_input(const CategoryInput& input, int threads);

// The same but for the scores of maps, which MapCheck looks at.
InputCounts check_besides_maps(const CategoryInput& input, int threads);

// Whether all scores of the maps are finite, apart from the other checks, so that threads which
// have nothing else to do can look.
//   input: passed check_besides_maps; kept by reference
class MapCheck {
 public:
  explicit MapCheck(const CategoryInput& input) : input_(input) {}

  // Looks at maps until none is left; for any number of threads at the same time.
  void run();

  // After all calls of run(), at least one. throws: RejectedInput
  void finish() const;

 private:
  const CategoryInput& input_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> finite_ = true;
};

}  // namespace adb
