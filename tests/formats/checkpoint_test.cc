#include "formats/checkpoint.h"

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

Checkpoint open(const std::string& name, const std::string& key = "") {
  return Checkpoint::open(kData / name, key, ErrorKind::kWeights);
}

std::vector<double> numbers(const Checkpoint& file, const std::string& name) {
  return to_doubles(file.at(name), name, ErrorKind::kWeights);
}

void expect_small_model(const Checkpoint& file) {
  EXPECT_THAT(file.names(),
              ElementsAre("0.weight",
                          "0.bias",
                          "1.weight",
                          "1.bias",
                          "1.running_mean",
                          "1.running_var",
                          "1.num_batches_tracked"));
  EXPECT_THAT(file.at("0.weight").shape, ElementsAre(2, 1, 2, 2));
  EXPECT_EQ(file.at("0.weight").dtype, DType::kF32);
  EXPECT_EQ(file.at("1.num_batches_tracked").dtype, DType::kI64);
}

TEST(Checkpoint, reads_a_plain_state_dict) {
  const Checkpoint file = open("state_dict.pth");
  expect_small_model(file);
  EXPECT_EQ(file.key(), "");
  EXPECT_TRUE(file.skipped().empty());
  EXPECT_THAT(numbers(file, "0.weight"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(numbers(file, "0.bias"), ElementsAre(0.5, -0.5));
  EXPECT_THAT(numbers(file, "1.running_var"), ElementsAre(1, 1));
}

TEST(Checkpoint, finds_the_state_dict_beside_optimizer_and_single_tensors) {
  const Checkpoint file = open("nested.pth");
  EXPECT_EQ(file.key(), "state_dict");
  expect_small_model(file);
  const Checkpoint top = Checkpoint::open(kData / "nested.pth", "state_dict", ErrorKind::kWeights);
  expect_small_model(top);
}

TEST(Checkpoint, takes_a_key) {
  expect_small_model(open("two_keys.pth", "net"));
  const Checkpoint deep = open("deep_key.pth", "ema/deep");
  EXPECT_EQ(deep.key(), "ema/deep");
  EXPECT_THAT(numbers(deep, "w"), ElementsAre(4));
}

TEST(Checkpoint, says_which_keys_there_are) {
  const auto refuse = [](const std::string& name, const std::string& key, const std::string& part) {
    SCOPED_TRACE(part);
    expect_error(ErrorKind::kWeights, part, [&] { open(name, key); });
  };
  refuse("two_keys.pth", "", "tensors under 'model' and under 'net': name the key to read");
  refuse("two_keys.pth",
         "mode",
         "no key 'mode' at the top; there are: 'model' (a dict), 'net' (a dict)");
  refuse("deep_key.pth", "", "the top holds no tensors; its keys: 'ema' (a dict)");
  refuse("deep_key.pth", "ema", "'ema' holds no tensors; its keys: 'deep' (a dict)");
  refuse("deep_key.pth", "ema/x", "no key 'x' in 'ema'; there are: 'deep' (a dict)");
  refuse("deep_key.pth", "ema/deep/w", "'ema/deep/w' is a tensor, not a dict of tensors");
  refuse("deep_key.pth", "ema/deep/w/x", "no key 'x' in 'ema/deep/w'; there are: a tensor");
  refuse("mixed.safetensors", "model", "a safetensors file has no key 'model'");
}

TEST(Checkpoint, lists_what_is_no_tensor) {
  const Checkpoint file = open("dtypes.pth");
  EXPECT_THAT(file.skipped(), ElementsAre("number"));
  EXPECT_EQ(file.find("number"), nullptr);
}

TEST(Checkpoint, reads_long_state_dicts) {
  const Checkpoint file = open("many.pth");
  ASSERT_EQ(file.names().size(), 90U);
  for (int i = 0; i < 90; ++i) {
    EXPECT_EQ(file.names()[static_cast<std::size_t>(i)], fmt::format("layers.{}.weight", i));
    EXPECT_THAT(numbers(file, fmt::format("layers.{}.weight", i)), ElementsAre(i));
  }
}

TEST(Checkpoint, content_decides_not_the_name) {
  const TempFolder folder;
  const auto renamed =
      folder.write("x.pth", read_text(kData / "aligned.safetensors", ErrorKind::kData));
  const Checkpoint file = Checkpoint::open(renamed, "", ErrorKind::kWeights);
  EXPECT_THAT(file.names(),
              ElementsAre("bn.num_batches_tracked", "conv.bias", "conv.weight", "mask"));
  EXPECT_THAT(numbers(file, "conv.bias"), ElementsAre(0.5, -0.5));
  const auto also =
      folder.write("x.safetensors", read_text(kData / "state_dict.pth", ErrorKind::kData));
  expect_small_model(Checkpoint::open(also, "", ErrorKind::kWeights));
  expect_error(ErrorKind::kWeights, "neither a safetensors file nor one of torch.save", [&] {
    Checkpoint::open(folder.write("x.txt", "some text"), "", ErrorKind::kWeights);
  });
  expect_error(ErrorKind::kWeights, "neither", [&] {
    Checkpoint::open(folder.write("empty", ""), "", ErrorKind::kWeights);
  });
  expect_small_model(open("legacy.pth"));
  EXPECT_EQ(open("legacy_views.pth").key(), "model");
  EXPECT_THAT(numbers(open("legacy_views.pth"), "row"), ElementsAre(12, 13, 14, 15, 16, 17));
}

TEST(Checkpoint, views_outlive_a_move) {
  Checkpoint file = open("nested.pth");
  const ArrayView& bias = file.at("0.bias");
  const Checkpoint moved = std::move(file);
  EXPECT_EQ(&moved.at("0.bias"), &bias);
  EXPECT_EQ(bias.bytes.size(), 8U);
  expect_error(ErrorKind::kWeights,
               "nested.pth: tensor '0.biass' is missing; did you mean '0.bias'?",
               [&] { moved.at("0.biass"); });
}

}  // namespace
}  // namespace adb
