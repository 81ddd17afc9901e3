#include "formats/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/files.h"
#include "tests/support/expect_error.h"

namespace adb {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using namespace std::string_literals;

const std::filesystem::path kCorpus = ADB_SOURCE "/tests/formats/corpus/pickle";

Pickle parse(const std::string& bytes) {
  return Pickle::parse({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                       "data.pkl",
                       ErrorKind::kWeights);
}

// A protocol-2 pickle with this body.
Pickle parse_body(const std::string& body) {
  return parse("\x80\x02" + body + ".");
}

void expect_refused(const std::string& body, const std::string& part) {
  SCOPED_TRACE(part);
  expect_error(ErrorKind::kWeights, "data.pkl: byte ", [&] { parse_body(body); });
  expect_error(ErrorKind::kWeights, part, [&] { parse_body(body); });
}

void expect_corpus_refused(const std::string& name, const std::string& part) {
  SCOPED_TRACE(name);
  const std::string bytes = read_text(kCorpus / name, ErrorKind::kWeights);
  expect_error(ErrorKind::kWeights, part, [&] { parse(bytes); });
}

template <class T>
T value_of(const std::string& body) {
  const Pickle pickle = parse_body(body);
  const T* value = pickle.root().get_if<T>();
  EXPECT_NE(value, nullptr) << kind_name(pickle.root());
  return value != nullptr ? *value : T{};
}

std::string text(const std::string& value) {
  return "X"s + static_cast<char>(value.size()) + "\0\0\0"s + value;
}

// (sizes, strides) of one digit each, on a storage of `elements` float32.
std::string tensor(int elements, int offset, const std::string& sizes, const std::string& strides) {
  const auto digits = [](const std::string& values) {
    std::string out = "(";
    for (const char c : values) {
      out += "K"s + static_cast<char>(c - '0');
    }
    return out + "t";
  };
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
         text("0") + text("cpu") + "K" + static_cast<char>(elements) + "tQK" +
         static_cast<char>(offset) + digits(sizes) + digits(strides) + "\x89NtR";
}

TEST(Pickle, reads_every_plain_value) {
  EXPECT_NE(parse_body("N").root().get_if<std::monostate>(), nullptr);
  EXPECT_TRUE(value_of<bool>("\x88"));
  EXPECT_FALSE(value_of<bool>("\x89"));
  EXPECT_EQ(value_of<std::int64_t>("K\xff"), 255);
  EXPECT_EQ(value_of<std::int64_t>("M\x01\x02"), 0x201);
  EXPECT_EQ(value_of<std::int64_t>("J\xff\xff\xff\xff"), -1);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x00"s), 0);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x01\xff"), -1);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x05\0\0\0\0\x01"s), std::int64_t{1} << 32);
  EXPECT_EQ(value_of<std::int64_t>("\x8a\x08\0\0\0\0\0\0\0\x80"s), INT64_MIN);
  EXPECT_EQ(value_of<double>("G\xbf\xf8\0\0\0\0\0\0"s), -1.5);
  EXPECT_EQ(value_of<std::string>(text("abc")), "abc");
  EXPECT_EQ(value_of<std::string>("\x8c\x02xy"), "xy");
  EXPECT_EQ(value_of<PickleTuple>(")").items.size(), 0U);
  EXPECT_EQ(value_of<PickleTuple>("NNN\x87").items.size(), 3U);
  EXPECT_EQ(value_of<PickleTuple>("(NNNNt").items.size(), 4U);
  EXPECT_EQ(value_of<PickleList>("]Na(NNe").items.size(), 3U);
  EXPECT_EQ(value_of<PickleDict>("}K\x01Ns(K\x02NK\x03Nu").items.size(), 3U);
  EXPECT_EQ(value_of<PickleDict>("ccollections\nOrderedDict\n)R").items.size(), 0U);
  EXPECT_EQ(value_of<PickleGlobal>("ctorch\nFloatStorage\n").name, "torch.FloatStorage");
}

TEST(Pickle, recalls_kept_values) {
  const Pickle pickle = parse_body("]q\x07(h\x07j\x07\0\0\0\x8c\x01xr\0\0\1\0j\0\0\1\0e"s);
  const auto& items = pickle.root().get_if<PickleList>()->items;
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(items[0], &pickle.root());  // a list that holds itself
  EXPECT_EQ(items[1], &pickle.root());
  EXPECT_EQ(items[2], items[3]);
}

TEST(Pickle, dict_keeps_order_and_finds_by_name) {
  const Pickle pickle = parse_body("}(" + text("b") + "K\x01" + text("a") + "K\x02K\x05Nu");
  const auto& dict = *pickle.root().get_if<PickleDict>();
  ASSERT_EQ(dict.items.size(), 3U);
  EXPECT_EQ(dict.items[0].first, PickleDict::Key("b"));
  EXPECT_EQ(dict.items[1].first, PickleDict::Key("a"));
  EXPECT_EQ(dict.items[2].first, PickleDict::Key(std::int64_t{5}));
  ASSERT_NE(dict.find("a"), nullptr);
  EXPECT_EQ(*dict.find("a")->get_if<std::int64_t>(), 2);
  EXPECT_EQ(dict.find("5"), nullptr);
}

TEST(Pickle, reads_a_tensor) {
  const auto value = value_of<PickleTensor>(tensor(24, 3, "234", "841"));
  EXPECT_EQ(value.storage.dtype, DType::kF32);
  EXPECT_EQ(value.storage.key, "0");
  EXPECT_EQ(value.storage.elements, 24);
  EXPECT_EQ(value.offset, 3);
  EXPECT_THAT(value.sizes, ElementsAre(2, 3, 4));
  EXPECT_THAT(value.strides, ElementsAre(8, 4, 1));
}

TEST(Pickle, keeps_tensors_inside_their_storage) {
  EXPECT_NO_THROW(parse_body(tensor(4, 0, "4", "1")));
  EXPECT_NO_THROW(parse_body(tensor(4, 3, "", "")));
  EXPECT_NO_THROW(parse_body(tensor(4, 4, "0", "1")));
  EXPECT_NO_THROW(parse_body(tensor(0, 0, "09", "91")));
  expect_refused(tensor(4, 1, "4", "1"),
                 "size [4], stride [1], offset 1 reaches outside storage '0' of 4");
  expect_refused(tensor(4, 0, "3", "2"), "reaches outside");
  expect_refused(tensor(4, 4, "", ""), "reaches outside");
  expect_refused(tensor(4, 5, "0", "1"), "reaches outside");
  expect_refused(tensor(4, 0, "22", "3"), "2 sizes and 1 strides");
  expect_refused(tensor(99, 0, std::string(17, '1'), std::string(17, '1')),
                 "17 dimensions, more than 16");
  expect_corpus_refused("outside", "reaches outside");
  expect_corpus_refused("negative_stride", "reaches outside");
}

TEST(Pickle, refuses_every_other_global_by_name) {
  expect_corpus_refused("os_system", "the file asks for 'os.system', which is refused");
  expect_corpus_refused("eval", "'__builtin__.eval'");
  expect_corpus_refused("namespace", "'argparse.Namespace'");
  expect_refused("ctorch\nComplexFloatStorage\n", "'torch.ComplexFloatStorage', which is refused");
  expect_refused("\x8c\x02os\x8c\x06system\x93", "'os.system'");
  expect_refused("ccollections\nOrderedDict.fromkeys\n", "refused");
  expect_refused("ccollections.OrderedDict\n\n", "'collections.OrderedDict.'");
  expect_refused("cposix\n\x1b[31m\n", "'posix.\\x1b[31m'");
}

TEST(Pickle, calls_nothing_else) {
  expect_refused("ctorch\nFloatStorage\n)R", "a call of 'torch.FloatStorage' is refused");
  expect_refused("ccollections\nOrderedDict\n]\x85R", "with arguments");
  expect_refused(text("os.system") + ")R", "what is called must be a global, got a text");
  expect_refused("ccollections\nOrderedDict\n]R",
                 "the arguments of a call must be a tuple, got a list");
  expect_refused("ctorch._utils\n_rebuild_tensor_v2\n)R", "takes 6 or 7 arguments, got 0");
  expect_refused("ctorch._utils\n_rebuild_parameter\n)R", "takes 1 to 3 arguments, got 0");
  expect_refused("ctorch._utils\n_rebuild_parameter\nNNN\x87R",
                 "the data of a parameter must be a tensor, got None");
  expect_refused("]}b", "sets attributes of a list from a dict");
  expect_refused("}Nb", "sets attributes of a dict from None");
  EXPECT_NO_THROW(parse_body("}}b"));
}

TEST(Pickle, refuses_other_opcodes) {
  // INST, OBJ, PERSID, NEWOBJ, EXT1, INT, STRING, DUP, BYTEARRAY8
  for (const char c : {'i', 'o', 'P', '\x82', 'I', 'S', '2', '\x96'}) {
    expect_refused("]"s + c,
                   fmt::format("pickle opcode 0x{:02x} is not used", static_cast<std::uint8_t>(c)));
  }
}

TEST(Pickle, reads_what_pytorch_wrote_before_0_4) {
  const std::string storage =
      "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu");
  const std::string rebuild =
      "ctorch._utils\n_rebuild_tensor\n(" + storage + "K\x04NtQ" + "K\0K\x02\x85K\x01\x85tR"s;
  EXPECT_THAT(value_of<PickleTensor>(rebuild).sizes, ElementsAre(2));
  const std::string parameter = "ctorch.nn.parameter\nParameter\n" + rebuild + "\x85\x81";
  EXPECT_THAT(value_of<PickleTensor>(parameter).sizes, ElementsAre(2));
  EXPECT_THAT(value_of<PickleTensor>(parameter + "\x88\x89N\x87" + "b").sizes, ElementsAre(2));
  expect_refused(parameter + "]b", "sets attributes of a tensor from a list");
  expect_refused("ctorch._utils\n_rebuild_tensor\n)R", "takes 4 arguments, got 0");
  expect_refused(storage + "K\x04)tQ", "storages that are views of others are not supported");
}

TEST(Pickle, reads_pickles_in_a_row) {
  const std::string bytes = "\x80\x02K\x01.\x80\x02K\x02.";
  std::span<const std::uint8_t> rest(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                     bytes.size());
  EXPECT_EQ(*Pickle::parse_next(rest, "x", ErrorKind::kData).root().get_if<std::int64_t>(), 1);
  EXPECT_EQ(*Pickle::parse_next(rest, "x", ErrorKind::kData).root().get_if<std::int64_t>(), 2);
  EXPECT_TRUE(rest.empty());
}

TEST(Pickle, knows_its_storages) {
  const Pickle pickle = parse_body("](" + tensor(4, 0, "4", "1") + tensor(4, 0, "2", "1") + "e");
  ASSERT_EQ(pickle.storages().size(), 1U);
  EXPECT_EQ(pickle.storages().at("0").elements, 4);
  expect_corpus_refused("two_sizes", "storage '0' is named as 4 of float32 and as 5 of float32");
}

TEST(Pickle, refuses_bad_persistent_ids) {
  const auto id = [](const std::string& kind, const std::string& key, const std::string& size) {
    return "(" + text(kind) + "ctorch\nFloatStorage\n" + key + text("cpu") + size + "tQ";
  };
  EXPECT_NO_THROW(parse_body(id("storage", text("0"), "K\x01")));
  expect_refused(id("module", text("0"), "K\x01"), "must be ('storage', ");
  expect_refused(id("storage", "N", "K\x01"), "a storage's key must be a text, got None");
  expect_refused(id("storage", text(std::string(101, '0')), "K\x01"), "a storage key of 101 bytes");
  expect_refused(id("storage", text("0"), "J\xff\xff\xff\xff"), "storage '0' of -1 elements");
  expect_refused(id("storage", text("0"), "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), "elements");
  expect_refused(id("storage", text("0"), "\x88"),
                 "a storage's size must be an integer, got a truth value");
  expect_refused("]Q", "a persistent id must be a tuple, got a list");
  expect_refused(
      "(" + text("storage") + "ccollections\nOrderedDict\n" + text("0") + text("cpu") + "K\x01tQ",
      "'collections.OrderedDict' is no storage type");
}

TEST(Pickle, refuses_what_breaks_the_machine) {
  expect_corpus_refused("underflow", "takes a mark that is not there");
  expect_corpus_refused("long_text", "truncated: 4294967295 bytes are needed");
  expect_corpus_refused("big_integer", "an integer of 255 bytes does not fit 64 bits");
  expect_corpus_refused("many_marks", "values are left where one is expected");
  expect_corpus_refused("duplicate", "dict key 'a' stands twice");
  expect_refused("}K\x01NsK\x01Ns", "dict key 1 stands twice");
  expect_refused("}NNs", "a dict key must be a text or an integer, got None");
  expect_refused("}(K\x01u", "a dict key has no value");
  expect_refused("a", "takes a value that is not there");
  expect_refused("](a", "takes a value that is not there");  // a mark protects what lies below it
  expect_refused("NNa", "appends to None");
  expect_refused("]NNs", "sets an item of a list");
  expect_refused("h\x01", "recalls value 1, which was never kept");
  expect_refused("q\x01", "takes a value that is not there");
  expect_refused("", "0 values are left");
  expect_refused("NN", "2 values are left");
  expect_refused("\x80\x01N", "pickle protocol 1 is not supported");
  expect_refused("\x80\x06N", "pickle protocol 6 is not supported");
  expect_refused("N.N", "2 bytes after the end");
  expect_error(ErrorKind::kWeights, "truncated", [] { parse("\x80\x02N"); });
  expect_error(ErrorKind::kWeights, "truncated", [] { parse(""); });
  expect_error(ErrorKind::kWeights, "truncated", [] { parse("ccollections"); });
}

TEST(Pickle, has_limits) {
  expect_error(ErrorKind::kWeights, "more than 2000000 values", [] {
    parse_body("]" + std::string(2'000'000, 'N'));
  });
  expect_error(ErrorKind::kWeights, "more than 2000000 marks", [] {
    parse_body(std::string(2'000'001, '('));
  });
  expect_error(ErrorKind::kWeights, "longer than the limit of 16777216 bytes", [] {
    parse_body("X\xff\xff\xff\1" + std::string(0x1ffffff, 'a'));
  });
}

TEST(Pickle, nesting_and_sharing_cost_only_their_bytes) {
  for (const char* name : {"deep", "self", "doubling"}) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(parse(read_text(kCorpus / name, ErrorKind::kWeights)));
  }
  EXPECT_NO_THROW(parse_body(std::string(1'000'000, ']') + std::string(999'999, 'a')));
}

}  // namespace
}  // namespace adb
