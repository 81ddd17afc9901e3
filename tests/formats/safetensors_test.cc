#include "formats/safetensors.h"

#include <cstring>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using testing::TempFolder;

std::span<const std::uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string file_of(const std::string& header, std::size_t data_bytes, std::uint64_t length) {
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\1');
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return file_of(header, data_bytes, header.size());
}

void expect_refused(const std::string& file, const std::string& part) {
  SCOPED_TRACE(part);
  expect_error(ErrorKind::kWeights, "w.safetensors: ", [&] {
    SafetensorsFile::parse(as_bytes(file), "w.safetensors", ErrorKind::kWeights);
  });
  expect_error(ErrorKind::kWeights, part, [&] {
    SafetensorsFile::parse(as_bytes(file), "w.safetensors", ErrorKind::kWeights);
  });
}

// One float32 tensor of two elements with the given shape and offsets.
std::string entry(const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

TEST(Safetensors, reads_what_the_reference_library_wrote) {
  const auto file =
      SafetensorsFile::open(ADB_SOURCE "/tests/formats/data/mixed.safetensors", ErrorKind::kData);
  EXPECT_THAT(file.metadata(),
              ElementsAre(::testing::Pair("format", "pt"), ::testing::Pair("note", "caf\u00e9")));
  ASSERT_EQ(file.names().size(), 8U);
  EXPECT_EQ(to_doubles(file.at("f32"), "f32", ErrorKind::kData),
            (std::vector<double>{0, 0.5, 1, 1.5, 2, 2.5}));
  EXPECT_EQ(file.at("f32").shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.at("bf16").dtype, DType::kBF16);
  EXPECT_EQ(to_floats(file.at("bf16"), "bf16", ErrorKind::kData),
            (std::vector<float>{1, -2, 3.140625F}));
  EXPECT_EQ(to_floats(file.at("f16"), "f16", ErrorKind::kData), (std::vector<float>{0.5F, 65504}));
  EXPECT_EQ(to_doubles(file.at("f64"), "f64", ErrorKind::kData),
            (std::vector<double>{0.1, -1e300}));
  EXPECT_EQ(to_doubles(file.at("scalar"), "scalar", ErrorKind::kData), std::vector<double>{-7});
  EXPECT_TRUE(file.at("scalar").shape.empty());
  EXPECT_EQ(file.at("empty").shape, (std::vector<std::int64_t>{0, 4}));
  EXPECT_TRUE(file.at("empty").bytes.empty());
  EXPECT_EQ(to_doubles(file.at("bool"), "bool", ErrorKind::kData), (std::vector<double>{1, 0, 1}));
  EXPECT_EQ(to_doubles(file.at("u8"), "u8", ErrorKind::kData), (std::vector<double>{0, 255, 3}));
}

TEST(Safetensors, writes_the_bytes_of_the_reference_library) {
  const std::filesystem::path reference = ADB_SOURCE "/tests/formats/data/aligned.safetensors";
  const auto file = SafetensorsFile::open(reference, ErrorKind::kData);
  NamedArrays tensors;
  for (const auto& name : file.names()) {
    tensors.insert(tensors.begin(), {name, file.at(name)});
  }
  const TempFolder folder;
  write_safetensors(
      folder.path() / "again.safetensors", tensors, file.metadata(), ErrorKind::kData);
  EXPECT_EQ(read_text(folder.path() / "again.safetensors", ErrorKind::kData),
            read_text(reference, ErrorKind::kData));
}

TEST(Safetensors, round_trip_of_odd_names_and_sizes) {
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::span<const std::uint8_t> all(bytes);
  const NamedArrays tensors = {{"odd \"name\"\n", {DType::kU8, {3}, all.first(3)}},
                               {"z\u00fc", {DType::kF64, {1}, all}},
                               {"none", {DType::kI16, {0}, {}}}};
  const TempFolder folder;
  const auto path = folder.path() / "x.safetensors";
  write_safetensors(path, tensors, {{"key", "a \"text\""}}, ErrorKind::kData);
  const auto file = SafetensorsFile::open(path, ErrorKind::kData);
  EXPECT_THAT(file.names(), ElementsAre("z\u00fc", "none", "odd \"name\"\n"));
  for (const auto& [name, array] : tensors) {
    EXPECT_EQ(file.at(name).dtype, array.dtype);
    EXPECT_EQ(file.at(name).shape, array.shape);
    EXPECT_THAT(file.at(name).bytes, ::testing::ElementsAreArray(array.bytes));
  }
  EXPECT_EQ(file.metadata().at("key"), "a \"text\"");
  EXPECT_EQ(file.at("z\u00fc").bytes.data() - file.at("none").bytes.data(), -8);
  write_safetensors(path, {}, {}, ErrorKind::kData);
  EXPECT_TRUE(SafetensorsFile::open(path, ErrorKind::kData).names().empty());
  EXPECT_EQ(files_below(folder.path()), std::vector<std::string>{"x.safetensors"});
}

TEST(Safetensors, writer_refuses_what_no_reader_would_take) {
  const TempFolder folder;
  const auto path = folder.write("x.safetensors", "the old file");
  const std::vector<std::uint8_t> bytes(8);
  const ArrayView good{DType::kF32, {2}, bytes};
  const auto refuse = [&](const NamedArrays& tensors, const std::string& part) {
    expect_error(ErrorKind::kWeights, part, [&] {
      write_safetensors(path, tensors, {}, ErrorKind::kWeights);
    });
  };
  refuse({{"a", good}, {"a", good}}, "tensor 'a' stands twice");
  refuse({{"", good}}, "'' is no tensor name");
  refuse({{"__metadata__", good}}, "'__metadata__' is no tensor name");
  refuse({{"a", {DType::kF32, {3}, bytes}}}, "tensor 'a': 8 bytes for shape [3] of float32");
  refuse({{"a", {DType::kF32, {-2}, bytes}}}, "tensor 'a'");
  refuse({{"a\xff", good}}, "not UTF-8");
  expect_error(ErrorKind::kWeights, "not UTF-8", [&] {
    write_safetensors(path, {}, {{"k", "\xff"}}, ErrorKind::kWeights);
  });
  EXPECT_EQ(read_text(path, ErrorKind::kData), "the old file");
  expect_error(ErrorKind::kData, "no/such/folder", [&] {
    write_safetensors(folder.path() / "no/such/folder/x", {}, {}, ErrorKind::kWeights);
  });
}

TEST(Safetensors, names_the_missing_tensor_and_its_neighbour) {
  const std::string bytes = file_of(entry("[2]", "[0,8]"), 8);
  const auto file = SafetensorsFile::parse(as_bytes(bytes), "w", ErrorKind::kWeights);
  EXPECT_NE(file.find("a"), nullptr);
  EXPECT_EQ(file.find("b"), nullptr);
  expect_error(
      ErrorKind::kWeights, "w: tensor 'b' is missing; did you mean 'a'?", [&] { file.at("b"); });
}

TEST(Safetensors, refuses_a_bad_frame) {
  expect_refused("", "0 bytes are too few");
  expect_refused("1234567", "7 bytes are too few");
  expect_refused(file_of("{}", 0, UINT64_MAX),
                 "header of 18446744073709551615 bytes, more than the limit");
  expect_refused(file_of("{}", 0, 100'000'001), "more than the limit of 100000000");
  expect_refused(file_of("{}", 0, 3), "truncated: header of 3 bytes, but the file has only 2");
  expect_refused(file_of("[]", 0), "does not begin with '{'");
  expect_refused(file_of(" {}", 0), "does not begin with '{'");
  expect_refused(file_of("{\"a\":", 0), "not valid JSON");
  expect_refused(file_of(R"({"a":)" + std::string(100, '[') + std::string(100, ']') + "}", 0),
                 "nested deeper than 64");
  expect_refused(file_of("{}", 5), "5 bytes after the last tensor");
}

TEST(Safetensors, keeps_messages_short) {
  const std::string file = file_of("{\"" + std::string(1 << 20, 'a'), 0);
  try {
    SafetensorsFile::parse(as_bytes(file), "w", ErrorKind::kData);
    FAIL();
  } catch (const Error& e) {
    EXPECT_LT(std::strlen(e.what()), 400U);
  }
}

TEST(Safetensors, refuses_bad_entries) {
  expect_refused(file_of(entry("[2]", "[0,7]"), 8),
                 "tensor 'a': data_offsets [0, 7] span 7 bytes, but 2");
  expect_refused(file_of(entry("[3]", "[0,8]"), 8), "but 3 elements of float32 need 12");
  expect_refused(file_of(entry("[2]", "[0,8]"), 7),
                 "tensor 'a': data_offsets [0, 8] lie outside the 7");
  expect_refused(file_of(entry("[2]", "[8,0]"), 8), "lie outside");
  expect_refused(file_of(entry("[2]", "[-8,0]"), 8), "lie outside");
  expect_refused(file_of(entry("[2]", "[9223372036854775807,9223372036854775807]"), 8),
                 "lie outside");
  expect_refused(file_of(entry("[2]", "[0,18446744073709551615]"), 8), "does not fit 64 bits");
  expect_refused(file_of(entry("[2]", "[0]"), 8), "list of two integers");
  expect_refused(file_of(entry("[2]", "[0,8.0]"), 8), "expected an integer, got 8.0");
  expect_refused(file_of(entry("[-2]", "[0,8]"), 8), "tensor 'a': negative extent -2");
  expect_refused(file_of(entry("[-1,-2]", "[0,8]"), 8), "negative extent");
  expect_refused(file_of(entry("[4294967296,4294967296]", "[0,0]"), 0),
                 "tensor 'a': shape is too large");
  expect_refused(file_of(entry("[2305843009213693952,2]", "[0,0]"), 0),
                 "tensor 'a': shape is too large");
  expect_refused(file_of(entry("2", "[0,8]"), 8), "shape must be a list");
  expect_refused(file_of(entry("[true]", "[0,8]"), 8), "expected an integer");
  expect_refused(file_of(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "'dtype' is missing");
  expect_refused(file_of(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}})", 8),
                 "tensor 'a': element type 'F4' is not supported");
  expect_refused(file_of(R"({"a":[1]})", 0), "tensor 'a': expected an object, got array");
  expect_refused(file_of(R"({"__metadata__":{"a":1}})", 0), "__metadata__ 'a' must be a text");
  expect_refused(file_of(R"({"__metadata__":"a"})", 0), "__metadata__ must be an object");
}

TEST(Safetensors, refuses_overlap_gap_and_duplicate) {
  const auto two =
      [](const std::string& name, const std::string& first, const std::string& second) {
        return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first + R"(},")" + name +
               R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
      };
  EXPECT_NO_THROW(SafetensorsFile::parse(
      as_bytes(file_of(two("b", "[4,8]", "[0,4]"), 8)), "w", ErrorKind::kWeights));
  expect_refused(file_of(two("b", "[0,4]", "[3,7]"), 7), "tensor 'b': its data at 3 overlaps");
  expect_refused(file_of(two("b", "[0,4]", "[0,4]"), 4), "overlaps");
  expect_refused(file_of(two("b", "[0,4]", "[5,9]"), 9), "tensor 'b': gap of 1 bytes");
  expect_refused(file_of(two("a", "[0,4]", "[4,8]"), 8), "key 'a' stands twice");
}

TEST(Safetensors, copies_keep_the_mapping) {
  auto file = std::make_unique<SafetensorsFile>(
      SafetensorsFile::open(ADB_SOURCE "/tests/formats/data/mixed.safetensors", ErrorKind::kData));
  const SafetensorsFile copy = *file;
  file.reset();
  EXPECT_EQ(to_doubles(copy.at("u8"), "u8", ErrorKind::kData), (std::vector<double>{0, 255, 3}));
}

}  // namespace
}  // namespace adb
