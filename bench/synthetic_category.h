// Score maps and masks like those of a real category, made from a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "metrics/input.h"

namespace adb::bench {

// Smooth maps as a reconstruction method gives: a skewed background, and one to three elliptic
// defects per anomalous image, some of which the map shows only faintly. About 2.4 % of the pixels
// are anomalous and about 70 % of the scores distinct, at any size.
class SyntheticCategory {
 public:
  // The first num_normal of num_images images are normal; maps are side x side.
  SyntheticCategory(std::size_t num_images,
                    std::size_t num_normal,
                    std::size_t side,
                    std::int64_t seed);

  std::size_t num_pixels() const { return scores_.size(); }
  const std::vector<float>& scores() const { return scores_; }  // [N, H, W]
  CategoryInput input() const;                                  // refers to this object

 private:
  std::size_t side_;
  std::vector<float> scores_;
  std::vector<std::uint8_t> masks_;
  std::vector<std::uint8_t> labels_;
  std::vector<float> image_scores_;
};

// Test images of a category.
struct CategorySize {
  std::size_t images;
  std::size_t normal;
};

// The test sets of MVTec AD and VisA, by category in alphabetical order.
std::span<const CategorySize> mvtec_sizes();
std::span<const CategorySize> visa_sizes();

}  // namespace adb::bench
