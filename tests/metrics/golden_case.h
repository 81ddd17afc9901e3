// A metrics case of tests/goldens as input for the metrics.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "formats/safetensors.h"
#include "metrics/input.h"

namespace adb::testing {

struct GoldenCase {
  Json json;
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> scores;  // [N, H, W]
  std::vector<std::uint8_t> masks;
  // Per category (0 alone if the case has none): its images in file order.
  struct Category {
    std::vector<std::size_t> images;
    std::vector<std::uint8_t> labels;
    std::vector<float> image_scores;
  };
  std::map<std::int64_t, Category> categories;

  explicit GoldenCase(const std::string& name) {
    const std::filesystem::path folder = ADB_TEST_GOLDENS;
    json = read_json(folder / (name + ".json"), ErrorKind::kData);
    const auto file = SafetensorsFile::open(folder / (name + ".safetensors"), ErrorKind::kData);
    const ArrayView& maps = file.at("scores");
    height = static_cast<std::size_t>(maps.shape.at(1));
    width = static_cast<std::size_t>(maps.shape.at(2));
    scores = to_floats(maps, name, ErrorKind::kData);
    const auto mask_bytes = file.at("masks").bytes;
    masks.assign(mask_bytes.begin(), mask_bytes.end());
    const auto labels = file.at("image_labels").bytes;
    const auto image_scores = to_floats(file.at("image_scores"), name, ErrorKind::kData);
    std::vector<double> category(labels.size(), 0);
    if (const ArrayView* array = file.find("category")) {
      category = to_doubles(*array, name, ErrorKind::kData);
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
      Category& its = categories[static_cast<std::int64_t>(category[i])];
      its.images.push_back(i);
      its.labels.push_back(labels[i]);
      its.image_scores.push_back(image_scores[i]);
    }
  }

  std::span<const float> map(std::size_t image) const {
    return std::span(scores).subspan(image * height * width, height * width);
  }
  std::span<const std::uint8_t> mask(std::size_t image) const {
    return std::span(masks).subspan(image * height * width, height * width);
  }

  CategoryInput input(std::int64_t category = 0) const {
    const Category& its = categories.at(category);
    CategoryInput input;
    input.height = height;
    input.width = width;
    for (const std::size_t image : its.images) {
      input.maps.push_back(map(image));
      input.masks.push_back(mask(image));
    }
    input.image_labels = its.labels;
    input.image_scores = its.image_scores;
    return input;
  }
};

}  // namespace adb::testing
