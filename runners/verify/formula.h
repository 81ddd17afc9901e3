// Formula tensors: weights and inputs of golden cases that any language computes bit for bit, so
// that a full-size network is compared without shipping its weights. Source of every formula here:
// goldens/formula.py, goldens/README.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json.h"
#include "tensor/tensor.h"

namespace adb::formula {

inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 27;  // of one array

// 64-bit FNV-1a.
std::uint64_t fnv1a64(std::string_view text);

// The u of an array: one number in [0, 1) with 24 bits per element, exact in float32.
class Uniform {
 public:
  Uniform(std::int64_t seed, std::string_view name);
  double at(std::int64_t i) const;  // element i in row-major order

 private:
  std::uint64_t hash_;
};

// u as float32, and v = 2u - 1 as float32.
//   throws: Error(kData) for a negative extent or more than kMaxElements
at::Tensor image(std::int64_t seed, std::string_view name, at::IntArrayRef shape);
at::Tensor signal(std::int64_t seed, std::string_view name, at::IntArrayRef shape);

// Parameter values by name and shape: computed in double, rounded once to float32; int64 zeros for
// "...num_batches_tracked".
at::Tensor fill(std::int64_t seed, std::string_view name, at::IntArrayRef shape);

// The value of an input's `recipe`: float32, but uint8 after "floor_u8" and float64 from
// "uniform64".
//   raw: what "blend" refers to, see without_normalise
//   where: names the recipe in messages. throws: Error(kData)
at::Tensor evaluate(const Json& recipe, const NamedTensors& raw, const std::string& where);

// The recipe up to its first "normalise": "blend" takes other inputs before their own
// normalisation.
Json without_normalise(const Json& recipe);

}  // namespace adb::formula
