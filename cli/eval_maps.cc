#include "cli/eval_maps.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/text.h"
#include "datasets/csv.h"
#include "datasets/listing.h"
#include "formats/npy.h"
#include "formats/npz.h"
#include "formats/quote.h"
#include "formats/safetensors.h"
#include "images/codec.h"
#include "images/loader.h"

namespace adb {
namespace fs = std::filesystem;
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr std::array<std::string_view, 6> kExtensions = {
    ".npy", ".npz", ".safetensors", ".tiff", ".tif", ".png"};

std::string lower_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return extension;
}

bool is_map_name(const fs::path& file) {
  const auto extension = lower_extension(file);
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

// --- reading

ScoreMap decoded(FloatMap map) {
  const auto owner = std::make_shared<const FloatMap>(std::move(map));
  return {owner->width, owner->height, owner->values, false, owner};
}

// mapping: of the array's bytes, if they lie in a mapped file
ScoreMap map_of_array(const ArrayView& array,
                      const std::string& where,
                      const std::shared_ptr<const void>& mapping = nullptr) {
  auto shape = array.shape;
  while (shape.size() > 2 && shape.front() == 1) {
    shape.erase(shape.begin());
  }
  while (shape.size() > 2 && shape.back() == 1) {
    shape.pop_back();
  }
  ADB_CHECK(shape.size() == 2,
            kKind,
            "{} has the shape {}: expected one map, [height, width]",
            where,
            shape_text(array.shape));
  ADB_CHECK(shape[0] >= 1 && shape[1] >= 1 && shape[0] <= kMaxImageSide &&
                shape[1] <= kMaxImageSide && shape[0] * shape[1] <= kMaxImagePixels,
            kKind,
            "{} has {} x {} pixels: expected 1 to {} a side and at most {} in all",
            where,
            shape[0],
            shape[1],
            kMaxImageSide,
            kMaxImagePixels);
  const auto height = static_cast<int>(shape[0]);
  const auto width = static_cast<int>(shape[1]);
  const void* bytes = array.bytes.data();
  if (mapping != nullptr && array.dtype == DType::kF32 &&
      std::bit_cast<std::uintptr_t>(bytes) % alignof(float) == 0) {
    const auto count = array.bytes.size() / sizeof(float);
    return {width, height, {static_cast<const float*>(bytes), count}, true, mapping};
  }
  return decoded({width, height, to_floats(array, where, kKind)});
}

// The only array of a file, or the one called "map".
std::string map_name(const std::vector<std::string>& names, const std::string& file) {
  if (names.size() == 1) {
    return names.front();
  }
  ADB_CHECK(std::find(names.begin(), names.end(), "map") != names.end(),
            kKind,
            "'{}' holds {} arrays{}: expected one, or one called 'map'",
            file,
            names.size(),
            names.empty() ? "" : ", the first is " + quote(names.front()));
  return "map";
}

// --- maps beside a data set

// The map files of one folder by stem, listed once.
using MapFiles = std::map<std::string, std::vector<std::string>>;

MapFiles list_maps(const fs::path& folder) {
  MapFiles files;
  if (!is_folder(folder)) {
    return files;
  }
  std::error_code error;
  fs::directory_iterator it(folder, error), end;
  for (; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename();
    std::error_code ignored;
    if (!name.string().starts_with('.') && is_map_name(name) && it->is_regular_file(ignored)) {
      files[name.stem().string()].push_back(name.string());
    }
  }
  ADB_CHECK(!error, kKind, "cannot list '{}': {}", folder.string(), error.message());
  return files;
}

// Looks the maps up folder by folder, and remembers which were taken.
class MapFinder {
 public:
  MapFinder(const Dataset& dataset, const fs::path& root) : root_(root) {
    ADB_CHECK(is_folder(root), kKind, "maps folder '{}' does not exist", root.string());
    whole_category_ = dataset.categories.size() == 1 &&
                      !is_folder(root / dataset.categories.front()) && is_folder(root / "test");
  }

  // Empty when there is none. throws: Error(kData) when there are two
  fs::path take(const Sample& sample) {
    const fs::path folder = folder_of(sample);
    const auto listed = folders_.try_emplace(folder.string());
    auto& files = listed.first->second;
    if (listed.second) {
      files = list_maps(folder);
    }
    const std::string stem = sample.image.stem().string();
    const auto found = files.find(stem);
    if (found == files.end()) {
      ADB_CHECK(!taken_.contains((folder / stem).string()),
                kKind,
                "two images share the map '{}': the second is '{}'",
                (folder / stem).string(),
                sample.id);
      return {};
    }
    ADB_CHECK(found->second.size() == 1,
              kKind,
              "'{}' has two maps in '{}': '{}' and '{}'",
              sample.id,
              folder.string(),
              found->second[0],
              found->second[1]);
    const fs::path map = folder / found->second.front();
    files.erase(found);
    taken_.insert((folder / stem).string());
    return map;
  }

  std::string expected(const Sample& sample) const {
    return (folder_of(sample) / sample.image.stem()).string() +
           ".EXT (npy, npz, safetensors, tiff, png)";
  }

  // What was not taken.
  void note_rest(std::vector<std::string>* notes) const {
    for (const auto& [folder, files] : folders_) {
      if (!files.empty()) {
        notes->push_back(fmt::format("'{}': {} maps belong to no image, the first is '{}'",
                                     folder,
                                     files.size(),
                                     files.begin()->second.front()));
      }
    }
  }

 private:
  fs::path folder_of(const Sample& sample) const {
    return (whole_category_ ? root_ : root_ / sample.category) / "test" / sample.defect;
  }

  fs::path root_;
  bool whole_category_ = false;
  std::map<std::string, MapFiles> folders_;
  std::set<std::string> taken_;
};

// --- tables

bool is_anomalous(const std::string& label, const std::string& where) {
  constexpr std::array<std::string_view, 4> kNormal = {"normal", "good", "0", "false"};
  constexpr std::array<std::string_view, 5> kAnomalous = {
      "anomaly", "anomalous", "1", "true", "bad"};
  if (std::find(kNormal.begin(), kNormal.end(), label) != kNormal.end()) {
    return false;
  }
  ADB_CHECK(std::find(kAnomalous.begin(), kAnomalous.end(), label) != kAnomalous.end(),
            kKind,
            "{}: unknown label {}; known: normal, good, 0, false, anomaly, anomalous, bad, 1, true",
            where,
            quote(label));
  return true;
}

// Rounded to float32; beyond its range infinite, which the evaluation refuses by name.
float score_of(double value) {
  constexpr auto kLargest = static_cast<double>(std::numeric_limits<float>::max());
  if (std::abs(value) > kLargest) {
    return static_cast<float>(std::copysign(std::numeric_limits<double>::infinity(), value));
  }
  return static_cast<float>(value);
}

float parse_score(const std::string& text, const std::string& where) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  ADB_CHECK(parsed.ec == std::errc() && parsed.ptr == end,
            kKind,
            "{}: the score {} is no number",
            where,
            quote(text));
  return score_of(value);
}

struct Row {
  std::string where;
  std::map<std::string, std::string> texts;
};

class ManifestLoader {
 public:
  ManifestLoader(const fs::path& file, const std::vector<std::string>& chosen)
      : file_(file), chosen_(chosen) {
    set_.name = file.stem().string();
  }

  static void check_field(const std::string& name,
                          const std::string& where,
                          std::string_view what) {
    const std::vector<std::string> known = {
        "map", "mask", "label", "score", "category", "sample", "defect"};
    ADB_CHECK(std::find(known.begin(), known.end(), name) != known.end(),
              kKind,
              "{}: {}",
              where,
              unknown_name(what, name, known));
  }

  void add(const Row& row) {
    const auto text = [&](const char* name) {
      const auto found = row.texts.find(name);
      return found == row.texts.end() ? std::string() : found->second;
    };
    EvalItem item;
    item.category = text("category").empty() ? set_.name : text("category");
    auto& categories = set_.categories;
    if (std::find(categories.begin(), categories.end(), item.category) == categories.end()) {
      categories.push_back(item.category);
    }
    if (!chosen_.empty() &&
        std::find(chosen_.begin(), chosen_.end(), item.category) == chosen_.end()) {
      return;
    }
    item.anomalous = is_anomalous(text("label"), row.where);
    item.map = resolve(text("map"), "map", row.where);
    if (!text("mask").empty()) {
      item.mask = resolve(text("mask"), "mask", row.where);
    }
    if (!text("score").empty()) {
      item.score = parse_score(text("score"), row.where);
    }
    item.defect = text("defect").empty() ? "anomalous" : text("defect");
    item.id = text("sample").empty() ? text("map") : text("sample");
    const auto [first, fresh] = seen_.emplace(item.id, row.where);
    ADB_CHECK(fresh,
              kKind,
              "{}: sample {} is listed before, at {}",
              row.where,
              quote(item.id),
              first->second);
    set_.items.push_back(std::move(item));
  }

  EvalSet finish() {
    ADB_CHECK(!set_.categories.empty(), kKind, "'{}' lists no maps", file_.string());
    std::vector<std::string> kept;
    for (const auto& name : chosen_) {
      if (std::find(set_.categories.begin(), set_.categories.end(), name) ==
          set_.categories.end()) {
        throw Error(ErrorKind::kUsage, unknown_name("category", name, set_.categories));
      }
    }
    std::map<std::string, std::size_t> rank;
    for (const auto& name : set_.categories) {
      if (chosen_.empty() || std::find(chosen_.begin(), chosen_.end(), name) != chosen_.end()) {
        rank.emplace(name, kept.size());
        kept.push_back(name);
      }
    }
    set_.categories = kept;
    std::stable_sort(set_.items.begin(), set_.items.end(), [&](const auto& a, const auto& b) {
      return rank.at(a.category) < rank.at(b.category);
    });
    return std::move(set_);
  }

 private:
  fs::path resolve(const std::string& text, std::string_view what, const std::string& where) const {
    ADB_CHECK(!text.empty(), kKind, "{}: no {} is given", where, what);
    ADB_CHECK(text.find('\0') == std::string::npos,
              kKind,
              "{}: the {}'s path has a zero byte",
              where,
              what);
    const fs::path path = file_.parent_path() / text;
    std::error_code ignored;
    ADB_CHECK(fs::is_regular_file(path, ignored),
              kKind,
              "{}: the {} {} does not exist",
              where,
              what,
              quote(path.string()));
    return path;
  }

  fs::path file_;
  const std::vector<std::string>& chosen_;
  EvalSet set_;
  std::map<std::string, std::string> seen_;  // id -> where
};

void add_csv(const fs::path& file, ManifestLoader& loader) {
  const std::string source = file.string();
  const CsvTable table = parse_csv(read_text(file, kKind), source);
  for (const auto& column : table.columns) {
    ManifestLoader::check_field(column.first, source, "column");
  }
  for (const char* column : {"map", "label"}) {
    ADB_CHECK(table.columns.contains(column), kKind, "'{}' has no column '{}'", source, column);
  }
  for (const CsvRow& fields : table.rows) {
    Row row{fmt::format("{}:{}", source, fields.line), {}};
    for (const auto& [name, index] : table.columns) {
      row.texts[name] = fields.fields[index];
    }
    loader.add(row);
  }
}

// A label may be true, false, 0 or 1, a score a number, and what is absent null.
std::string field_text(const std::string& name, const Json& value, const std::string& where) {
  if (value.is_null() || (name == "label" && (value.is_boolean() || value.is_number_integer())) ||
      (name == "score" && value.is_number())) {
    return value.is_null() ? std::string() : value.dump();
  }
  return json_string(value, where, kKind);
}

void add_json(const fs::path& file, ManifestLoader& loader) {
  const Json manifest = read_json(file, kKind);
  const Json& samples =
      manifest.is_array() ? manifest : json_at(manifest, "samples", file.string(), kKind);
  ADB_CHECK(samples.is_array(), kKind, "{}: samples must be a list", file.string());
  for (std::size_t k = 0; k < samples.size(); ++k) {
    Row row{fmt::format("{}: samples[{}]", file.string(), k), {}};
    ADB_CHECK(samples[k].is_object(), kKind, "{} must be an object", row.where);
    for (const auto& [name, value] : samples[k].items()) {
      ManifestLoader::check_field(name, row.where, "field");
      row.texts[name] = field_text(name, value, row.where + "." + name);
    }
    loader.add(row);
  }
}

}  // namespace

EvalSet pair_maps(const Dataset& dataset, const fs::path& folder, bool hash) {
  EvalSet set;
  set.name = dataset.name;
  set.categories = dataset.categories;
  set.notes = dataset.notes;
  MapFinder finder(dataset, folder);
  std::size_t missing = 0;
  const Sample* first = nullptr;
  for (const Sample& sample : dataset.test) {
    const fs::path map = finder.take(sample);
    if (map.empty()) {
      first = missing++ == 0 ? &sample : first;
      continue;
    }
    set.items.push_back({sample.id,
                         sample.category,
                         sample.anomalous,
                         map,
                         sample.mask,
                         std::nullopt,
                         sample.defect});
  }
  ADB_CHECK(missing == 0,
            kKind,
            "{} of {} images have no map; the first is '{}': expected '{}'",
            missing,
            dataset.test.size(),
            first->id,
            finder.expected(*first));
  finder.note_rest(&set.notes);
  if (hash) {
    set.manifest_hash = manifest_hash(dataset);
  }
  return set;
}

EvalSet read_eval_manifest(const fs::path& file,
                           const std::vector<std::string>& categories,
                           bool hash) {
  ManifestLoader loader(file, categories);
  const auto extension = lower_extension(file);
  ADB_CHECK(extension == ".csv" || extension == ".json",
            kKind,
            "'{}' is no manifest: expected a file called .csv or .json, or a folder of maps",
            file.string());
  extension == ".csv" ? add_csv(file, loader) : add_json(file, loader);
  EvalSet set = loader.finish();
  if (hash) {
    Json facts = Json::array();
    for (const EvalItem& item : set.items) {
      facts.push_back({item.id,
                       item.category,
                       item.anomalous,
                       item.mask ? sha256_file(*item.mask, kKind) : std::string()});
    }
    set.manifest_hash = sha256(canonical_json(facts));
  }
  return set;
}

ScoreMap read_score_map(const fs::path& file) {
  const std::string extension = lower_extension(file);
  const std::string where = "map '" + file.string() + "'";
  if (extension == ".npy") {
    const auto mapping = std::make_shared<const MappedFile>(file, kKind);
    if (const auto view = view_npy(mapping->bytes(), file.string(), kKind)) {
      return map_of_array(*view, where, mapping);
    }
    return map_of_array(parse_npy(mapping->bytes(), file.string(), kKind).view(), where);
  }
  if (extension == ".npz") {
    auto archive = NpzFile::open(file, kKind);
    return map_of_array(archive.read(map_name(archive.names(), file.string())).view(), where);
  }
  if (extension == ".safetensors") {
    const auto tensors =
        std::make_shared<const SafetensorsFile>(SafetensorsFile::open(file, kKind));
    return map_of_array(tensors->at(map_name(tensors->names(), file.string())), where, tensors);
  }
  ADB_CHECK(is_map_name(file),
            kKind,
            "{} is of no known type: expected npy, npz, safetensors, tiff or png",
            where);
  return decoded(images_api().read_map(file));
}

}  // namespace adb
