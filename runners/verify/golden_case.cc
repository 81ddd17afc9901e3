#include "runners/verify/golden_case.h"

#include <algorithm>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "formats/safetensors.h"
#include "runners/verify/formula.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr std::size_t kMaxInputs = 256;
constexpr std::int64_t kMaxInputElements = std::int64_t{1} << 28;  // of all inputs of a case

std::vector<std::int64_t> shape_of(const Json& list, const std::string& where) {
  ADB_CHECK(list.is_array() && list.size() <= 16, kKind, "{}: expected a shape", where);
  std::vector<std::int64_t> shape;
  for (const auto& item : list) {
    shape.push_back(json_int(item, where, kKind));
  }
  ADB_CHECK(element_count(shape), kKind, "{}: impossible shape {}", where, shape_text(shape));
  return shape;
}

std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  const auto shown = std::min(names.size(), kShown);
  auto text = join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  return names.size() > kShown ? fmt::format("{} and {} more", text, names.size() - kShown) : text;
}

double elements(const Json& list, const char* key) {
  double total = 0;
  if (!list.is_array()) {
    return total;
  }
  for (const auto& entry : list) {
    if (!entry.is_object() || !entry.contains(key) || !entry[key].is_array()) {
      continue;
    }
    double count = 1;
    for (const auto& extent : entry[key]) {
      count *= extent.is_number() ? extent.get<double>() : 1;
    }
    total += count;
  }
  return total;
}

}  // namespace

const at::Tensor& GoldenCase::input(const std::string& wanted) const {
  const auto* found = find_tensor(inputs, wanted);
  ADB_CHECK(found != nullptr, kKind, "{}: input '{}' is missing", name, wanted);
  return *found;
}

bool GoldenCase::wants(const std::string& tensor) const {
  return json_at(json, "tensors", name, kKind).contains(tensor);
}

const at::Tensor& GoldenCase::input(const std::string& wanted,
                                    const std::vector<std::int64_t>& shape) const {
  const auto& tensor = input(wanted);
  const auto fits = [](std::int64_t expected, std::int64_t extent) {
    return expected < 0 ? extent >= 1 : extent == expected;
  };
  ADB_CHECK(
      std::equal(shape.begin(), shape.end(), tensor.sizes().begin(), tensor.sizes().end(), fits),
      kKind,
      "{}: {}: expected {}, got {}",
      name,
      wanted,
      shape_text(shape),
      shape_text(tensor.sizes()));
  return tensor;
}

void GoldenCase::fill(const NamedTensors& state) const {
  const auto where = name + ": parameters";
  struct Entry {
    std::vector<std::int64_t> shape;
    bool filled = true;
  };
  std::map<std::string, Entry> listed;
  const auto& parameters = json_at(json, "parameters", name, kKind);
  ADB_CHECK(parameters.is_array(), kKind, "{}: expected a list", where);
  for (const auto& entry : parameters) {
    const auto key = json_string(json_at(entry, "name", where, kKind), where, kKind);
    const auto place = fmt::format("{}: {}", where, key);
    const bool fresh =
        listed
            .emplace(key,
                     Entry{shape_of(json_at(entry, "shape", place, kKind), place),
                           json_bool(json_at(entry, "filled", place, kKind), place, kKind)})
            .second;
    ADB_CHECK(fresh, kKind, "{}: stands twice", place);
  }
  std::vector<std::string> unlisted, misshaped, complaints;
  NamedTensors to_fill;
  for (const auto& [key, tensor] : state) {
    const auto found = listed.find(key);
    if (found == listed.end()) {
      unlisted.push_back(key);
      continue;
    }
    if (tensor.sizes() != at::IntArrayRef(found->second.shape)) {
      misshaped.push_back(fmt::format(
          "{} {} instead of {}", key, shape_text(tensor.sizes()), shape_text(found->second.shape)));
    } else if (found->second.filled) {
      to_fill.emplace_back(key, tensor);
    }
    listed.erase(found);
  }
  if (!unlisted.empty()) {
    complaints.push_back("not listed in the case: " + first_of(unlisted));
  }
  if (!listed.empty()) {
    std::vector<std::string> absent;
    for (const auto& [key, entry] : listed) {
      absent.push_back(key);
    }
    complaints.push_back("not in the network: " + first_of(absent));
  }
  if (!misshaped.empty()) {
    complaints.push_back("of another shape: " + first_of(misshaped));
  }
  ADB_CHECK(complaints.empty(), kKind, "{}: {}", where, join(complaints, "; "));
  for (const auto& [key, tensor] : to_fill) {
    tensor.detach().copy_(formula::fill(seed, key, tensor.sizes()));
  }
}

void GoldenCase::require_config(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : config.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      throw Error(kKind, fmt::format("{}: config: {}", name, unknown_name("key", key, known)));
    }
  }
}

Json GoldenCase::options(const std::vector<std::string>& keys,
                         const std::vector<std::string>& other_keys) const {
  auto known = keys;
  known.insert(known.end(), other_keys.begin(), other_keys.end());
  require_config(known);
  Json options = Json::object();
  for (const auto& key : keys) {
    if (const auto found = config.find(key); found != config.end()) {
      options[key] = *found;
    }
  }
  return options;
}

bool GoldenFile::has_precision(const std::string& precision) const {
  return json["limits"].contains(precision);
}

bool is_golden(const std::filesystem::path& json_file, const Json& json) {
  auto tensors = json_file;
  return (json.is_object() && json.contains("case") &&
          (json.contains("limits") || json.contains("expected"))) ||
         std::filesystem::exists(tensors.replace_extension(".safetensors"));
}

GoldenFile read_golden(const std::filesystem::path& json_file) {
  GoldenFile file;
  file.name = json_file.stem().string();
  file.json = read_json(json_file, kKind);
  file.tensors = json_file;
  file.tensors.replace_extension(".safetensors");
  const auto where = json_file.string();
  json_string(json_at(file.json, "case", where, kKind), where + ": case", kKind);
  if (file.json.contains("method")) {
    file.method = json_string(file.json["method"], where + ": method", kKind);
  }
  return file;
}

GoldenCase prepare_case(const GoldenFile& file, at::ScalarType dtype, at::Device device) {
  GoldenCase prepared;
  prepared.name = file.name;
  prepared.json = file.json;
  prepared.config = json_at(file.json, "config", file.name, kKind);
  ADB_CHECK(prepared.config.is_object(), kKind, "{}: config: expected an object", file.name);
  prepared.seed =
      json_int(json_at(file.json, "seed", file.name, kKind), file.name + ": seed", kKind);
  prepared.dtype = dtype;
  prepared.device = device;
  const auto& inputs = json_at(file.json, "inputs", file.name, kKind);
  ADB_CHECK(inputs.is_array() && inputs.size() <= kMaxInputs,
            kKind,
            "{}: inputs: expected a list",
            file.name);
  NamedTensors raw;
  std::int64_t total = 0;
  for (const auto& input : inputs) {
    const auto where = file.name + ": inputs";
    const auto name = json_string(json_at(input, "name", where, kKind), where, kKind);
    const auto place = fmt::format("{}: {}", where, name);
    ADB_CHECK(find_tensor(raw, name) == nullptr, kKind, "{}: stands twice", place);
    const auto& recipe = json_at(input, "recipe", place, kKind);
    const auto plain = formula::without_normalise(recipe);
    raw.emplace_back(name, formula::evaluate(plain, raw, place));
    auto value =
        plain.size() == recipe.size() ? raw.back().second : formula::evaluate(recipe, raw, place);
    total += value.numel();
    ADB_CHECK(total <= kMaxInputElements, kKind, "{}: the inputs are too large", place);
    prepared.inputs.emplace_back(
        name, value.to(device, value.scalar_type() == at::kFloat ? dtype : value.scalar_type()));
  }
  return prepared;
}

std::map<std::string, StoredTensor> read_stored(const GoldenFile& file) {
  std::map<std::string, StoredTensor> stored;
  const auto& described = json_at(file.json, "tensors", file.name, kKind);
  ADB_CHECK(described.is_object(), kKind, "{}: tensors: expected an object", file.name);
  if (described.empty()) {
    return stored;
  }
  const auto opened = SafetensorsFile::open(file.tensors, kKind);
  for (const auto& [name, entry] : described.items()) {
    const auto where = fmt::format("{}: tensors: {}", file.name, name);
    StoredTensor tensor;
    tensor.shape = shape_of(json_at(entry, "shape", where, kKind), where);
    tensor.stride = json_int(json_at(entry, "stride", where, kKind), where, kKind);
    ADB_CHECK(tensor.stride >= 1, kKind, "{}: stride {} is not positive", where, tensor.stride);
    tensor.values = to_doubles(opened.at(name), where, kKind);
    const auto whole = *element_count(tensor.shape);
    const auto count = whole / tensor.stride + (whole % tensor.stride == 0 ? 0 : 1);
    ADB_CHECK(count == static_cast<std::int64_t>(tensor.values.size()),
              kKind,
              "{}: holds {} elements, expected {}",
              where,
              tensor.values.size(),
              count);
    stored.emplace(name, std::move(tensor));
  }
  return stored;
}

double estimated_work(const GoldenFile& file) {
  const auto& json = file.json;
  const double steps = json.contains("train") && json["train"].is_object() ? 8 : 1;
  return steps * (1 + elements(json.value("parameters", Json()), "shape")) *
         (1 + elements(json.value("inputs", Json()), "shape"));
}

}  // namespace adb
