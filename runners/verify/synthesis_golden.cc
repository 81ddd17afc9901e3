#include "runners/verify/synthesis_golden.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>
#include <numeric>
#include <span>

#define AT_PER_OPERATOR_HEADERS
#include <ATen/ops/empty.h>

#include "core/error.h"
#include "core/text.h"
#include "synthesis/anomaly.h"
#include "synthesis/augmenters.h"
#include "synthesis/rotate.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr double kThreshold = 0.5;
constexpr double kMaxTransparency = 0.8;
constexpr std::int64_t kMaxSide = 4096;

at::Tensor to_tensor(const Plane& plane) {
  auto tensor = at::empty({plane.height, plane.width}, at::kDouble);
  std::copy(plane.values.begin(), plane.values.end(), tensor.mutable_data_ptr<double>());
  return tensor;
}

at::Tensor to_tensor(const Image& image) {
  auto tensor = at::empty({image.height, image.width, image.channels}, at::kByte);
  std::copy(image.pixels.begin(), image.pixels.end(), tensor.mutable_data_ptr<std::uint8_t>());
  return tensor;
}

template <class Values>
double mean(const Values& values) {
  double sum = 0;
  for (const auto v : values) {
    sum += static_cast<double>(v);
  }
  return sum / static_cast<double>(values.size());
}

double count_above(const Plane& plane, double threshold) {
  return static_cast<double>(std::count_if(
      plane.values.begin(), plane.values.end(), [&](double v) { return v > threshold; }));
}

class SynthesisCase {
 public:
  explicit SynthesisCase(const GoldenCase& golden) : golden_(golden) {
    golden.require_config({"image_size", "degrees", "colour_order"});
    const auto where = golden.name + ": config: image_size";
    const auto side = json_int(
        json_at(golden.config, "image_size", golden.name + ": config", kKind), where, kKind);
    ADB_CHECK(
        side > 0 && side <= kMaxSide, kKind, "{}: expected 1 to {}, got {}", where, kMaxSide, side);
    side_ = static_cast<int>(side);
  }

  GoldenResult run() {
    for (const auto& [name, tensor] : golden_.inputs) {
      if (name.starts_with("perlin.")) {
        add_noise(name.substr(7), noise(name));
      }
    }
    for (const auto& item : golden_.json["tensors"].items()) {
      const auto& name = item.key();
      if (item.value().contains("apply")) {
        add_augmented_texture(name, item.value()["apply"]);
      } else if (item.value().contains("degrees")) {
        add_rotated(name, item.value());
      } else if (item.value().contains("u")) {
        add_blended(name, item.value());
      } else if (name == "mask") {
        add_mask();
      }
    }
    return std::move(result_);
  }

 private:
  std::string where(const std::string& tensor) const {
    return fmt::format("{}: tensors: {}", golden_.name, tensor);
  }

  // An 8-bit RGB input of the case's size.
  Image image(const std::string& name) const {
    const auto& tensor = golden_.input(name);
    ADB_CHECK(tensor.scalar_type() == at::kByte && tensor.dim() == 3 && tensor.size(0) == side_ &&
                  tensor.size(1) == side_ && tensor.size(2) == 3,
              kKind,
              "{}: {}: expected 8-bit [{}, {}, 3]",
              golden_.name,
              name,
              side_,
              side_);
    Image result(side_, side_, 3);
    const auto flat = tensor.contiguous();
    std::copy_n(flat.const_data_ptr<std::uint8_t>(), result.pixels.size(), result.pixels.begin());
    return result;
  }

  // The noise of an input "perlin.RXxRY" [RX + 1, RY + 1] of numbers in [0, 1).
  Plane noise(const std::string& name) const {
    const auto& tensor = golden_.input(name);
    ADB_CHECK(tensor.dim() == 2 && tensor.size(0) >= 2 && tensor.size(1) >= 2 &&
                  tensor.size(0) <= kMaxSide && tensor.size(1) <= kMaxSide,
              kKind,
              "{}: {}: expected a grid of gradients",
              golden_.name,
              name);
    const auto turns = tensor.to(at::kDouble).contiguous();
    const std::span given(turns.const_data_ptr<double>(), static_cast<std::size_t>(turns.numel()));
    std::vector<double> angles(given.begin(), given.end());
    for (auto& angle : angles) {
      angle *= 2 * std::numbers::pi;
    }
    const GradientGrid grid(
        static_cast<int>(tensor.size(0)) - 1, static_cast<int>(tensor.size(1)) - 1, angles);
    return perlin_noise(grid, side_, side_);
  }

  // The case's only noise.
  Plane only_noise() const {
    for (const auto& [name, tensor] : golden_.inputs) {
      if (name.starts_with("perlin.")) {
        return noise(name);
      }
    }
    fail(kKind, "{}: no input 'perlin.RXxRY'", golden_.name);
  }

  void add_noise(const std::string& grid, const Plane& plane) {
    const auto path = "noise." + grid;
    const auto [low, high] = std::minmax_element(plane.values.begin(), plane.values.end());
    result_.scalars[path + "/min"] = *low;
    result_.scalars[path + "/max"] = *high;
    result_.scalars[path + "/mean"] = mean(plane.values);
    result_.scalars[path + "/count_above_0.5"] = count_above(plane, kThreshold);
    result_.scalars[path + "/count_above_0.5_plus_1e-6"] = count_above(plane, kThreshold + 1e-6);
    result_.scalars[path + "/count_above_0.5_minus_1e-6"] = count_above(plane, kThreshold - 1e-6);
    result_.tensors.emplace_back(path, to_tensor(plane));
  }

  void add_rotated(const std::string& name, const Json& described) {
    const auto place = where(name);
    const double degrees = json_number(described["degrees"], place + ": degrees", kKind);
    const auto source =
        json_string(json_at(described, "source", place, kKind), place + ": source", kKind);
    if (!source.starts_with("perlin.")) {
      const auto turned = rotate(image(source), degrees);
      result_.scalars[name + "/mean"] = mean(turned.pixels);
      result_.tensors.emplace_back(name, to_tensor(turned));
      return;
    }
    const auto turned = rotate(noise(source), degrees);
    result_.scalars[name + "/mean"] = mean(turned.values);
    result_.scalars[name + "/count_above_0.5"] = count_above(turned, kThreshold);
    result_.scalars[name + "/exact_zero"] =
        static_cast<double>(std::count(turned.values.begin(), turned.values.end(), 0.0));
    result_.tensors.emplace_back(name, to_tensor(turned));
  }

  void add_mask() {
    const auto mask = mask_above(only_noise(), kThreshold);
    auto tensor = at::empty({side_, side_}, at::kByte);
    std::copy(mask.begin(), mask.end(), tensor.mutable_data_ptr<std::uint8_t>());
    result_.scalars["mask_sum"] =
        static_cast<double>(std::accumulate(mask.begin(), mask.end(), 0L));
    result_.tensors.emplace_back("mask", tensor);
  }

  void add_blended(const std::string& name, const Json& described) {
    const double u = json_number(described["u"], where(name) + ": u", kKind);
    const auto mask = mask_above(only_noise(), kThreshold);
    const auto planes = blend(to_planes(image("image")),
                              image("texture"),
                              mask,
                              static_cast<float>(kMaxTransparency * u));
    auto tensor = at::empty({3, side_, side_}, at::kFloat);
    std::copy(planes.begin(), planes.end(), tensor.mutable_data_ptr<float>());
    double inside = 0, count = 0;
    for (std::size_t i = 0; i < planes.size(); ++i) {
      if (mask[i % mask.size()] != 0) {
        inside += static_cast<double>(planes[i]);
        ++count;
      }
    }
    result_.scalars[name + "/mean"] = mean(planes);
    result_.scalars[name + "/mean_inside_mask"] = count > 0 ? inside / count : 0;
    result_.tensors.emplace_back(name, tensor.permute({1, 2, 0}));
  }

  void add_augmented_texture(const std::string& name, const Json& apply) {
    const auto before = image("texture");
    auto after = before;
    apply_augmenter_of(apply, where(name) + ": apply", after);
    double changed = 0;
    for (std::size_t i = 0; i < before.pixels.size(); ++i) {
      changed += before.pixels[i] != after.pixels[i] ? 1 : 0;
    }
    result_.scalars[name + "/mean"] = mean(after.pixels);
    result_.scalars[name + "/changed_fraction"] =
        changed / static_cast<double>(before.pixels.size());
    result_.tensors.emplace_back(name, to_tensor(after));
  }

  static void apply_augmenter_of(const Json& apply, const std::string& place, Image& texture) {
    const auto number = [&](const char* key, double low, double high) {
      const double value = json_number(json_at(apply, key, place, kKind), place, kKind);
      ADB_CHECK(value >= low && value <= high,
                kKind,
                "{}: {}: expected {} to {}, got {}",
                place,
                key,
                low,
                high,
                value);
      return value;
    };
    const auto integer = [&](const char* key, int low, int high) {
      number(key, low, high);
      return static_cast<int>(json_int(apply[key], place, kKind));
    };
    const std::map<std::string, std::function<void()>> known = {
        {"gamma", [&] { gamma_contrast(texture, gamma_of(apply, place)); }},
        {"brightness",
         [&] { change_brightness(texture, space_of(apply, place), steps_of(apply, place)); }},
        {"sharpness", [&] { change_sharpness(texture, number("factor", -1e3, 1e3)); }},
        {"hue_saturation",
         [&] {
           change_hue_saturation(
               texture, integer("hue", -255, 255), integer("saturation", -255, 255));
         }},
        {"solarize", [&] { solarize(texture, number("threshold", 0, 256)); }},
        {"posterize", [&] { posterize(texture, integer("bits", 1, 8)); }},
        {"invert", [&] { invert(texture); }},
        {"autocontrast", [&] { autocontrast(texture, integer("cutoff", 0, 50)); }},
        {"equalize", [&] { equalize(texture); }},
        {"rotate", [&] { texture = rotate(texture, number("degrees", -360, 360)); }}};
    const auto name =
        json_string(json_at(apply, "augmenter", place, kKind), place + ": augmenter", kKind);
    const auto found = known.find(name);
    ADB_CHECK(found != known.end(), kKind, "{}: unknown augmenter '{}'", place, name);
    found->second();
  }

  static std::array<double, 3> gamma_of(const Json& apply, const std::string& place) {
    const auto& list = json_at(apply, "gamma", place, kKind);
    ADB_CHECK(list.is_array() && list.size() == 3, kKind, "{}: gamma: expected 3 numbers", place);
    return {json_number(list[0], place, kKind),
            json_number(list[1], place, kKind),
            json_number(list[2], place, kKind)};
  }

  static ColourSpace space_of(const Json& apply, const std::string& place) {
    static const std::map<std::string, ColourSpace> kSpaces = {{"YCrCb", ColourSpace::kYCrCb},
                                                               {"HSV", ColourSpace::kHsv},
                                                               {"HLS", ColourSpace::kHls},
                                                               {"Lab", ColourSpace::kLab},
                                                               {"Luv", ColourSpace::kLuv},
                                                               {"YUV", ColourSpace::kYuv}};
    const auto name = json_string(json_at(apply, "space", place, kKind), place + ": space", kKind);
    const auto found = kSpaces.find(name);
    ADB_CHECK(found != kSpaces.end(), kKind, "{}: unknown colour space '{}'", place, name);
    return found->second;
  }

  static std::vector<BrightnessStep> steps_of(const Json& apply, const std::string& place) {
    const auto& list = json_at(apply, "steps", place, kKind);
    ADB_CHECK(list.is_array(), kKind, "{}: steps: expected a list", place);
    std::vector<BrightnessStep> steps;
    for (const auto& step : list) {
      ADB_CHECK(step.is_array() && step.size() == 2 && (step[0] == "multiply" || step[0] == "add"),
                kKind,
                "{}: steps: expected [\"multiply\" or \"add\", number]",
                place);
      using Kind = BrightnessStep::Kind;
      steps.push_back(
          {step[0] == "add" ? Kind::kAdd : Kind::kMultiply, json_number(step[1], place, kKind)});
    }
    return steps;
  }

  const GoldenCase& golden_;
  int side_ = 0;
  GoldenResult result_;
};

}  // namespace

GoldenResult run_synthesis_golden(const GoldenCase& golden) {
  return SynthesisCase(golden).run();
}

}  // namespace adb
