#include "formats/array.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "formats/quote.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using testing::expect_error;

template <class T>
Array array_of(DType dtype, const std::vector<T>& values) {
  Array array{dtype, {static_cast<std::int64_t>(values.size())}, {}};
  array.bytes.resize(values.size() * sizeof(T));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

template <class T>
std::vector<double> doubles(DType dtype, const std::vector<T>& values) {
  const Array array = array_of(dtype, values);
  return to_doubles(array.view(), "x", ErrorKind::kData);
}

TEST(Array, names_go_both_ways) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_of_safetensors_name(safetensors_name(dtype)), dtype);
    if (dtype == DType::kBF16) {
      EXPECT_EQ(numpy_name(dtype), "");
    } else {
      EXPECT_EQ(dtype_of_numpy_name(numpy_name(dtype)), dtype);
      EXPECT_EQ(numpy_name(dtype)[2] - '0', dtype_size(dtype)) << dtype_name(dtype);
    }
  }
  EXPECT_EQ(dtype_of_numpy_name("|u1"), DType::kU8);
  for (const char* name : {"", "f4", ">f4", "|f4", "=f4", "<f3", "<O8", "<f44"}) {
    EXPECT_EQ(dtype_of_numpy_name(name), std::nullopt) << name;
  }
  EXPECT_EQ(dtype_of_safetensors_name(""), std::nullopt);
  EXPECT_EQ(dtype_of_safetensors_name("F8_E5M2"), std::nullopt);
}

TEST(Array, counts_elements_and_refuses_overflow) {
  const std::int64_t big = std::int64_t{1} << 32;
  EXPECT_EQ(element_count(std::vector<std::int64_t>{}), 1);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, 3, 4}), 24);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, 0, 4}), 0);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{2, -1}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{0, -1}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{big, big}), std::nullopt);
  EXPECT_EQ(element_count(std::vector<std::int64_t>{0, big, big}), std::nullopt);
  EXPECT_EQ(byte_count(DType::kF64, std::vector<std::int64_t>{big, big / 4}), std::nullopt);
  EXPECT_EQ(byte_count(DType::kU8, std::vector<std::int64_t>{big, big / 4}), std::int64_t{1} << 62);
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{2, 3}), "[2, 3]");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{}), "[]");
}

TEST(Array, decodes_every_kind_of_half) {
  // Bit patterns and values of IEEE 754-2008, table 3.5 and its limits.
  const auto values = doubles<std::uint16_t>(
      DType::kF16, {0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x3555});
  const std::vector<double> expected = {0,
                                        -0.0,
                                        1,
                                        -2,
                                        65504,
                                        std::ldexp(1, -14),
                                        std::ldexp(1, -24),
                                        -std::ldexp(1023, -24),
                                        0.333251953125};
  EXPECT_EQ(values, expected);
  EXPECT_TRUE(std::signbit(values[1]));
  const auto special = doubles<std::uint16_t>(DType::kF16, {0x7c00, 0xfc00, 0x7e00, 0x7c01});
  EXPECT_EQ(special[0], std::numeric_limits<double>::infinity());
  EXPECT_EQ(special[1], -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(special[2]));
  EXPECT_TRUE(std::isnan(special[3]));
}

TEST(Array, decodes_bfloat16) {
  EXPECT_EQ(doubles<std::uint16_t>(DType::kBF16, {0x3f80, 0xc040, 0x0000, 0x4049}),
            (std::vector<double>{1, -3, 0, 3.140625}));
}

TEST(Array, converts_integers_only_exactly) {
  EXPECT_EQ(doubles<std::int64_t>(DType::kI64, {-5, INT64_MIN, (std::int64_t{1} << 53)}),
            (std::vector<double>{-5, -std::ldexp(1, 63), std::ldexp(1, 53)}));
  EXPECT_EQ(doubles<std::uint64_t>(DType::kU64, {std::uint64_t{1} << 63, 0}),
            (std::vector<double>{std::ldexp(1, 63), 0}));
  EXPECT_EQ(doubles<std::int8_t>(DType::kI8, {-128, 127}), (std::vector<double>{-128, 127}));
  EXPECT_EQ(doubles<std::uint8_t>(DType::kBool, {0, 1, 7}), (std::vector<double>{0, 1, 1}));
  expect_error(ErrorKind::kData, "x: element 1 is 9007199254740993, which float64 cannot", [] {
    doubles<std::int64_t>(DType::kI64, {0, (std::int64_t{1} << 53) + 1});
  });
  expect_error(ErrorKind::kData, "18446744073709551615", [] {
    doubles<std::uint64_t>(DType::kU64, {UINT64_MAX});
  });
  const Array wide = array_of<std::int32_t>(DType::kI32, {1 << 24, -(1 << 24) - 1});
  expect_error(ErrorKind::kWeights, "w: element 1 is -16777217, which float32 cannot", [&] {
    to_floats(wide.view(), "w", ErrorKind::kWeights);
  });
}

TEST(Array, rounds_doubles_to_floats_but_never_to_infinity) {
  const Array good = array_of<double>(DType::kF64, {0.1, HUGE_VAL});
  EXPECT_EQ(to_floats(good.view(), "x", ErrorKind::kData), (std::vector<float>{0.1F, HUGE_VALF}));
  const Array bad = array_of<double>(DType::kF64, {1e300});
  expect_error(ErrorKind::kData, "element 0 is 1e+300, too large for float32", [&] {
    to_floats(bad.view(), "x", ErrorKind::kData);
  });
}

TEST(Array, reads_unaligned_bytes) {
  std::vector<std::uint8_t> bytes(9);
  const double value = 2.5;
  std::memcpy(bytes.data() + 1, &value, 8);
  const ArrayView view{DType::kF64, {}, std::span(bytes).subspan(1)};
  EXPECT_EQ(to_doubles(view, "x", ErrorKind::kData), std::vector<double>{2.5});
}

TEST(Quote, escapes_and_cuts) {
  EXPECT_EQ(quote("a.weight"), "'a.weight'");
  EXPECT_EQ(quote("a\x1b[31m\n"), "'a\\x1b[31m\\x0a'");
  EXPECT_EQ(quote(std::string(500, 'a')), "'" + std::string(120, 'a') + "...'");
}

}  // namespace
}  // namespace adb
