#include "runners/worker/frequency.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/fft_fft2.h>
#include <ATen/ops/fft_fftfreq.h>
#include <ATen/ops/fft_ifft2.h>
#include <ATen/ops/real.h>

#include "core/files.h"
#include "images/codec.h"
#include "images/resize.h"
#include "methods/optional.h"
#include "tensor/device.h"

namespace adb {
namespace {

constexpr int kInputSide = 128;
constexpr double kHighest = 0.5;  // cycles a position
constexpr std::array<const char*, 2> kParts = {"given", "rebuilt"};
constexpr std::array<const char*, 2> kBands = {"low", "high"};

struct SplitPair {
  std::string name;
  std::array<Bands, 2> parts;  // given, rebuilt
};

const at::Tensor& band_of(const Bands& bands, std::size_t band) {
  return band == 0 ? bands.low : bands.high;
}

// Grey levels from `low` to `high`.
Image picture_of(const at::Tensor& map, double low, double high) {
  Image image(static_cast<int>(map.size(1)), static_cast<int>(map.size(0)), 1);
  const auto values = map.contiguous();
  const double* value = values.const_data_ptr<double>();
  for (auto& pixel : image.pixels) {
    const double place = high > low ? (*value - low) / (high - low) : 0;
    pixel = static_cast<std::uint8_t>(std::lround(255 * place));
    ++value;
  }
  return image;
}

}  // namespace

Bands split_bands(const at::Tensor& features, double cutoff) {
  ADB_ASSERT(features.dim() == 3);
  const auto values = features.to(at::kCPU, at::kDouble);
  const auto spectrum = at::fft_fft2(values);
  const auto rows = at::fft_fftfreq(values.size(1), 1.0, values.options()).square().unsqueeze(1);
  const auto columns = at::fft_fftfreq(values.size(2), 1.0, values.options()).square();
  const auto inside = (rows + columns).sqrt() <= cutoff * kHighest;
  const auto low = at::real(at::fft_ifft2(spectrum * inside));
  const auto length = [](const at::Tensor& part) { return part.square().sum(0).sqrt(); };
  const auto energy = spectrum.abs().square();
  const double total = energy.sum().item<double>();
  return {
      .low = length(low),
      .high = length(values - low),
      .high_share = total > 0 ? (energy * inside.logical_not()).sum().item<double>() / total : 0};
}

FrequencyJob frequency_job_from_json(const Json& json) {
  constexpr auto kKind = ErrorKind::kConfig;
  return {trained_job_from_json(json),
          json_number(json_at(json, "cutoff", "job", kKind), "cutoff", kKind)};
}

void split_images(const FrequencyJob& job,
                  const MethodEntry& entry,
                  const std::function<void(const Json&)>& tell) {
  const auto method = load_trained(job, entry);
  auto* rebuilds = dynamic_cast<RebuildsFeatures*>(method.get());
  ADB_CHECK(rebuilds != nullptr,
            ErrorKind::kUsage,
            "method '{}' rebuilds no features: there is nothing to split",
            entry.name);
  make_folder(job.out);
  const auto device = parse_device(job.device);
  std::vector<std::vector<SplitPair>> images;
  for (const auto& image : job.images) {
    auto& pairs = images.emplace_back();
    for (const auto& pair :
         rebuilds->feature_pairs(image_batch(image.file, method->input(), device))) {
      ADB_CHECK(
          pair.given.isfinite().all().item<bool>() && pair.rebuilt.isfinite().all().item<bool>(),
          ErrorKind::kNumeric,
          "'{}': the features '{}' are not finite",
          image.file.string(),
          pair.name);
      pairs.push_back(
          {pair.name,
           {split_bands(pair.given[0], job.cutoff), split_bands(pair.rebuilt[0], job.cutoff)}});
    }
  }
  // Of all images, so that those compare; features and rebuilt ones may be of another magnitude.
  const auto ends = [&](std::size_t pair, std::size_t part, std::size_t band) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const auto& pairs : images) {
      const auto& map = band_of(pairs[pair].parts[part], band);
      low = std::min(low, map.min().item<double>());
      high = std::max(high, map.max().item<double>());
    }
    return std::pair(low, high);
  };
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto write = [&](const std::string& name, const Image& picture) {
      const auto file = job.out / fmt::format("{:04}-{}.png", i, name);
      write_png(file, picture);
      return file.string();
    };
    const auto original = read_image(job.images[i].file);
    const double scale =
        std::min(1.0, static_cast<double>(kInputSide) / std::max(original.width, original.height));
    const auto side = [&](int pixels) {
      return std::max(1, static_cast<int>(std::lround(scale * pixels)));
    };
    Json line = {
        {"image", job.images[i].id},
        {"input",
         write("input", resize_image(original, side(original.width), side(original.height)))},
        {"pairs", Json::array()}};
    for (std::size_t p = 0; p < images[i].size(); ++p) {
      const SplitPair& pair = images[i][p];
      Json shown = {{"name", pair.name}};
      for (std::size_t part = 0; part < kParts.size(); ++part) {
        Json& bands = shown[kParts[part]];
        bands["high_share"] = pair.parts[part].high_share;
        for (std::size_t band = 0; band < kBands.size(); ++band) {
          const auto [low, high] = ends(p, part, band);
          bands[kBands[band]] =
              write(fmt::format("{}-{}-{}", pair.name, kParts[part], kBands[band]),
                    picture_of(band_of(pair.parts[part], band), low, high));
        }
      }
      line["pairs"].push_back(std::move(shown));
    }
    tell(line);
  }
}

}  // namespace adb
