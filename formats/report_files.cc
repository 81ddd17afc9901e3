#include "formats/report_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/files.h"
#include "core/json.h"

namespace adb {
namespace {

constexpr std::int64_t kMaxBins = 1000;
constexpr std::size_t kMaxImages = 1'000'000;
constexpr std::int64_t kMaxPicture = 1 << 20;  // bytes

// Names of a category's lines in the file.
constexpr std::array<std::pair<const char*, Polyline CategoryCurves::*>, 5> kLines = {{
    {"image_roc", &CategoryCurves::image_roc},
    {"image_pr", &CategoryCurves::image_pr},
    {"pixel_roc", &CategoryCurves::pixel_roc},
    {"pixel_pr", &CategoryCurves::pixel_pr},
    {"pixel_pro", &CategoryCurves::pixel_pro},
}};

// "" or what is wrong with a line.
std::string problem_of(const Polyline& line) {
  if (line.size() > kMaxCurvePoints) {
    return fmt::format("{} points, at most {} are allowed", line.size(), kMaxCurvePoints);
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const double part : line[i]) {
      if (!(part >= 0 && part <= 1)) {
        return fmt::format("point {} lies outside [0, 1]", i);
      }
    }
    if (i > 0 && line[i][0] < line[i - 1][0]) {
      return fmt::format("point {} lies left of the one before", i);
    }
  }
  return "";
}

std::string problem_of(const ScoreHistogram& scores) {
  if (!std::isfinite(scores.low) || !std::isfinite(scores.high) || scores.low > scores.high) {
    return "its ends are not finite or not in order";
  }
  if (scores.normal.size() != scores.anomalous.size() ||
      static_cast<std::int64_t>(scores.normal.size()) > kMaxBins) {
    return fmt::format("{} and {} bins, expected as many and at most {}",
                       scores.normal.size(),
                       scores.anomalous.size(),
                       kMaxBins);
  }
  for (const auto* counts : {&scores.normal, &scores.anomalous}) {
    if (std::any_of(counts->begin(), counts->end(), [](std::int64_t n) { return n < 0; })) {
      return "a negative count";
    }
  }
  return "";
}

void check(const CategoryCurves& curves, const std::string& where, ErrorKind kind) {
  for (const auto& [name, line] : kLines) {
    const std::string problem = problem_of(curves.*line);
    ADB_CHECK(problem.empty(), kind, "{}: {}: {}", where, name, problem);
  }
  const std::string problem = problem_of(curves.scores);
  ADB_CHECK(problem.empty(), kind, "{}: scores: {}", where, problem);
}

const Json& array_at(const Json& object, const char* key, const std::string& where) {
  const Json& found = json_at(object, key, where, ErrorKind::kData);
  ADB_CHECK(found.is_array(), ErrorKind::kData, "{}: '{}' is no list", where, key);
  return found;
}

std::vector<std::int64_t> counts_of(const Json& list, const std::string& where) {
  std::vector<std::int64_t> counts;
  for (const Json& count : list) {
    counts.push_back(json_int(count, where, ErrorKind::kData));
  }
  return counts;
}

Polyline line_of(const Json& list, const std::string& where) {
  Polyline line;
  for (const Json& point : list) {
    ADB_CHECK(point.is_array() && point.size() == 2,
              ErrorKind::kData,
              "{}: a point has two numbers",
              where);
    line.push_back({json_number(point[0], where, ErrorKind::kData),
                    json_number(point[1], where, ErrorKind::kData)});
  }
  return line;
}

void check_schema(const Json& json, const std::string& where) {
  const auto schema =
      json_int(json_at(json, "schema", where, ErrorKind::kData), where, ErrorKind::kData);
  ADB_CHECK(schema == kReportFilesSchema,
            ErrorKind::kData,
            "{}: schema {}, this program reads {}",
            where,
            schema,
            kReportFilesSchema);
}

std::string tensor_name(std::size_t image, std::string_view part) {
  return fmt::format("{:06}.{}", image, part);
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string curves_file_name(std::int64_t epoch) {
  return fmt::format("curves-{}.json", epoch);
}

std::string thumbnails_file_name(std::int64_t epoch) {
  return fmt::format("thumbs-{}.safetensors", epoch);
}

void write_curves(const std::filesystem::path& file, const TestCurves& curves) {
  Json categories = Json::array();
  for (const auto& category : curves.categories) {
    check(category, fmt::format("curves of '{}'", category.category), ErrorKind::kInternal);
    Json out = {{"category", category.category},
                {"scores",
                 {{"low", category.scores.low},
                  {"high", category.scores.high},
                  {"normal", category.scores.normal},
                  {"anomalous", category.scores.anomalous}}}};
    for (const auto& [name, line] : kLines) {
      out[name] = category.*line;
    }
    categories.push_back(std::move(out));
  }
  write_file_atomic(file,
                    canonical_json({{"schema", kReportFilesSchema},
                                    {"epoch", curves.epoch},
                                    {"categories", std::move(categories)}}) +
                        "\n");
}

TestCurves read_curves(const std::filesystem::path& file) {
  const std::string where = fmt::format("'{}'", file.string());
  const Json json = read_json(file, ErrorKind::kData);
  check_schema(json, where);
  TestCurves curves;
  curves.epoch = json_int(json_at(json, "epoch", where, ErrorKind::kData), where, ErrorKind::kData);
  for (const Json& category : array_at(json, "categories", where)) {
    CategoryCurves out;
    out.category = json_string(
        json_at(category, "category", where, ErrorKind::kData), where, ErrorKind::kData);
    const std::string here = fmt::format("{}: category '{}'", where, out.category);
    for (const auto& [name, line] : kLines) {
      out.*line = line_of(array_at(category, name, here), here);
    }
    const Json& scores = json_at(category, "scores", here, ErrorKind::kData);
    out.scores.low =
        json_number(json_at(scores, "low", here, ErrorKind::kData), here, ErrorKind::kData);
    out.scores.high =
        json_number(json_at(scores, "high", here, ErrorKind::kData), here, ErrorKind::kData);
    out.scores.normal = counts_of(array_at(scores, "normal", here), here);
    out.scores.anomalous = counts_of(array_at(scores, "anomalous", here), here);
    check(out, here, ErrorKind::kData);
    curves.categories.push_back(std::move(out));
  }
  return curves;
}

void write_thumbnails(const std::filesystem::path& file,
                      std::int64_t epoch,
                      std::span<const Thumbnail> images) {
  Json index = Json::array();
  NamedArrays arrays;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Thumbnail& image = images[i];
    const std::string where = fmt::format("thumbnail of '{}'", image.sample);
    ADB_CHECK(std::isfinite(image.score) && std::isfinite(image.low) && std::isfinite(image.high) &&
                  image.low <= image.high,
              ErrorKind::kInternal,
              "{}: score or scale is not finite or not in order",
              where);
    ADB_CHECK(!picture_type(image.input).empty() && picture_type(image.heat) == "image/png" &&
                  (image.truth.empty() || picture_type(image.truth) == "image/png"),
              ErrorKind::kInternal,
              "{}: input, heat map or ground truth is no picture",
              where);
    index.push_back({{"category", image.category},
                     {"sample", image.sample},
                     {"anomalous", image.anomalous},
                     {"score", image.score},
                     {"low", image.low},
                     {"high", image.high}});
    const auto add = [&](std::string_view part, const std::string& bytes) {
      if (!bytes.empty()) {
        arrays.emplace_back(tensor_name(i, part),
                            ArrayView{.dtype = DType::kU8,
                                      .shape = {static_cast<std::int64_t>(bytes.size())},
                                      .bytes = bytes_of(bytes)});
      }
    };
    add("input", image.input);
    add("truth", image.truth);
    add("heat", image.heat);
  }
  write_safetensors(
      file,
      arrays,
      {{"adbench",
        canonical_json(
            {{"schema", kReportFilesSchema}, {"epoch", epoch}, {"images", std::move(index)}})}},
      ErrorKind::kInternal);
}

ThumbnailFile ThumbnailFile::open(const std::filesystem::path& path) {
  ThumbnailFile file(SafetensorsFile::open(path, ErrorKind::kData));
  const std::string where = fmt::format("'{}'", path.string());
  const auto found = file.file_.metadata().find("adbench");
  ADB_CHECK(
      found != file.file_.metadata().end(), ErrorKind::kData, "{}: no index of thumbnails", where);
  const Json json = parse_json(found->second, where + ", index", ErrorKind::kData);
  check_schema(json, where);
  file.epoch_ = json_int(json_at(json, "epoch", where, ErrorKind::kData), where, ErrorKind::kData);
  const Json& images = array_at(json, "images", where);
  ADB_CHECK(images.size() <= kMaxImages, ErrorKind::kData, "{}: too many images", where);
  for (const Json& image : images) {
    const auto at = [&](const char* key) -> const Json& {
      return json_at(image, key, where, ErrorKind::kData);
    };
    file.images_.push_back({.category = json_string(at("category"), where, ErrorKind::kData),
                            .sample = json_string(at("sample"), where, ErrorKind::kData),
                            .anomalous = json_bool(at("anomalous"), where, ErrorKind::kData),
                            .score = json_number(at("score"), where, ErrorKind::kData),
                            .low = json_number(at("low"), where, ErrorKind::kData),
                            .high = json_number(at("high"), where, ErrorKind::kData)});
  }
  return file;
}

Thumbnail ThumbnailFile::read(std::size_t image) const {
  Thumbnail out = images_.at(image);
  const auto picture = [&](std::string_view part, bool required) -> std::string {
    const std::string name = tensor_name(image, part);
    const ArrayView* found = required ? &file_.at(name) : file_.find(name);
    if (found == nullptr) {
      return "";
    }
    std::string bytes(reinterpret_cast<const char*>(found->bytes.data()), found->bytes.size());
    ADB_CHECK(found->dtype == DType::kU8 && !picture_type(bytes).empty() &&
                  static_cast<std::int64_t>(bytes.size()) <= kMaxPicture,
              ErrorKind::kData,
              "thumbnail '{}' of '{}' is no picture",
              part,
              out.sample);
    return bytes;
  };
  out.input = picture("input", true);
  out.truth = picture("truth", false);
  out.heat = picture("heat", true);
  return out;
}

std::string picture_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) {
    return "image/png";
  }
  return bytes.starts_with("\xFF\xD8\xFF") ? "image/jpeg" : "";
}

}  // namespace adb
