#include "formats/array.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace adb {
namespace {

static_assert(std::endian::native == std::endian::little,
              "array bytes are used as they lie in files");

struct TypeRow {
  DType dtype;
  std::int64_t size;
  std::string_view name;
  std::string_view safetensors;
  std::string_view numpy;
};

// In the order of DType.
constexpr std::array<TypeRow, 13> kTypes = {{
    {DType::kF16, 2, "float16", "F16", "<f2"},
    {DType::kBF16, 2, "bfloat16", "BF16", ""},
    {DType::kF32, 4, "float32", "F32", "<f4"},
    {DType::kF64, 8, "float64", "F64", "<f8"},
    {DType::kU8, 1, "uint8", "U8", "|u1"},
    {DType::kI8, 1, "int8", "I8", "|i1"},
    {DType::kI16, 2, "int16", "I16", "<i2"},
    {DType::kU16, 2, "uint16", "U16", "<u2"},
    {DType::kI32, 4, "int32", "I32", "<i4"},
    {DType::kU32, 4, "uint32", "U32", "<u4"},
    {DType::kI64, 8, "int64", "I64", "<i8"},
    {DType::kU64, 8, "uint64", "U64", "<u8"},
    {DType::kBool, 1, "bool", "BOOL", "|b1"},
}};

const TypeRow& row_of(DType dtype) {
  return kTypes.at(static_cast<std::size_t>(dtype));
}

struct Half {
  std::uint16_t bits;
};
struct BFloat {
  std::uint16_t bits;
};
struct Bool {
  std::uint8_t byte;
};

float decode(BFloat value) {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}

float decode(Half value) {
  const std::uint32_t sign = std::uint32_t{value.bits & 0x8000U} << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1fU;
  const std::uint32_t fraction = value.bits & 0x3ffU;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  // The exponent's bias goes from 15 to 127; all ones stay all ones (infinity, NaN).
  const std::uint32_t wide = exponent == 0x1f ? 0xffU : exponent + 112;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

template <class To, class From>
To converted(From value, std::int64_t index, const std::string& where, ErrorKind kind) {
  if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat>) {
    return static_cast<To>(decode(value));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return value.byte != 0 ? To{1} : To{0};
  } else if constexpr (std::is_integral_v<From>) {
    // Equality after the way back would be undefined where rounding leaves From's range (2^64 for
    // the largest uint64), so compare the significant bits.
    const auto magnitude = value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                                     : static_cast<std::uint64_t>(value);
    const int bits =
        magnitude == 0 ? 0
                       : static_cast<int>(std::bit_width(magnitude)) - std::countr_zero(magnitude);
    ADB_CHECK(bits <= std::numeric_limits<To>::digits,
              kind,
              "{}: element {} is {}, which {} cannot represent exactly",
              where,
              index,
              value,
              sizeof(To) == 4 ? "float32" : "float64");
    return static_cast<To>(value);
  } else {
    const To result = static_cast<To>(value);
    ADB_CHECK(std::isfinite(result) || !std::isfinite(value),
              kind,
              "{}: element {} is {}, too large for float32",
              where,
              index,
              value);
    return result;
  }
}

template <class To, class From>
std::vector<To> convert(const ArrayView& array, const std::string& where, ErrorKind kind) {
  std::vector<To> out(array.bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, array.bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = converted<To>(value, static_cast<std::int64_t>(i), where, kind);
  }
  return out;
}

template <class To>
std::vector<To> convert_any(const ArrayView& array, const std::string& where, ErrorKind kind) {
  const auto bytes = byte_count(array.dtype, array.shape);
  ADB_ASSERT(bytes && static_cast<std::size_t>(*bytes) == array.bytes.size());
  switch (array.dtype) {
    case DType::kF16:
      return convert<To, Half>(array, where, kind);
    case DType::kBF16:
      return convert<To, BFloat>(array, where, kind);
    case DType::kF32:
      return convert<To, float>(array, where, kind);
    case DType::kF64:
      return convert<To, double>(array, where, kind);
    case DType::kU8:
      return convert<To, std::uint8_t>(array, where, kind);
    case DType::kI8:
      return convert<To, std::int8_t>(array, where, kind);
    case DType::kI16:
      return convert<To, std::int16_t>(array, where, kind);
    case DType::kU16:
      return convert<To, std::uint16_t>(array, where, kind);
    case DType::kI32:
      return convert<To, std::int32_t>(array, where, kind);
    case DType::kU32:
      return convert<To, std::uint32_t>(array, where, kind);
    case DType::kI64:
      return convert<To, std::int64_t>(array, where, kind);
    case DType::kU64:
      return convert<To, std::uint64_t>(array, where, kind);
    case DType::kBool:
      return convert<To, Bool>(array, where, kind);
  }
  fail(ErrorKind::kInternal, "{}: no such element type", where);
}

}  // namespace

std::int64_t dtype_size(DType dtype) {
  return row_of(dtype).size;
}
std::string_view dtype_name(DType dtype) {
  return row_of(dtype).name;
}
std::string_view safetensors_name(DType dtype) {
  return row_of(dtype).safetensors;
}
std::string_view numpy_name(DType dtype) {
  return row_of(dtype).numpy;
}

std::optional<DType> dtype_of_safetensors_name(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.safetensors == name) {
      return row.dtype;
    }
  }
  return std::nullopt;
}

std::optional<DType> dtype_of_numpy_name(std::string_view name) {
  if (name.size() != 3) {
    return std::nullopt;
  }
  for (const TypeRow& row : kTypes) {
    if (!row.numpy.empty() && row.numpy.substr(1) == name.substr(1) &&
        (name[0] == '<' || (row.size == 1 && (name[0] == '|' || name[0] == '=')))) {
      return row.dtype;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape) {
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) {
      return std::nullopt;
    }
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, extent, &product)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : product;
}

std::optional<std::int64_t> byte_count(DType dtype, std::span<const std::int64_t> shape) {
  const auto count = element_count(shape);
  std::int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, dtype_size(dtype), &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::vector<std::uint8_t> copy_strided(std::span<const std::uint8_t> bytes,
                                       std::span<const std::int64_t> shape,
                                       std::span<const std::int64_t> strides,
                                       std::int64_t element_bytes) {
  const auto count = element_count(shape);
  ADB_ASSERT(count && strides.size() == shape.size());
  const auto width = static_cast<std::size_t>(element_bytes);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(*count) * width);
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t from = 0;
  for (std::size_t to = 0; to < out.size(); to += width) {
    std::memcpy(out.data() + to, bytes.data() + from * element_bytes, width);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) {
        from += strides[axis];
        break;
      }
      from -= strides[axis] * (shape[axis] - 1);
      index[axis] = 0;
    }
  }
  return out;
}

std::vector<float> to_floats(const ArrayView& array, const std::string& where, ErrorKind kind) {
  return convert_any<float>(array, where, kind);
}

std::vector<double> to_doubles(const ArrayView& array, const std::string& where, ErrorKind kind) {
  return convert_any<double>(array, where, kind);
}

}  // namespace adb
