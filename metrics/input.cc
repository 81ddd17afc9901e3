#include "metrics/input.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "metrics/clones.h"
#include "metrics/score_key.h"
#include "metrics/workers.h"

namespace adb {
namespace {

using Reason = Rejection::Reason;

constexpr std::uint64_t kMaxPixels =
    (std::uint64_t{1} << 32) - 1;  // so that 64-bit sums stay exact

ADB_CLONES bool all_finite(const float* scores, std::size_t size) {
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < size; ++i) {
    bad |= is_nonfinite(scores[i]) ? 1U : 0U;
  }
  return bad == 0;
}

ADB_CLONES bool all_binary(const std::uint8_t* values, std::size_t size) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    bits = static_cast<std::uint8_t>(bits | values[i]);
  }
  return bits <= 1;
}

// Number of ones among zeros and ones: whole words are added byte by byte, 255 of them before a
// byte overflows.
std::uint64_t count_ones(std::span<const std::uint8_t> values) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  constexpr std::uint64_t kEvenBytes = 0x00FF00FF00FF00FFU;
  std::uint64_t ones = 0;
  std::size_t at = 0;
  while (values.size() - at >= kWord) {
    const std::size_t words = std::min<std::size_t>(255, (values.size() - at) / kWord);
    std::uint64_t sums = 0;
    for (std::size_t i = 0; i < words; ++i) {
      std::uint64_t word;
      std::memcpy(&word, values.data() + at + i * kWord, kWord);
      sums += word;
    }
    const std::uint64_t pairs = (sums & kEvenBytes) + ((sums >> 8) & kEvenBytes);
    ones += (pairs * 0x0001000100010001U) >> 48;
    at += words * kWord;
  }
  for (; at < values.size(); ++at) {
    ones += values[at];
  }
  return ones;
}

void require_count(std::size_t got, std::size_t images, const char* what) {
  if (got != images) {
    throw RejectedInput({Reason::kSize},
                        fmt::format("{} image labels, but {} {}", images, got, what));
  }
}

void require_size(const CategoryInput& input,
                  std::size_t image,
                  std::size_t got,
                  const char* what) {
  if (got != input.height * input.width) {
    throw RejectedInput({Reason::kSize, image},
                        fmt::format("{}: the {} has {} pixels, expected {} x {}",
                                    input.describe_image(image),
                                    what,
                                    got,
                                    input.height,
                                    input.width));
  }
}

void check_sizes(const CategoryInput& input) {
  const std::size_t images = input.num_images();
  require_count(input.image_scores.size(), images, "image scores");
  require_count(input.maps.size(), images, "maps");
  require_count(input.masks.size(), input.without_masks ? 0 : images, "masks");
  if (!input.ader_image_scores.empty()) {
    require_count(input.ader_image_scores.size(), images, "image scores for `ader` mode");
  }
  if (images == 0) {
    return;
  }
  if (input.height == 0 || input.width == 0) {
    throw RejectedInput({Reason::kSize},
                        fmt::format("maps of {} x {} pixels are empty", input.height, input.width));
  }
  // Divisions, as the products may pass 64 bits.
  if (input.height > kMaxPixels / input.width ||
      images > kMaxPixels / (input.height * input.width)) {
    throw RejectedInput({Reason::kTooLarge},
                        fmt::format("{} maps of {} x {} pixels: at most {} pixels in a category",
                                    images,
                                    input.height,
                                    input.width,
                                    kMaxPixels));
  }
  for (std::size_t i = 0; i < images; ++i) {
    require_size(input, i, input.maps[i].size(), "map");
    if (!input.without_masks) {
      require_size(input, i, input.masks[i].size(), "mask");
    }
  }
}

void check_labels(const CategoryInput& input) {
  for (std::size_t i = 0; i < input.num_images(); ++i) {
    if (input.image_labels[i] > 1) {
      throw RejectedInput({Reason::kLabelValue, i},
                          fmt::format("{}: image label {}, expected 0 or 1",
                                      input.describe_image(i),
                                      input.image_labels[i]));
    }
  }
}

[[noreturn]] void reject_mask(const CategoryInput& input, std::size_t image) {
  const auto mask = input.masks[image];
  const auto bad =
      std::find_if(mask.begin(), mask.end(), [](std::uint8_t value) { return value > 1; });
  const auto pixel = static_cast<std::size_t>(bad - mask.begin());
  const std::size_t row = pixel / input.width;
  const std::size_t column = pixel % input.width;
  throw RejectedInput({Reason::kMaskValue, image, {{row, column}}},
                      fmt::format("{}: mask value {} at row {}, column {}, expected 0 or 1",
                                  input.describe_image(image),
                                  *bad,
                                  row,
                                  column));
}

// Image scores follow the maps in input order; those of `ader` mode come last.
[[noreturn]] void reject_nonfinite(const CategoryInput& input) {
  Rejection rejection{Reason::kNonFinite};
  std::string place;
  const auto look = [&](std::span<const float> scores, const auto& name_place) {
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (!is_nonfinite(scores[i])) {
        continue;
      }
      if (rejection.count_nan + rejection.count_infinite == 0) {
        place = name_place(i);
      }
      if (std::isnan(scores[i])) {
        ++rejection.count_nan;
      } else {
        ++rejection.count_infinite;
      }
    }
  };
  for (std::size_t image = 0; image < input.maps.size(); ++image) {
    look(input.maps[image], [&](std::size_t pixel) {
      rejection.first_image = image;
      rejection.first_pixel = {{pixel / input.width, pixel % input.width}};
      return fmt::format("{}: non-finite score at row {}, column {}",
                         input.describe_image(image),
                         pixel / input.width,
                         pixel % input.width);
    });
  }
  const auto name_image = [&](std::size_t image) {
    rejection.first_image = image;
    return fmt::format("{}: non-finite image score", input.describe_image(image));
  };
  look(input.image_scores, name_image);
  look(input.ader_image_scores, name_image);
  throw RejectedInput(rejection,
                      fmt::format("{} ({} NaN and {} infinite in all)",
                                  place,
                                  rejection.count_nan,
                                  rejection.count_infinite));
}

}  // namespace

std::string CategoryInput::describe_image(std::size_t image) const {
  return image_name ? image_name(image) : fmt::format("image {}", image);
}

InputCounts check_input(const CategoryInput& input, int threads) {
  InputCounts counts = check_besides_maps(input, threads);
  MapCheck map_check(input);
  run_workers(usable_workers(threads, input.maps.size()), [&](int) { map_check.run(); });
  map_check.finish();
  return counts;
}

InputCounts check_besides_maps(const CategoryInput& input, int threads) {
  check_sizes(input);
  check_labels(input);
  const std::size_t images = input.masks.size();
  InputCounts counts;
  counts.anomalous_images = count_ones(input.image_labels);
  counts.anomalous_pixels.resize(images);
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> first_bad_mask = images;
  run_workers(usable_workers(threads, images), [&](int) {
    for (std::size_t i = next++; i < images; i = next++) {
      if (all_binary(input.masks[i].data(), input.masks[i].size())) {
        counts.anomalous_pixels[i] = count_ones(input.masks[i]);
      } else {
        std::size_t first = first_bad_mask;
        while (i < first && !first_bad_mask.compare_exchange_weak(first, i)) {
        }
      }
    }
  });
  if (first_bad_mask < images) {
    reject_mask(input, first_bad_mask);
  }
  if (!all_finite(input.image_scores.data(), input.image_scores.size()) ||
      !all_finite(input.ader_image_scores.data(), input.ader_image_scores.size())) {
    reject_nonfinite(input);
  }
  return counts;
}

void MapCheck::run() {
  for (std::size_t i = next_++; i < input_.maps.size(); i = next_++) {
    if (!all_finite(input_.maps[i].data(), input_.maps[i].size())) {
      finite_ = false;
    }
  }
}

void MapCheck::finish() const {
  ADB_ASSERT(next_ >= input_.maps.size());
  if (!finite_) {
    reject_nonfinite(input_);
  }
}

}  // namespace adb
