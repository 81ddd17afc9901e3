// Arrays as files hold them: element type, shape and raw bytes, without a tensor library.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace adb {

enum class DType : std::uint8_t {
  kF16,   // IEEE 754 binary16
  kBF16,  // the upper half of a binary32
  kF32,
  kF64,
  kU8,
  kI8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kBool,  // one byte, 0 or 1
};

// Bytes of one element: 1, 2, 4 or 8.
std::int64_t dtype_size(DType dtype);

// "float32", "bfloat16", "bool", ...: for messages and listings.
std::string_view dtype_name(DType dtype);

// "F32", "BF16", "BOOL", ... of the safetensors header; nullopt for a name that is none of them.
std::string_view safetensors_name(DType dtype);
std::optional<DType> dtype_of_safetensors_name(std::string_view name);

// "<f4", "|u1", ... of the .npy header; "" for bfloat16, which numpy lacks. The inverse takes '<',
// '|' and '=' for one-byte types and only '<' for wider ones; nullopt for everything else.
std::string_view numpy_name(DType dtype);
std::optional<DType> dtype_of_numpy_name(std::string_view name);

// Product of the extents (1 for a scalar, shape []). nullopt if an extent is negative or if the
// product of the extents that are not 0 does not fit 63 bits.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape);

// element_count times dtype_size; nullopt as there, or if that product does not fit 63 bits.
std::optional<std::int64_t> byte_count(DType dtype, std::span<const std::int64_t> shape);

// "[64, 3, 7, 7]"
std::string shape_text(std::span<const std::int64_t> shape);

// Row-major, contiguous, little-endian elements that lie elsewhere. The bytes need not be aligned:
// read them with to_floats, to_doubles or memcpy.
// Readers of this library guarantee bytes.size() == byte_count(dtype, shape).
struct ArrayView {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::uint8_t> bytes;
};

// The same with its own bytes.
struct Array {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;

  ArrayView view() const { return {dtype, shape, bytes}; }
};

// The elements of a strided view in row-major order. Element (i, j, ...) is taken from
// (i * strides[0] + j * strides[1] + ...) * element_bytes; all of them must lie inside `bytes`.
std::vector<std::uint8_t> copy_strided(std::span<const std::uint8_t> bytes,
                                       std::span<const std::int64_t> shape,
                                       std::span<const std::int64_t> strides,
                                       std::int64_t element_bytes);

// All elements in row-major order. `where` names the array in messages ("FILE: tensor 'x'").
// Floats are converted exactly, but float64 is rounded to the nearest float32 by to_floats.
//   throws: Error(kind) if an integer cannot be represented exactly, or a finite float64 has no
//           finite float32
std::vector<float> to_floats(const ArrayView& array, const std::string& where, ErrorKind kind);
std::vector<double> to_doubles(const ArrayView& array, const std::string& where, ErrorKind kind);

}  // namespace adb
