#include "cli/eval_category.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "images/codec.h"
#include "images/loader.h"
#include "metrics/image_score.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{1} << 30;
// Linux allows a process 65,530 mappings; maps beyond these are copied.
constexpr std::size_t kMaxMappedMaps = 32768;

// Pages for the maps or masks of a category.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : size_(std::max<std::size_t>(bytes, 1)) {
    int fd = -1;
    if (size_ > kMemoryBytes) {
      std::string name = (fs::temp_directory_path() / "adbench-maps-XXXXXX").string();
      fd = ::mkostemp(name.data(), O_CLOEXEC);
      ADB_CHECK(fd >= 0, ErrorKind::kData, "cannot create '{}': {}", name, std::strerror(errno));
      ::unlink(name.c_str());
      // Reserved now, so that a full disk is an error here and not a signal later.
      const int failed = ::posix_fallocate(fd, 0, static_cast<off_t>(size_));
      if (failed != 0) {
        ::close(fd);
        fail(ErrorKind::kData,
             "cannot keep {} bytes of maps in '{}': {}",
             size_,
             fs::temp_directory_path().string(),
             std::strerror(failed));
      }
    }
    void* pages = ::mmap(nullptr,
                         size_,
                         PROT_READ | PROT_WRITE,
                         fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
                         fd,
                         0);
    if (fd >= 0) {
      ::close(fd);
    }
    ADB_CHECK(pages != MAP_FAILED,
              ErrorKind::kData,
              "no memory for {} bytes of maps: {}",
              size_,
              std::strerror(errno));
    data_ = static_cast<std::uint8_t*>(pages);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { ::munmap(data_, size_); }

  std::uint8_t* data() const { return data_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_;
};

// NaN and infinities of a category: counted in all maps and scores, the first one named.
class FiniteCheck {
 public:
  void add_map(const ScoreMap& map, const EvalItem& item) {
    for (std::size_t i = 0; i < map.values.size(); ++i) {
      if (!std::isfinite(map.values[i])) {
        const auto width = static_cast<std::size_t>(map.width);
        add(map.values[i], [&](const char* what) {
          return fmt::format("map '{}' has {} at row {}, column {}",
                             item.map.string(),
                             what,
                             i / width,
                             i % width);
        });
      }
    }
  }

  void add_score(float score, const EvalItem& item) {
    if (!std::isfinite(score)) {
      add(score, [&](const char* what) {
        return fmt::format("the given score of '{}' is {}", item.id, what);
      });
    }
  }

  void check(const std::string& category) const {
    ADB_CHECK(first_.empty(),
              ErrorKind::kData,
              "category '{}': {}; {} NaN and {} infinite values in all",
              category,
              first_,
              nan_,
              infinite_);
  }

  bool found() const { return !first_.empty(); }

 private:
  template <class Describe>
  void add(float value, const Describe& describe) {
    ++(std::isnan(value) ? nan_ : infinite_);
    if (first_.empty()) {
      first_ = describe(std::isnan(value) ? "NaN" : "an infinite value");
    }
  }

  std::string first_;
  std::uint64_t nan_ = 0, infinite_ = 0;
};

float score_of(const ScoreMap& map, const EvalItem& item, const ImageScore& how) {
  switch (how.kind) {
    case ImageScore::Kind::kMax:
      return max_score(map.values);
    case ImageScore::Kind::kPooled:
      try {
        return static_cast<float>(
            pooled_max(map.values, static_cast<std::size_t>(map.width), how.count));
      } catch (const Error& e) {
        throw Error(e.kind(), fmt::format("map '{}': {}", item.map.string(), e.what()));
      }
    case ImageScore::Kind::kTop:
      return static_cast<float>(top_mean(map.values, how.count));
    case ImageScore::Kind::kGiven:
      break;
  }
  ADB_CHECK(item.score,
            ErrorKind::kData,
            "no score is given for '{}': --image-score given needs one for every image",
            item.id);
  return *item.score;
}

// Components (8-connected) of `mask` of which no pixel falls into an anomalous one of `small`,
// which is side x side.
std::int64_t vanished_components(const Image& mask, std::span<const std::uint8_t> small, int side) {
  std::vector<std::uint8_t> seen(mask.pixels.size(), 0);
  std::vector<std::array<int, 2>> open;
  std::int64_t vanished = 0;
  const auto visit = [&](int x, int y) {
    if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) {
      return;
    }
    const auto at = mask.offset(x, y);
    if (mask.pixels[at] != 0 && seen[at] == 0) {
      seen[at] = 1;
      open.push_back({x, y});
    }
  };
  for (int top = 0; top < mask.height; ++top) {
    for (int left = 0; left < mask.width; ++left) {
      visit(left, top);
      if (open.empty()) {
        continue;
      }
      bool kept = false;
      while (!open.empty()) {
        const auto [x, y] = open.back();
        open.pop_back();
        const auto column = static_cast<std::int64_t>(x) * side / mask.width;
        const auto row = static_cast<std::int64_t>(y) * side / mask.height;
        kept = kept || small[static_cast<std::size_t>(row * side + column)] != 0;
        for (int dy = -1; dy <= 1; ++dy) {
          for (int dx = -1; dx <= 1; ++dx) {
            visit(x + dx, y + dy);
          }
        }
      }
      vanished += kept ? 0 : 1;
    }
  }
  return vanished;
}

struct Size {
  int width = 0;
  int height = 0;
};

class CategoryLoader {
 public:
  CategoryLoader(const EvalSet& set, const std::string& category, const EvalOptions& options)
      : options_(options), images_(images_api()) {
    out_.category = category;
    for (const EvalItem& item : set.items) {
      if (item.category == category) {
        out_.items.push_back(&item);
        num_masks_ += item.mask ? 1 : 0;
        unmasked_ += item.anomalous && !item.mask ? 1 : 0;
      }
    }
    ADB_ASSERT(!out_.items.empty());
    size_ = native() ? native_size() : Size{options.size.side, options.size.side};
    plane_ = static_cast<std::size_t>(size_.width) * static_cast<std::size_t>(size_.height);
  }

  CategoryEvaluation evaluate() {
    const Pages masks(unmasked_ > 0 ? 0 : (num_masks_ + 1) * plane_);
    CategoryInput input;
    input.height = static_cast<std::size_t>(size_.height);
    input.width = static_cast<std::size_t>(size_.width);
    input.without_masks = unmasked_ > 0;
    if (!input.without_masks) {
      read_masks(masks, &input);
    } else {
      out_.notes.push_back(fmt::format(
          "pixel figures of '{}' are undefined: {} of its anomalous images have no mask",
          out_.category,
          unmasked_));
    }
    read_maps(&input);
    std::vector<std::uint8_t> labels;
    for (const EvalItem* item : out_.items) {
      labels.push_back(item->anomalous ? 1 : 0);
    }
    input.image_labels = labels;
    input.image_scores = out_.scores;
    input.image_name = [this](std::size_t i) { return "'" + out_.items[i]->id + "'"; };
    out_.result = evaluate_category(input, options_.metrics);
    if (options_.by_defect) {
      evaluate_defects(input);
    }
    if (options_.bootstrap) {
      out_.intervals = bootstrap(input, *options_.bootstrap);
    }
    for (const EvaluationWarning& warning : out_.result.warnings) {
      out_.notes.push_back(warning.message);
    }
    return std::move(out_);
  }

 private:
  bool native() const { return options_.size.side == 0; }

  void evaluate_defects(const CategoryInput& all) {
    std::set<std::string> names;
    for (const EvalItem* item : out_.items) {
      if (item->anomalous) {
        names.insert(item->defect);
      }
    }
    for (const std::string& name : names) {
      CategoryInput part;
      part.height = all.height;
      part.width = all.width;
      part.without_masks = all.without_masks;
      std::vector<std::uint8_t> labels;
      std::vector<float> scores;
      for (std::size_t i = 0; i < out_.items.size(); ++i) {
        if (out_.items[i]->anomalous && out_.items[i]->defect != name) {
          continue;
        }
        part.maps.push_back(all.maps[i]);
        if (!all.without_masks) {
          part.masks.push_back(all.masks[i]);
        }
        labels.push_back(all.image_labels[i]);
        scores.push_back(all.image_scores[i]);
      }
      part.image_labels = labels;
      part.image_scores = scores;
      out_.defects.push_back({name, evaluate_category(part, options_.metrics)});
    }
  }

  // Of the first mask; where there are none, pixel figures are undefined and the first map decides.
  Size native_size() const {
    for (const EvalItem* item : out_.items) {
      if (item->mask) {
        const auto info = images_.probe_image(*item->mask);
        return {info.width, info.height};
      }
    }
    const auto map = read_score_map(out_.items.front()->map);
    return {map.width, map.height};
  }

  void read_masks(const Pages& pages, CategoryInput* input) {
    std::uint8_t* next = pages.data() + plane_;  // the first plane stays 0: nothing anomalous
    std::int64_t grey = 0;
    for (const EvalItem* item : out_.items) {
      if (!item->mask) {
        input->masks.emplace_back(pages.data(), plane_);
        continue;
      }
      const Image mask = images_.read_mask(*item->mask);
      if (item->anomalous &&
          std::all_of(mask.pixels.begin(), mask.pixels.end(), [](auto v) { return v == 0; })) {
        out_.notes.push_back(fmt::format("'{}' is labelled anomalous, but its mask '{}' is empty",
                                         item->id,
                                         item->mask->string()));
      }
      grey += std::any_of(mask.pixels.begin(),
                          mask.pixels.end(),
                          [](std::uint8_t v) { return v != 0 && v != 255; })
                  ? 1
                  : 0;
      const std::span<std::uint8_t> plane(next, plane_);
      next += plane_;
      if (native()) {
        check_native(mask.width, mask.height, "mask", *item->mask);
        std::transform(mask.pixels.begin(), mask.pixels.end(), plane.begin(), [](std::uint8_t v) {
          return static_cast<std::uint8_t>(v != 0 ? 1 : 0);
        });
      } else {
        const auto resized = images_.resize_mask(mask, size_.width, size_.height);
        std::copy(resized.begin(), resized.end(), plane.begin());
        if (mask.width != size_.width || mask.height != size_.height) {
          out_.components_vanished += vanished_components(mask, plane, size_.width);
        }
      }
      const bool marked = std::find(plane.begin(), plane.end(), 1) != plane.end();
      out_.labels_changed += marked != item->anomalous ? 1 : 0;
      input->masks.emplace_back(plane);
    }
    if (grey > 0) {
      out_.notes.push_back(
          fmt::format("'{}': {} masks have values other than 0 and 255; every value above 0 counts "
                      "as anomalous",
                      out_.category,
                      grey));
    }
  }

  void read_maps(CategoryInput* input) {
    FiniteCheck finite;
    std::int64_t resized = 0;
    Size first_size;
    for (const EvalItem* item : out_.items) {
      ScoreMap map = read_score_map(item->map);
      finite.add_map(map, *item);
      if (native()) {
        check_native(map.width, map.height, "map", item->map);
      }
      if (finite.found()) {
        continue;  // only counting is left to do
      }
      out_.scores.push_back(score_of(map, *item, options_.image_score));
      if (map.width != size_.width || map.height != size_.height) {
        first_size = resized++ == 0 ? Size{map.width, map.height} : first_size;
        const FloatMap original = {map.width, map.height, {map.values.begin(), map.values.end()}};
        input->maps.push_back(
            copy_map(images_.resize_map(original, size_.width, size_.height).values));
      } else if (map.mapped && mapped_maps_.size() < kMaxMappedMaps) {
        input->maps.push_back(map.values);
        mapped_maps_.push_back(std::move(map.owner));
      } else {
        input->maps.push_back(copy_map(map.values));
      }
    }
    if (options_.image_score.kind == ImageScore::Kind::kGiven) {
      for (const EvalItem* item : out_.items) {
        finite.add_score(item->score.value_or(0), *item);
      }
    }
    finite.check(out_.category);
    if (resized > 0) {
      out_.notes.push_back(
          fmt::format("'{}': {} of {} maps resized to {} x {}, the first from {} x {}",
                      out_.category,
                      resized,
                      out_.items.size(),
                      size_.height,
                      size_.width,
                      first_size.height,
                      first_size.width));
    }
  }

  // Into pages for the maps of this category that no file holds as they are needed.
  std::span<const float> copy_map(std::span<const float> values) {
    if (!copied_maps_) {
      copied_maps_.emplace((out_.items.size() - mapped_maps_.size()) * plane_ * sizeof(float));
      next_copy_ = reinterpret_cast<float*>(copied_maps_->data());  // aligned for anything
    }
    float* copy = next_copy_;
    next_copy_ = std::copy(values.begin(), values.end(), copy);
    return {copy, plane_};
  }

  void check_native(int width, int height, const char* what, const fs::path& file) const {
    ADB_CHECK(width == size_.width && height == size_.height,
              ErrorKind::kData,
              "{} '{}' has {} x {} pixels, but {} of category '{}' has {} x {}: native evaluation "
              "needs one size in a category",
              what,
              file.string(),
              height,
              width,
              num_masks_ > 0 ? "the first mask" : "the first map",
              out_.category,
              size_.height,
              size_.width);
  }

  const EvalOptions& options_;
  const ImagesApi& images_;
  CategoryEvaluation out_;
  std::size_t num_masks_ = 0;
  std::int64_t unmasked_ = 0;
  Size size_;
  std::size_t plane_ = 0;
  std::vector<std::shared_ptr<const void>> mapped_maps_;
  std::optional<Pages> copied_maps_;
  float* next_copy_ = nullptr;
};

}  // namespace

CategoryEvaluation evaluate_maps(const EvalSet& set,
                                 const std::string& category,
                                 const EvalOptions& options) {
  return CategoryLoader(set, category, options).evaluate();
}

}  // namespace adb
