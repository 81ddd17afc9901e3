#include "datasets/synth/synth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "core/text.h"
#include "datasets/synth/scene.h"

namespace adb {
namespace {

using synth::Category;
using synth::Rgb;
using synth::Scene;

std::array<Category, 8> all_categories() {
  return {synth::fabric(),
          synth::brushed_metal(),
          synth::wood(),
          synth::terrazzo(),
          synth::gear(),
          synth::capsule(),
          synth::screw(),
          synth::board()};
}

Category find_category(const std::string& name) {
  std::vector<std::string> known;
  for (const Category& category : all_categories()) {
    if (category.name == name) {
      return category;
    }
    known.emplace_back(category.name);
  }
  throw Error(ErrorKind::kUsage, unknown_name("category of the sample data", name, known));
}

void check_range(const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
  ADB_CHECK(value >= low && value <= high,
            ErrorKind::kUsage,
            "{} must be in [{}, {}], got {}",
            what,
            low,
            high,
            value);
}

std::vector<Rgb> draw(const Scene& scene, int size) {
  std::vector<Rgb> pixels;
  pixels.reserve(static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
  const double step = synth::kUnits / size;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      pixels.push_back(scene({(x + 0.5) * step, (y + 0.5) * step}));
    }
  }
  return pixels;
}

// A binary square image with the few operations that clean a mask.
class Region {
 public:
  explicit Region(int size)
      : size_(size), set_(static_cast<std::size_t>(size) * static_cast<std::size_t>(size)) {}

  std::vector<std::uint8_t>& values() { return set_; }
  const std::vector<std::uint8_t>& values() const { return set_; }

  std::size_t area() const {
    return static_cast<std::size_t>(std::count(set_.begin(), set_.end(), 1));
  }

  // Closes gaps of up to two pixels: a defect's pixels that happen to look like their twin's belong
  // to it.
  void close() {
    spread(1);
    spread(0);
  }

  // Takes away parts of fewer than `least` pixels, of the region (value 1) or of its background
  // (value 0, which fills holes). Parts are 8-connected.
  void drop_parts(std::uint8_t value, std::size_t least) {
    std::vector<std::uint8_t> seen(set_.size());
    std::vector<std::size_t> part;
    for (std::size_t start = 0; start < set_.size(); ++start) {
      if (set_[start] != value || seen[start] != 0) {
        continue;
      }
      part.assign(1, start);
      seen[start] = 1;
      for (std::size_t k = 0; k < part.size(); ++k) {
        for_neighbours(part[k], [&](std::size_t next) {
          if (set_[next] == value && seen[next] == 0) {
            seen[next] = 1;
            part.push_back(next);
          }
        });
      }
      if (part.size() < least) {
        for (const std::size_t pixel : part) {
          set_[pixel] = value == 0 ? 1 : 0;
        }
      }
    }
  }

 private:
  template <class Visit>
  void for_neighbours(std::size_t pixel, const Visit& visit) const {
    const auto x = static_cast<int>(pixel % static_cast<std::size_t>(size_));
    const auto y = static_cast<int>(pixel / static_cast<std::size_t>(size_));
    for (int ny = std::max(y - 1, 0); ny <= std::min(y + 1, size_ - 1); ++ny) {
      for (int nx = std::max(x - 1, 0); nx <= std::min(x + 1, size_ - 1); ++nx) {
        visit(static_cast<std::size_t>(ny) * static_cast<std::size_t>(size_) +
              static_cast<std::size_t>(nx));
      }
    }
  }

  // Every pixel with a neighbour of `value` takes that value: 1 grows the region, 0 shrinks it.
  void spread(std::uint8_t value) {
    std::vector<std::uint8_t> out = set_;
    for (std::size_t pixel = 0; pixel < set_.size(); ++pixel) {
      if (set_[pixel] == value) {
        for_neighbours(pixel, [&](std::size_t next) { out[next] = value; });
      }
    }
    set_ = std::move(out);
  }

  int size_;
  std::vector<std::uint8_t> set_;
};

// Where two drawings differ visibly.
Region difference(const std::vector<Rgb>& a, const std::vector<Rgb>& b, int size) {
  constexpr double kVisible = 4.0 / 255;
  Region region(size);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double most =
        std::max({std::abs(a[i].r - b[i].r), std::abs(a[i].g - b[i].g), std::abs(a[i].b - b[i].b)});
    region.values()[i] = most > kVisible ? 1 : 0;
  }
  region.close();
  region.drop_parts(0, region.values().size() / 600);
  region.drop_parts(1, 6);
  return region;
}

// Exposure, uneven light, white balance, sensor noise; then 8 bits.
Image photograph(const std::vector<Rgb>& light, int size, Stream camera) {
  const double exposure = camera.uniform(0.93, 1.07);
  const double slope_x = camera.uniform(-0.08, 0.08), slope_y = camera.uniform(-0.08, 0.08);
  const double vignette = camera.uniform(0.0, 0.10);
  const double red = camera.uniform(0.985, 1.015), blue = camera.uniform(0.985, 1.015);
  const double read_noise = camera.uniform(0.004, 0.010), shot_noise = camera.uniform(0.006, 0.014);
  const std::array<std::uint32_t, 3> keys = {
      synth::key_of(camera), synth::key_of(camera), synth::key_of(camera)};
  Image image(size, size, 3);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double u = (2.0 * x + 1) / size - 1, v = (2.0 * y + 1) / size - 1;  // -1 .. 1
      const double gain =
          exposure * (1 + slope_x * u + slope_y * v - vignette * 0.5 * (u * u + v * v));
      const Rgb& point = light[image.offset(x, y) / 3];
      const std::array<double, 3> channels = {point.r * red, point.g, point.b * blue};
      for (std::size_t c = 0; c < 3; ++c) {
        const double value = std::max(channels[c] * gain, 0.0);
        // Four bytes of a hash, summed: nearly normal, standard deviation 1.
        const auto bits = static_cast<std::uint32_t>(synth::lattice(keys[c], x, y) * 0x1p32);
        const double sum = static_cast<double>((bits & 255) + (bits >> 8 & 255) +
                                               (bits >> 16 & 255) + (bits >> 24));
        const double noise = (sum - 510) / 147.8 *
                             std::sqrt(read_noise * read_noise + shot_noise * shot_noise * value);
        image.pixels[image.offset(x, y) + c] =
            static_cast<std::uint8_t>(synth::clamp((value + noise) * 255 + 0.5, 0, 255));
      }
    }
  }
  return image;
}

// One item of a set: what is drawn, from which streams.
class Specimen {
 public:
  Specimen(const SynthSpec& spec, const SynthItem& item)
      : spec_(spec), item_(item), category_(find_category(item.category)) {
    check_range("the image size", spec.size, 64, 2048);
    const auto& defects = category_.defects;
    const auto found = std::find(defects.begin(), defects.end(), item.defect);
    if (found != defects.end()) {
      defect_ = *found;
    } else if (item.defect != "good") {
      throw Error(
          ErrorKind::kUsage,
          unknown_name(
              "defect of '" + item.category + "'", item.defect, {defects.begin(), defects.end()}));
    }
  }

  bool has_defect() const { return !defect_.empty(); }

  std::vector<Rgb> draw_flawless() const {
    return draw(category_.make(stream("look"), "", stream("flaw")), spec_.size);
  }

  // Draws the defect into `light`. returns: where
  Region draw_defect(std::vector<Rgb>& light) const {
    // A defect may fall beside the object or vanish in it: then another one is drawn.
    constexpr int kAttempts = 50;
    const double pixels = static_cast<double>(spec_.size) * spec_.size;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::vector<Rgb> flawed =
          draw(category_.make(stream("look"), defect_, stream("flaw", attempt)), spec_.size);
      Region region = difference(light, flawed, spec_.size);
      const auto area = static_cast<double>(region.area());
      if (area < std::max(6.0, 0.0008 * pixels) || area > 0.25 * pixels) {
        continue;
      }
      for (std::size_t i = 0; i < light.size(); ++i) {
        light[i] = region.values()[i] != 0 ? flawed[i] : light[i];
      }
      return region;
    }
    fail(ErrorKind::kInternal, "no visible defect for {}", item_.image_path());
  }

  SynthImage photograph(const std::vector<Rgb>& light, const Region& region) const {
    SynthImage out{adb::photograph(light, spec_.size, stream("camera")),
                   Image(spec_.size, spec_.size, 1)};
    std::transform(region.values().begin(),
                   region.values().end(),
                   out.mask.pixels.begin(),
                   [](std::uint8_t set) { return static_cast<std::uint8_t>(set != 0 ? 255 : 0); });
    return out;
  }

 private:
  Stream stream(std::string_view part, int attempt = 0) const {
    return Stream(
        spec_.seed,
        fmt::format(
            "synth.{}.{}.{}.{}", item_.category, split_name(item_.split), item_.defect, part),
        attempt,
        item_.index);
  }

  const SynthSpec& spec_;
  const SynthItem& item_;
  Category category_;
  std::string_view defect_;  // empty for a normal image
};

std::string file_number(int index) {
  return fmt::format("{:03}", index);
}

}  // namespace

void SynthSpec::validate() const {
  check_range("the image size", size, 64, 2048);
  check_range("the number of training images", train, 1, 10'000);
  check_range("the number of normal test images", test_good, 0, 10'000);
  check_range("the number of defective test images", test_defective, 0, 10'000);
  check_range("the number of test images", test_good + test_defective, 1, 20'000);
  for (const std::string& name : categories) {
    find_category(name);
  }
}

std::vector<SynthCategory> synth_categories() {
  std::vector<SynthCategory> list;
  for (const Category& category : all_categories()) {
    list.push_back({std::string(category.name),
                    category.is_texture,
                    std::string(category.look),
                    {category.defects.begin(), category.defects.end()}});
  }
  return list;
}

std::string SynthItem::image_path() const {
  return fmt::format("{}/{}/{}/{}.png", category, split_name(split), defect, file_number(index));
}

std::string SynthItem::mask_path() const {
  return fmt::format("{}/ground_truth/{}/{}_mask.png", category, defect, file_number(index));
}

std::vector<SynthItem> synth_items(const SynthSpec& spec) {
  spec.validate();
  std::vector<SynthItem> items;
  for (const SynthCategory& category : synth_categories()) {
    const auto& chosen = spec.categories;
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), category.name) == chosen.end()) {
      continue;
    }
    for (int k = 0; k < spec.train; ++k) {
      items.push_back({category.name, Split::kTrain, "good", k});
    }
    for (int k = 0; k < spec.test_good; ++k) {
      items.push_back({category.name, Split::kTest, "good", k});
    }
    const auto kinds = static_cast<int>(category.defects.size());
    for (int k = 0; k < spec.test_defective; ++k) {
      items.push_back({category.name,
                       Split::kTest,
                       category.defects[static_cast<std::size_t>(k % kinds)],
                       k / kinds});
    }
  }
  std::sort(items.begin(), items.end(), [](const SynthItem& a, const SynthItem& b) {
    return a.image_path() < b.image_path();
  });
  return items;
}

SynthImage synth_image(const SynthSpec& spec, const SynthItem& item) {
  const Specimen specimen(spec, item);
  std::vector<Rgb> light = specimen.draw_flawless();
  Region region(spec.size);
  if (specimen.has_defect()) {
    region = specimen.draw_defect(light);
  }
  return specimen.photograph(light, region);
}

SynthImage synth_twin(const SynthSpec& spec, const SynthItem& item) {
  const Specimen specimen(spec, item);
  return specimen.photograph(specimen.draw_flawless(), Region(spec.size));
}

}  // namespace adb
