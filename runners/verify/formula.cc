#include "runners/verify/formula.h"

#define AT_PER_OPERATOR_HEADERS
#include <cmath>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/error.h"
#include "formats/array.h"

namespace adb::formula {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
constexpr int kMaxNesting = 8;  // of "sum" in "sum"

void check_size(at::IntArrayRef shape, std::string_view name) {
  const auto count = element_count(shape);
  ADB_CHECK(count && *count <= kMaxElements,
            kKind,
            "array '{}' of shape {} is too large",
            name,
            shape_text(shape));
}

// An array of T whose element i is make(i).
template <class T, class Make>
at::Tensor generate(at::IntArrayRef shape, std::string_view name, Make make) {
  check_size(shape, name);
  auto array = at::empty(shape, c10::CppTypeToScalarType<T>::value);
  auto* out = array.template mutable_data_ptr<T>();
  for (std::int64_t i = 0; i < array.numel(); ++i) {
    out[i] = static_cast<T>(make(i));
  }
  return array;
}

std::vector<std::int64_t> integers(const Json& list, const std::string& where) {
  ADB_CHECK(
      list.is_array() && list.size() <= 16, kKind, "{}: expected a short list of integers", where);
  std::vector<std::int64_t> values;
  for (const auto& item : list) {
    values.push_back(json_int(item, where, kKind));
  }
  return values;
}

// Rounded to float32 first, as the definition does: ops mix float32 arrays with float32 numbers.
double float_field(const Json& op, const char* key, const std::string& where) {
  return static_cast<double>(
      static_cast<float>(json_number(json_at(op, key, where, kKind), where, kKind)));
}

at::Tensor repeat(at::Tensor x, const Json& op, const std::string& where) {
  const auto factor = json_int(json_at(op, "factor", where, kKind), where, kKind);
  ADB_CHECK(
      factor >= 1 && factor <= 65536, kKind, "{}: factor {} is not in 1 .. 65536", where, factor);
  for (const auto axis : integers(json_at(op, "axes", where, kKind), where)) {
    ADB_CHECK(axis >= 0 && axis < x.dim(), kKind, "{}: axis {} does not exist", where, axis);
    auto shape = x.sizes().vec();
    shape[static_cast<std::size_t>(axis)] *= factor;
    check_size(shape, where);
    const auto index = at::arange(shape[static_cast<std::size_t>(axis)], at::kLong);
    x = x.index_select(axis, index.floor_divide(factor));
  }
  return x;
}

at::Tensor cells(at::Tensor x, const Json& op, const std::string& where) {
  const auto size = json_int(json_at(op, "size", where, kKind), where, kKind);
  ADB_CHECK(size >= 1 && x.dim() >= 2, kKind, "{}: needs a size and two axes", where);
  const std::pair<const char*, std::int64_t> axes[] = {{"height", x.dim() - 2},
                                                       {"width", x.dim() - 1}};
  for (const auto& [key, axis] : axes) {
    const auto extent = json_int(json_at(op, key, where, kKind), where, kKind);
    ADB_CHECK(extent >= 1 && (extent - 1) / size < x.size(axis),
              kKind,
              "{}: {} leaves the array",
              where,
              key);
    auto shape = x.sizes().vec();
    shape[static_cast<std::size_t>(axis)] = extent;
    check_size(shape, where);
    x = x.index_select(axis, at::arange(extent, at::kLong).floor_divide(size));
  }
  return x;
}

at::Tensor per_channel(const Json& list, const at::Tensor& x, const std::string& where) {
  ADB_CHECK(x.dim() >= 2 && list.is_array() &&
                (list.size() == 1 || static_cast<std::int64_t>(list.size()) == x.size(1)),
            kKind,
            "{}: expected one number for each channel",
            where);
  std::vector<float> values;
  for (const auto& item : list) {
    values.push_back(static_cast<float>(json_number(item, where, kKind)));
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = static_cast<std::int64_t>(values.size());
  return at::tensor(values).view(shape);
}

at::Tensor blend(const Json& op, const NamedTensors& raw, const std::string& where) {
  at::Tensor parts[3];
  const char* keys[] = {"image", "texture", "mask"};
  for (int i = 0; i < 3; ++i) {
    const auto name = json_string(json_at(op, keys[i], where, kKind), where, kKind);
    const auto* found = find_tensor(raw, name);
    ADB_CHECK(found != nullptr, kKind, "{}: no input '{}' before this one", where, name);
    parts[i] = *found;
  }
  const auto& [image, texture, mask] = parts;
  ADB_CHECK(image.dim() == 4 && texture.sizes() == image.sizes() && mask.dim() == 4 &&
                mask.size(0) == image.size(0) &&
                (mask.size(1) == 1 || mask.size(1) == image.size(1)) &&
                mask.size(2) == image.size(2) && mask.size(3) == image.size(3),
            kKind,
            "{}: image, texture and mask do not fit together",
            where);
  const double beta = float_field(op, "beta", where);
  const double rest = static_cast<double>(1.0F - static_cast<float>(beta));
  const auto outside = 1 - mask;
  return image * outside + texture.mul(mask).mul(rest) + image.mul(beta).mul(mask);
}

at::Tensor evaluate_nested(const Json& recipe,
                           const NamedTensors& raw,
                           const std::string& where,
                           int nesting);

at::Tensor sum(const Json& op, const NamedTensors& raw, const std::string& where, int nesting) {
  const auto& weights = json_at(op, "weights", where, kKind);
  const auto& terms = json_at(op, "of", where, kKind);
  ADB_CHECK(weights.is_array() && terms.is_array() && weights.size() == terms.size() &&
                !terms.empty() && terms.size() <= 64,
            kKind,
            "{}: weights and terms do not fit together",
            where);
  at::Tensor total;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const double weight =
        static_cast<double>(static_cast<float>(json_number(weights[i], where, kKind)));
    const auto term = evaluate_nested(terms[i], raw, where, nesting + 1).mul(weight);
    ADB_CHECK(!total.defined() || total.sizes() == term.sizes(),
              kKind,
              "{}: terms of different shapes",
              where);
    total = total.defined() ? total + term : term;
  }
  return total;
}

at::Tensor evaluate_nested(const Json& recipe,
                           const NamedTensors& raw,
                           const std::string& where,
                           int nesting) {
  ADB_CHECK(
      recipe.is_array() && recipe.size() <= 64, kKind, "{}: expected a list of operations", where);
  ADB_CHECK(nesting <= kMaxNesting, kKind, "{}: sums nested too deep", where);
  at::Tensor x;
  for (const auto& op : recipe) {
    const auto kind = json_string(json_at(op, "op", where, kKind), where, kKind);
    const auto place = fmt::format("{}: {}", where, kind);
    if (kind == "image" || kind == "signal" || kind == "fill" || kind == "uniform64") {
      const auto seed = json_int(json_at(op, "seed", place, kKind), place, kKind);
      const auto name = json_string(json_at(op, "name", place, kKind), place, kKind);
      const auto shape = integers(json_at(op, "shape", place, kKind), place);
      if (kind == "uniform64") {
        const Uniform u(seed, name);
        x = generate<double>(shape, name, [&](std::int64_t i) { return u.at(i); });
      } else {
        x = kind == "image"    ? image(seed, name, shape)
            : kind == "signal" ? signal(seed, name, shape)
                               : fill(seed, name, shape);
      }
      continue;
    }
    if (kind == "sum") {
      x = sum(op, raw, place, nesting);
      continue;
    }
    if (kind == "blend") {
      x = blend(op, raw, place);
      continue;
    }
    ADB_CHECK(x.defined(), kKind, "{}: nothing to work on", place);
    if (kind == "repeat") {
      x = repeat(x, op, place);
    } else if (kind == "cells") {
      x = cells(x, op, place);
    } else if (kind == "less") {
      x = x.lt(float_field(op, "than", place)).to(at::kFloat);
    } else if (kind == "greater") {
      x = x.gt(float_field(op, "than", place)).to(at::kFloat);
    } else if (kind == "floor_u8") {
      x = x.mul(float_field(op, "by", place)).floor().clamp(0, 255).to(at::kByte);
    } else if (kind == "scale") {
      x = x.mul(float_field(op, "by", place));
    } else if (kind == "add") {
      x = x.add(float_field(op, "value", place));
    } else if (kind == "normalise") {
      x = (x - per_channel(json_at(op, "mean", place, kKind), x, place)) /
          per_channel(json_at(op, "std", place, kKind), x, place);
    } else {
      fail(kKind, "{}: unknown operation '{}'", where, kind);
    }
  }
  ADB_CHECK(x.defined(), kKind, "{}: the recipe is empty", where);
  return x;
}

}  // namespace

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return hash;
}

Uniform::Uniform(std::int64_t seed, std::string_view name)
    : hash_(fnv1a64(fmt::format("{}:{}", seed, name))) {}

double Uniform::at(std::int64_t i) const {
  std::uint64_t z = hash_ + (static_cast<std::uint64_t>(i) + 1) * kGolden;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  z = z ^ (z >> 31);
  return static_cast<double>(z >> 40) * 0x1.0p-24;
}

at::Tensor image(std::int64_t seed, std::string_view name, at::IntArrayRef shape) {
  const Uniform u(seed, name);
  return generate<float>(shape, name, [&](std::int64_t i) { return u.at(i); });
}

at::Tensor signal(std::int64_t seed, std::string_view name, at::IntArrayRef shape) {
  const Uniform u(seed, name);
  return generate<float>(shape, name, [&](std::int64_t i) { return 2 * u.at(i) - 1; });
}

at::Tensor fill(std::int64_t seed, std::string_view name, at::IntArrayRef shape) {
  if (name.ends_with("num_batches_tracked")) {
    check_size(shape, name);
    return at::zeros(shape, at::kLong);
  }
  const Uniform u(seed, name);
  const auto v = [&](std::int64_t i) { return 2 * u.at(i) - 1; };
  if (name.ends_with("running_mean")) {
    return generate<float>(shape, name, [&](std::int64_t i) { return 0.1 * v(i); });
  }
  if (name.ends_with("running_var")) {
    return generate<float>(shape, name, [&](std::int64_t i) { return 1 + 0.5 * u.at(i); });
  }
  if (shape.size() >= 2 && shape[0] == 1) {
    return generate<float>(shape, name, [&](std::int64_t i) { return 0.5 * v(i); });
  }
  if (shape.size() >= 2) {
    check_size(shape, name);
    double numel = 1;
    for (const auto extent : shape) {
      numel *= static_cast<double>(extent);
    }
    const double bound = std::sqrt(3.0 / (numel / static_cast<double>(shape[0])));
    return generate<float>(shape, name, [&](std::int64_t i) { return v(i) * bound; });
  }
  if (name.ends_with("weight")) {
    return generate<float>(shape, name, [&](std::int64_t i) { return 1 + 0.1 * v(i); });
  }
  return generate<float>(shape, name, [&](std::int64_t i) { return 0.1 * v(i); });
}

at::Tensor evaluate(const Json& recipe, const NamedTensors& raw, const std::string& where) {
  return evaluate_nested(recipe, raw, where, 0);
}

Json without_normalise(const Json& recipe) {
  if (!recipe.is_array()) {
    return recipe;
  }
  Json kept = Json::array();
  for (const auto& op : recipe) {
    if (op.is_object() && op.contains("op") && op["op"] == "normalise") {
      break;
    }
    kept.push_back(op);
  }
  return kept;
}

}  // namespace adb::formula
