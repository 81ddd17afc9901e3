#include "methods/uniad/options.h"

#include <utility>

#include "core/error.h"

namespace adb::uniad {

void UniadOptions::validate() const {
  constexpr auto kKind = ErrorKind::kUsage;
  constexpr std::int64_t kLargestImage = 1024;  // the scores of one head then have 16.8 M elements
  constexpr double kMaxParameters = 1e9;        // the published size has 7.8e6
  ADB_CHECK(image_size % kStride == 0 && image_size >= 2 * kStride && image_size <= kLargestImage,
            kKind,
            "uniad: image_size must be a multiple of {} from {} to {}, got {}",
            kStride,
            2 * kStride,
            kLargestImage,
            image_size);
  ADB_CHECK(neighbor_radius() < grid() / 2,
            kKind,
            "uniad: neighbor_size {} leaves a position of the {} x {} grid nothing to attend to",
            neighbor_size,
            grid(),
            grid());
  ADB_CHECK(hidden_dim % 2 == 0 && hidden_dim % heads == 0,
            kKind,
            "uniad: hidden_dim must be even and a multiple of heads, got {} and {}",
            hidden_dim,
            heads);
  const auto [dim, tokens] =
      std::pair(static_cast<double>(hidden_dim), static_cast<double>(grid() * grid()));
  const double mlp = 2 * dim * static_cast<double>(feedforward);
  const double total = static_cast<double>(encoder_layers) * (4 * dim * dim + mlp) +
                       static_cast<double>(decoder_layers) * (8 * dim * dim + mlp + tokens * dim);
  ADB_CHECK(
      total <= kMaxParameters,
      kKind,
      "uniad: these options make a transformer of {:.3g} parameters; at most {:.3g} are allowed",
      total,
      kMaxParameters);
}

}  // namespace adb::uniad
