#include "formats/npy.h"

#include <cstring>

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

const std::filesystem::path kData = ADB_SOURCE "/tests/formats/data";

std::vector<double> numbers(const Array& array) {
  return to_doubles(array.view(), "x", ErrorKind::kData);
}

std::string npy_of(const std::string& header, const std::string& data) {
  std::string file = std::string("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + data;
}

Array parse(const std::string& file) {
  return parse_npy(
      {reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, "m.npy", ErrorKind::kData);
}

void expect_refused(const std::string& file, const std::string& part) {
  SCOPED_TRACE(part);
  expect_error(ErrorKind::kData, "m.npy: ", [&] { parse(file); });
  expect_error(ErrorKind::kData, part, [&] { parse(file); });
}

std::string header(const std::string& descr, const std::string& fortran, const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

TEST(Npy, reads_what_numpy_wrote) {
  const Array floats = read_npy(kData / "f32.npy", ErrorKind::kData);
  EXPECT_EQ(floats.dtype, DType::kF32);
  EXPECT_THAT(floats.shape, ElementsAre(2, 3));
  EXPECT_THAT(numbers(floats), ElementsAre(0, 1, 2, 3, 4, 5));
  const Array scalar = read_npy(kData / "scalar.npy", ErrorKind::kData);
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_THAT(numbers(scalar), ElementsAre(0.1));
  EXPECT_THAT(read_npy(kData / "empty.npy", ErrorKind::kData).shape, ElementsAre(0, 3));
  EXPECT_THAT(numbers(read_npy(kData / "bool.npy", ErrorKind::kData)), ElementsAre(1, 0));
  for (const char* name : {"version1.npy", "version2.npy", "version3.npy"}) {
    const Array array = read_npy(kData / name, ErrorKind::kData);
    EXPECT_EQ(array.dtype, DType::kU16) << name;
    EXPECT_THAT(numbers(array), ElementsAre(1, 2, 3)) << name;
  }
}

TEST(Npy, transposes_fortran_order) {
  const Array array = read_npy(kData / "fortran.npy", ErrorKind::kData);
  EXPECT_THAT(array.shape, ElementsAre(2, 3, 4));
  std::vector<double> expected(24);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = static_cast<double>(i);
  }
  EXPECT_EQ(numbers(array), expected);
}

TEST(Npy, refuses_by_name_what_it_does_not_read) {
  const auto refuse = [](const char* name, const std::string& part) {
    expect_error(ErrorKind::kData, name, [&] { read_npy(kData / name, ErrorKind::kData); });
    expect_error(ErrorKind::kData, part, [&] { read_npy(kData / name, ErrorKind::kData); });
  };
  refuse("objects.npy", "holds pickled objects ('|O')");
  refuse("big_endian.npy",
         "big-endian elements ('>f4') are not supported; save it with astype('<f4')");
  refuse("structured.npy", "structured elements");
  refuse("text.npy", "element type '<U2' is not supported");
  refuse("mixed.safetensors", "not an .npy file");
  refuse("absent.npy", "cannot read");
}

TEST(Npy, reads_headers_written_by_others) {
  const std::string data(8, '\0');
  EXPECT_THAT(
      parse(npy_of("{\"shape\":(2,),\"descr\":\"<f4\",\"fortran_order\":False}", data)).shape,
      ElementsAre(2));
  EXPECT_THAT(
      parse(npy_of("{'descr':'|u1','fortran_order':True,'shape':(2,2,2,)}  \n", data)).shape,
      ElementsAre(2, 2, 2));
}

TEST(Npy, refuses_bad_files) {
  const std::string data(8, '\0');
  expect_refused("", "not an .npy file");
  expect_refused(std::string("\x93NUMPY\x01\x00", 8), "not an .npy file");
  expect_refused(std::string("\x93NUMPY\x04\x00\x10\x00", 10), "version 4.0 is not supported");
  expect_refused(std::string("\x93NUMPY\x02\x00\x10\x00", 10), "truncated in the header");
  expect_refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12),
                 "header of 4294967295 bytes");
  expect_refused(std::string("\x93NUMPY\x01\x00\xff\xff", 10), "truncated in the header");
  expect_refused(npy_of(header("'<f4'", "False", "(2,)"), "1234567"),
                 "7 bytes of data, but shape [2]");
  expect_refused(npy_of(header("'<f4'", "False", "(2,)"), "123456789"), "9 bytes of data");
  expect_refused(npy_of(header("'<f4'", "False", "(-2,)"), data), "negative extent -2");
  expect_refused(npy_of(header("'<f4'", "False", "(4294967296, 4294967296)"), ""), "too large");
  expect_refused(npy_of(header("'<f4'", "False", "(99999999999999999999,)"), ""),
                 "expected an integer at");
  expect_refused(npy_of(header("'<f4'", "False", "(2"), data), "header: expected");
  expect_refused(npy_of(header("'<f4'", "False", "(2 2)"), data), "header: expected )");
  expect_refused(npy_of(header("'<f4'", "1", "(2,)"), data), "expected True or False at");
  expect_refused(npy_of(header("eval", "False", "(2,)"), data), "expected a text at");
  expect_refused(npy_of(header("'<f4", "False", "(2,)"), data), "element type '<f4, '");
  expect_refused(npy_of("{'descr': '<f4", data), "expected a closed text");
  expect_refused(npy_of(header("'<f4', 'descr': '<f4'", "False", "(2,)"), data),
                 "key 'descr' is unknown or");
  expect_refused(npy_of(header("'<f4', 'x': 1", "False", "(2,)"), data), "key 'x' is unknown or");
  expect_refused(npy_of("{'descr': '<f4', 'shape': (2,)}", data),
                 "the header lacks 'fortran_order'");
  expect_refused(npy_of("{}", data), "the header lacks 'descr'");
  expect_refused(npy_of(header("'<f4'", "False", "(2,)") + "1", data),
                 "text after the header's '}'");
  expect_refused(npy_of("", data), "expected { at 0, got its end");
  std::string ones = "(";
  for (int i = 0; i < 65; ++i) {
    ones += "1,";
  }
  expect_refused(npy_of(header("'|u1'", "False", ones + ")"), "1"), "more than 64 dimensions");
}

TEST(Npy, empty_fortran_array_of_a_huge_extent) {
  const Array array = parse(npy_of(header("'<f4'", "True", "(2305843009213693951, 0)"), ""));
  EXPECT_TRUE(array.bytes.empty());
}

TEST(Npy, writes_the_bytes_of_numpy) {
  const TempFolder folder;
  const auto again = folder.path() / "again.npy";
  for (const char* name : {"f32.npy", "version1.npy", "scalar.npy", "empty.npy", "bool.npy"}) {
    write_npy(again, read_npy(kData / name, ErrorKind::kData).view());
    EXPECT_EQ(read_text(again, ErrorKind::kData), read_text(kData / name, ErrorKind::kData))
        << name;
  }
  EXPECT_EQ(files_below(folder.path()), std::vector<std::string>{"again.npy"});
  const std::vector<std::uint8_t> bytes(4);
  expect_error(ErrorKind::kInternal, "", [&] { write_npy(again, {DType::kBF16, {2}, bytes}); });
  expect_error(ErrorKind::kInternal, "", [&] { write_npy(again, {DType::kF32, {2}, bytes}); });
}

}  // namespace
}  // namespace adb
