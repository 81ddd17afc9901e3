#include "runners/worker/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>

#include "core/files.h"
#include "images/codec.h"
#include "images/resize.h"
#include "tensor/device.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

// Blue, cyan, yellow, red over [0, 1]: dark where normal, light and then red where not.
std::array<double, 3> heat_colour(double x) {
  const auto ramp = [x](double centre) {
    return std::clamp(1.5 - std::abs(4 * x - centre), 0.0, 1.0);
  };
  return {ramp(3), ramp(2), ramp(1)};
}

// Maps of all images wait in a file until their common scale is known.
class Spool {
 public:
  explicit Spool(const fs::path& folder) : file_(folder / ".maps.partial") {
    stream_.open(file_, std::ios::in | std::ios::out | std::ios::binary | std::ios::trunc);
    check();
  }
  ~Spool() {
    stream_.close();
    std::error_code ignored;  // a leftover is overwritten by the next call
    fs::remove(file_, ignored);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  void write(const std::vector<float>& values) {
    stream_.write(reinterpret_cast<const char*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof(float)));
    check();
  }
  void rewind() { stream_.seekg(0); }
  std::vector<float> read(std::size_t count) {
    std::vector<float> values(count);
    stream_.read(reinterpret_cast<char*>(values.data()),
                 static_cast<std::streamsize>(count * sizeof(float)));
    check();
    return values;
  }

 private:
  void check() const {
    ADB_CHECK(stream_.good(), ErrorKind::kData, "cannot use '{}'", file_.string());
  }
  fs::path file_;
  std::fstream stream_;
};

struct Scale {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double place(float value) const {
    return high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0;
  }
};

// "a/b/c.png" -> OUT/a/b/c_SUFFIX.png, its folder made.
fs::path result_file(const fs::path& out, const std::string& id, const char* suffix) {
  const fs::path path = id;
  auto file = out / path.parent_path() / (path.stem().string() + "_" + suffix + ".png");
  make_folder(file.parent_path());
  return file;
}

// Writes the pictures of one image and adds their paths to `line`.
void write_pictures(const PredictJob& job,
                    const PredictJob::Input& input,
                    const FloatMap& small,
                    const Scale& scale,
                    Json* line) {
  const auto image = read_image(input.file);
  const auto map = resize_map(small, image.width, image.height);
  std::vector<std::uint16_t> levels;
  levels.reserve(map.values.size());
  Image overlay = image;
  Image mask(image.width, image.height, 1);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const double place = scale.place(map.values[i]);
    levels.push_back(static_cast<std::uint16_t>(std::lround(place * 65535)));
    const auto colour = heat_colour(place);
    for (std::size_t c = 0; c < 3; ++c) {
      auto& pixel = overlay.pixels[i * 3 + c];
      pixel = static_cast<std::uint8_t>(std::lround(0.5 * pixel + 0.5 * 255 * colour[c]));
    }
    mask.pixels[i] = job.threshold && map.values[i] >= *job.threshold ? 255 : 0;
  }
  const auto map_file = result_file(job.out, input.id, "map");
  write_file_atomic(map_file, encode_png16(map.width, map.height, levels));
  (*line)["map"] = map_file.string();
  (*line)["map_low"] = scale.low;
  (*line)["map_high"] = scale.high;
  const auto overlay_file = result_file(job.out, input.id, "overlay");
  write_png(overlay_file, overlay);
  (*line)["overlay"] = overlay_file.string();
  if (job.threshold) {
    const auto mask_file = result_file(job.out, input.id, "mask");
    write_png(mask_file, mask);
    (*line)["mask"] = mask_file.string();
  }
}

}  // namespace

PredictJob predict_job_from_json(const Json& json) {
  constexpr auto kKind = ErrorKind::kConfig;
  PredictJob job{trained_job_from_json(json), std::nullopt};
  if (const auto& threshold = json_at(json, "threshold", "job", kKind); !threshold.is_null()) {
    job.threshold = json_number(threshold, "threshold", kKind);
  }
  return job;
}

std::int64_t predict_images(const PredictJob& job,
                            const MethodEntry& entry,
                            const std::function<void(const Json&)>& tell) {
  const auto device = parse_device(job.device);
  const auto method = load_trained(job, entry);
  const auto input = method->input();
  std::optional<Spool> spool;
  if (!job.out.empty()) {
    make_folder(job.out);
    spool.emplace(job.out);
  }
  Scale scale;
  std::vector<Json> lines;
  std::int64_t unreadable = 0;
  for (const auto& image : job.images) {
    Json line = {{"image", image.id}};
    try {
      const auto prediction = method->predict(image_batch(image.file, input, device));
      const auto map = prediction.maps.to(at::kCPU, at::kFloat).contiguous();
      const std::vector<float> values(map.const_data_ptr<float>(),
                                      map.const_data_ptr<float>() + map.numel());
      ADB_CHECK(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
                ErrorKind::kNumeric,
                "'{}': the map is not finite",
                image.file.string());
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      scale.low = std::min(scale.low, static_cast<double>(*low));
      scale.high = std::max(scale.high, static_cast<double>(*high));
      line["score"] = prediction.scores.at(0);
      if (spool) {
        spool->write(values);
      }
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) {
        throw;
      }
      line["error"] = e.what();
      ++unreadable;
    }
    if (spool) {
      lines.push_back(std::move(line));
    } else {
      tell(line);
    }
  }
  if (spool) {
    spool->rewind();
    const int side = static_cast<int>(input.image_size);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!lines[i].contains("error")) {
        const FloatMap map{
            side,
            side,
            spool->read(static_cast<std::size_t>(side) * static_cast<std::size_t>(side))};
        write_pictures(job, job.images[i], map, scale, &lines[i]);
      }
      tell(lines[i]);
    }
  }
  return unreadable;
}

}  // namespace adb
