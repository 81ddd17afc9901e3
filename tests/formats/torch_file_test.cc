#include "formats/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;

const std::filesystem::path kData = ADB_SOURCE "/tests/formats/data";
const std::filesystem::path kCorpus = ADB_SOURCE "/tests/formats/corpus/torch";

const PickleTensor& tensor_at(const TorchFile& file, const std::string& name) {
  const auto* dict = file.root().get_if<PickleDict>();
  const PickleValue* value = dict != nullptr ? dict->find(name) : nullptr;
  const auto* tensor = value != nullptr ? value->get_if<PickleTensor>() : nullptr;
  ADB_CHECK(tensor != nullptr, ErrorKind::kInternal, "no tensor '{}'", name);
  return *tensor;
}

std::vector<double> numbers(TorchFile& file, const std::string& name) {
  return to_doubles(file.read(tensor_at(file, name), name), name, ErrorKind::kWeights);
}

void expect_refused(const std::string& name, const std::string& part) {
  SCOPED_TRACE(name);
  const auto read = [&] {
    auto file = TorchFile::open(kCorpus / name, ErrorKind::kWeights);
    numbers(file, "w");
  };
  expect_error(ErrorKind::kWeights, part, read);
}

TEST(TorchFile, reads_every_element_type) {
  auto file = TorchFile::open(kData / "dtypes.pth", ErrorKind::kWeights);
  EXPECT_THAT(numbers(file, "f64"), ElementsAre(0.1, -1e300));
  EXPECT_THAT(numbers(file, "f16"), ElementsAre(0.5, 65504));
  EXPECT_THAT(numbers(file, "bf16"), ElementsAre(1, -2, 3.140625));
  EXPECT_THAT(numbers(file, "u8"), ElementsAre(0, 255, 3));
  EXPECT_THAT(numbers(file, "i8"), ElementsAre(-128, 127));
  EXPECT_THAT(numbers(file, "i16"), ElementsAre(-300, 300));
  EXPECT_THAT(numbers(file, "i32"), ElementsAre(-70000, 70000));
  EXPECT_THAT(numbers(file, "i64"), ElementsAre(-1099511627776, 1099511627776));
  EXPECT_THAT(numbers(file, "bool"), ElementsAre(1, 0, 1));
  EXPECT_THAT(numbers(file, "scalar"), ElementsAre(-7.5));
  EXPECT_TRUE(file.read(tensor_at(file, "scalar"), "scalar").shape.empty());
  EXPECT_THAT(file.read(tensor_at(file, "empty"), "empty").shape, ElementsAre(0, 4));
  const DType expected = DType::kBF16;
  EXPECT_EQ(tensor_at(file, "bf16").storage.dtype, expected);
}

TEST(TorchFile, reads_views_of_every_stride) {
  auto file = TorchFile::open(kData / "views.pth", ErrorKind::kWeights);
  EXPECT_THAT(
      numbers(file, "transposed"),
      ElementsAre(
          0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23));
  EXPECT_THAT(file.read(tensor_at(file, "transposed"), "").shape, ElementsAre(6, 4));
  EXPECT_THAT(numbers(file, "slice"), ElementsAre(7, 9, 11, 13, 15, 17));
  EXPECT_THAT(numbers(file, "row"), ElementsAre(12, 13, 14, 15, 16, 17));
  EXPECT_THAT(
      numbers(file, "permuted"),
      ElementsAre(
          0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23));
  EXPECT_THAT(file.read(tensor_at(file, "permuted"), "").shape, ElementsAre(4, 2, 3));
  EXPECT_THAT(numbers(file, "expanded"), ElementsAre(1, 1, 1, 2, 2, 2));
  EXPECT_THAT(numbers(file, "one"), ElementsAre(23));
  // A contiguous view costs no copy.
  EXPECT_EQ(file.read(tensor_at(file, "row"), "").bytes.data(),
            file.read(tensor_at(file, "base"), "").bytes.data() + 12 * sizeof(float));
}

TEST(TorchFile, reads_parameters_and_later_protocols) {
  auto parameter = TorchFile::open(kData / "parameter.pth", ErrorKind::kWeights);
  EXPECT_THAT(numbers(parameter, "w"), ElementsAre(1, 2));
  auto protocol4 = TorchFile::open(kData / "protocol4.pth", ErrorKind::kWeights);
  EXPECT_THAT(numbers(protocol4, "0.weight"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(TorchFile, reads_files_from_before_1_6) {
  auto state = TorchFile::open(kData / "legacy.pth", ErrorKind::kWeights);
  EXPECT_THAT(numbers(state, "0.weight"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(numbers(state, "0.bias"), ElementsAre(0.5, -0.5));
  EXPECT_THAT(numbers(state, "1.running_var"), ElementsAre(1, 1));
  EXPECT_THAT(numbers(state, "1.num_batches_tracked"), ElementsAre(0));
  auto parameter = TorchFile::open(kData / "legacy_2017.pth", ErrorKind::kWeights);
  EXPECT_THAT(numbers(parameter, "w"), ElementsAre(0.5, 1.5));
}

TEST(TorchFile, refuses_bad_files_from_before_1_6) {
  EXPECT_NO_THROW(TorchFile::open(kCorpus / "legacy_good", ErrorKind::kWeights));
  expect_refused("legacy_short",
                 "storage '0': the file is truncated: 16 bytes are needed, 15 are left");
  expect_refused("legacy_no_length", "storage '0': the file is truncated");
  expect_refused("legacy_count", "2305843009213693952 elements, but its tensors expect 4");
  expect_refused("legacy_twice", "storage '0': stands twice");
  expect_refused("legacy_unknown", "a storage of which no tensor is named");
  expect_refused("legacy_no_storage", "w: its storage '0' is missing");
  expect_refused("legacy_trailing", "1 bytes after the last storage");
  expect_refused("legacy_big_endian", "big-endian");
  expect_refused("legacy_system",
                 "object: byte 2: the file asks for 'os.system', which is refused");
  expect_refused("legacy_version", "other than 1001");
  expect_refused("legacy_cut", "the pickle is truncated");
  expect_refused("tar",
                 "a tar archive, as torch.save wrote before 2017; convert it with python3 -c");
  expect_refused("only_pickle", "a pickle, but not one that torch.save wrote");
}

TEST(TorchFile, views_outlive_a_move) {
  auto file = TorchFile::open(kData / "views.pth", ErrorKind::kWeights);
  const ArrayView slice = file.read(tensor_at(file, "slice"), "slice");
  const ArrayView row = file.read(tensor_at(file, "row"), "row");
  const TorchFile moved = std::move(file);
  EXPECT_EQ(to_doubles(slice, "", ErrorKind::kData)[0], 7);
  EXPECT_EQ(to_doubles(row, "", ErrorKind::kData)[0], 12);
}

TEST(TorchFile, refuses_other_kinds_of_file) {
  const auto refuse = [](const std::filesystem::path& file, const std::string& part) {
    SCOPED_TRACE(file);
    expect_error(ErrorKind::kWeights, file.filename().string(), [&] {
      TorchFile::open(file, ErrorKind::kWeights);
    });
    expect_error(ErrorKind::kWeights, part, [&] { TorchFile::open(file, ErrorKind::kWeights); });
  };
  refuse(kData / "module.pth",
         "the file asks for 'torch.nn.modules.container.Sequential', which is refused");
  refuse(kData / "namespace.pth", "data.pkl: byte");
  refuse(kData / "namespace.pth", "'argparse.Namespace', which is refused");
  refuse(kData / "complex.pth", "'torch.ComplexFloatStorage', which is refused");
  refuse(kData / "uint16.pth", "'torch._utils._rebuild_tensor_v3', which is refused");
  refuse(kData / "stored.npz", "not one of torch.save: it has no data.pkl");
  refuse(kData / "mixed.safetensors", "not a complete zip archive");
  refuse(kCorpus / "os_system", "'os.system', which is refused");
  refuse(kCorpus / "torchscript", "a TorchScript archive");
  refuse(kCorpus / "big_endian", "saved with byte order 'big'");
  refuse(kCorpus / "truncated", "not a complete zip archive");
  refuse(kCorpus / "no_pickle", "it has no data.pkl");
  refuse(kCorpus / "two_pickles", "more than one data.pkl");
  refuse(kCorpus / "two_of_a_name", "entry 'x/data.pkl' stands twice");
}

TEST(TorchFile, refuses_bad_storages) {
  expect_refused("stride_bomb", "w: size [30000, 30000] by stride [0, 0] on 4 stored elements");
  expect_refused("huge_storage",
                 "w: its storage '0' has 16 bytes, but 2147483647 elements of float32 need");
  expect_refused("wrong_size", "has 16 bytes, but 3 elements");
  expect_refused("no_storage", "w: its storage '0' is missing");
  expect_refused("broken_storage", "entry 'x/data/0': cannot unpack: CRC error");
  expect_refused("compressed", "its storage '0' is compressed");
}

TEST(TorchFile, counts_all_tensors_together) {
  auto file = TorchFile::open(kData / "views.pth", ErrorKind::kWeights);
  const PickleTensor& base = tensor_at(file, "base");
  const auto read_often = [&] {
    for (int i = 0; i < 20000; ++i) {
      file.read(base, "base");
    }
  };
  expect_error(ErrorKind::kWeights, "more than 4 times the bytes of the file", read_often);
}

TEST(TorchFile, survives_truncation_anywhere) {
  for (const char* name : {"views.pth", "legacy_views.pth"}) {
    const std::string whole = read_text(kData / name, ErrorKind::kData);
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      EXPECT_THROW(TorchFile::parse({reinterpret_cast<const std::uint8_t*>(whole.data()), size},
                                    "x",
                                    ErrorKind::kWeights),
                   Error)
          << name << ' ' << size;
    }
  }
}

}  // namespace
}  // namespace adb
