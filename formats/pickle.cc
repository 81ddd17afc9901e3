#include "formats/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "formats/pickle_opcodes.h"
#include "formats/quote.h"

namespace adb {
namespace {

using namespace pickle_opcode;

constexpr std::size_t kMaxBytes = 16 << 20;  // 10,000 tensors take about 1.5
constexpr std::size_t kMaxValues = 2'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::size_t kMaxStorageKey = 100;  // torch.save counts: "0", "1", ...

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kParameter = "torch.nn.parameter.Parameter";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor";  // before PyTorch 0.4
constexpr std::string_view kRebuildTensorV2 = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

std::optional<DType> dtype_of_storage(std::string_view global) {
  constexpr std::pair<std::string_view, DType> kStorages[] = {
      {"torch.FloatStorage", DType::kF32},
      {"torch.DoubleStorage", DType::kF64},
      {"torch.HalfStorage", DType::kF16},
      {"torch.BFloat16Storage", DType::kBF16},
      {"torch.ByteStorage", DType::kU8},
      {"torch.CharStorage", DType::kI8},
      {"torch.ShortStorage", DType::kI16},
      {"torch.IntStorage", DType::kI32},
      {"torch.LongStorage", DType::kI64},
      {"torch.BoolStorage", DType::kBool},
  };
  for (const auto& [name, dtype] : kStorages) {
    if (name == global) {
      return dtype;
    }
  }
  return std::nullopt;
}

class Unpickler {
 public:
  Unpickler(std::span<const std::uint8_t> bytes,
            const std::string& source,
            ErrorKind kind,
            std::deque<PickleValue>& values,
            std::map<std::string, PickleStorage>& storages)
      : bytes_(bytes.first(std::min(bytes.size(), kMaxBytes))),
        too_long_(bytes.size() > kMaxBytes),
        source_(source),
        kind_(kind),
        values_(values),
        storages_(storages) {}

  const PickleValue* run() {
    for (;;) {
      opcode_at_ = at_;
      const auto opcode = read<std::uint8_t>();
      if (opcode == kStop) {
        break;
      }
      step(opcode);
    }
    check(marks_.empty() && stack_.size() == 1,
          "{} values are left where one is expected",
          stack_.size());
    return stack_.back();
  }

  std::size_t bytes_read() const { return at_; }

 private:
  using Items = std::vector<const PickleValue*>;

  template <class... Args>
  void check(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) {
      refuse(format, std::forward<Args>(args)...);
    }
  }

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(kind_,
         "{}: byte {}: {}",
         source_,
         opcode_at_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  void step(std::uint8_t opcode) {
    switch (opcode) {
      case kProto: {
        const int protocol = read<std::uint8_t>();
        return check(
            protocol >= 2 && protocol <= 5, "pickle protocol {} is not supported", protocol);
      }
      case kFrame:  // a hint for buffered readers
        read<std::uint64_t>();
        return;
      case kMark:
        check(marks_.size() < kMaxValues, "more than {} marks", kMaxValues);
        return marks_.push_back(stack_.size());
      case kNone:
        return push(std::monostate{});
      case kNewTrue:
        return push(true);
      case kNewFalse:
        return push(false);
      case kBinInt:
        return push(std::int64_t{read<std::int32_t>()});
      case kBinInt1:
        return push(std::int64_t{read<std::uint8_t>()});
      case kBinInt2:
        return push(std::int64_t{read<std::uint16_t>()});
      case kLong1:
        return push(read_long());
      case kBinFloat:
        return push(std::bit_cast<double>(__builtin_bswap64(read<std::uint64_t>())));
      case kBinUnicode:
        return push(std::string(read_text(read<std::uint32_t>())));
      case kShortBinUnicode:
        return push(std::string(read_text(read<std::uint8_t>())));
      case kEmptyList:
        return push(PickleList{});
      case kEmptyDict:
        return push(PickleDict{});
      case kEmptyTuple:
        return push(PickleTuple{});
      case kTuple:
        return push(PickleTuple{pop_to_mark()});
      case kTuple1:
        return push(PickleTuple{pop_last(1)});
      case kTuple2:
        return push(PickleTuple{pop_last(2)});
      case kTuple3:
        return push(PickleTuple{pop_last(3)});
      case kAppend:
        return append(pop_last(1));
      case kAppends:
        return append(pop_to_mark());
      case kSetItem:
        return set_items(pop_last(2));
      case kSetItems:
        return set_items(pop_to_mark());
      case kGlobal: {
        const std::string_view module = read_line();
        return push_global(module, read_line());
      }
      case kStackGlobal: {
        const Items names = pop_last(2);
        return push_global(text_of(names[0], "a global's module"),
                           text_of(names[1], "a global's name"));
      }
      case kReduce:
      case kNewObj:  // a call too, as far as the allowed globals go
        return reduce();
      case kBuild:
        return build();
      case kBinPersId:
        return push(known_storage(*pop()));
      case kBinGet:
        return get(read<std::uint8_t>());
      case kLongBinGet:
        return get(read<std::uint32_t>());
      case kBinPut:
        return put(read<std::uint8_t>());
      case kLongBinPut:
        return put(read<std::uint32_t>());
      case kMemoize:
        return put(static_cast<std::uint32_t>(memo_.size()));
      default:
        refuse("pickle opcode 0x{:02x} is not used by torch.save and is refused", opcode);
    }
  }

  // --- bytes

  void require_bytes(std::size_t count) const {
    if (bytes_.size() - at_ < count) {
      if (too_long_) {
        refuse("the pickle is longer than the limit of {} bytes", kMaxBytes);
      }
      refuse("the pickle is truncated: {} bytes are needed here, {} are left",
             count,
             bytes_.size() - at_);
    }
  }

  template <class T>
  T read() {
    require_bytes(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string_view read_text(std::size_t length) {
    require_bytes(length);
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + at_, length);
    at_ += length;
    return text;
  }

  std::string_view read_line() {
    const auto rest = bytes_.subspan(at_);
    const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{'\n'});
    require_bytes(static_cast<std::size_t>(end - rest.begin()) + 1);
    const std::string_view line = read_text(static_cast<std::size_t>(end - rest.begin()));
    ++at_;
    return line;
  }

  // Little-endian two's complement of a given number of bytes.
  std::int64_t read_long() {
    const std::size_t length = read<std::uint8_t>();
    check(length <= 8, "an integer of {} bytes does not fit 64 bits", length);
    const std::string_view digits = read_text(length);
    std::uint64_t value = !digits.empty() && (digits.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, digits.data(), digits.size());
    return static_cast<std::int64_t>(value);
  }

  // --- stack

  template <class T>
  void push(T&& data) {
    check(values_.size() < kMaxValues, "more than {} values", kMaxValues);
    stack_.push_back(&values_.emplace_back(PickleValue{std::forward<T>(data)}));
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Items pop_last(std::size_t count) {
    check(stack_.size() - floor() >= count, "the pickle takes a value that is not there");
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
    Items items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return items;
  }

  Items pop_to_mark() {
    check(!marks_.empty(), "the pickle takes a mark that is not there");
    Items items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  PickleValue* pop() {
    check(stack_.size() > floor(), "the pickle takes a value that is not there");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }

  PickleValue& top() {
    check(stack_.size() > floor(), "the pickle takes a value that is not there");
    return *stack_.back();
  }

  void get(std::uint32_t index) {
    const auto found = memo_.find(index);
    check(found != memo_.end(), "the pickle recalls value {}, which was never kept", index);
    stack_.push_back(found->second);
  }

  void put(std::uint32_t index) {
    check(memo_.size() < kMaxValues, "more than {} kept values", kMaxValues);
    memo_[index] = &top();
  }

  // --- typed access

  template <class T>
  const T& as(const PickleValue* value, std::string_view wanted, std::string_view what) const {
    const T* data = value->get_if<T>();
    check(data != nullptr, "{} must be {}, got {}", what, wanted, kind_name(*value));
    return *data;
  }

  std::int64_t int_of(const PickleValue* value, std::string_view what) const {
    return as<std::int64_t>(value, "an integer", what);
  }
  const std::string& text_of(const PickleValue* value, std::string_view what) const {
    return as<std::string>(value, "a text", what);
  }

  std::vector<std::int64_t> ints_of(const PickleValue* value, std::string_view what) const {
    std::vector<std::int64_t> out;
    const Items& items = as<PickleTuple>(value, "a tuple", what).items;
    check(items.size() <= kMaxRank,
          "{} of {} dimensions, more than {}",
          what,
          items.size(),
          kMaxRank);
    for (const PickleValue* item : items) {
      out.push_back(int_of(item, what));
    }
    return out;
  }

  // --- containers

  void append(const Items& items) {
    auto* list = std::get_if<PickleList>(&top().data);
    check(list != nullptr, "the pickle appends to {}", kind_name(top()));
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_items(const Items& items) {
    auto* dict = std::get_if<PickleDict>(&top().data);
    check(dict != nullptr, "the pickle sets an item of {}", kind_name(top()));
    check(items.size() % 2 == 0, "a dict key has no value");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      PickleDict::Key key;
      if (const auto* number = items[i]->get_if<std::int64_t>()) {
        key = *number;
      } else {
        key = std::string_view(as<std::string>(items[i], "a text or an integer", "a dict key"));
      }
      check(dict->items.size() < kMaxValues, "a dict with more than {} items", kMaxValues);
      if (!dict->index.emplace(key, dict->items.size()).second) {
        refuse("dict key {} stands twice",
               key.index() == 0 ? std::to_string(std::get<0>(key)) : quote(std::get<1>(key)));
      }
      dict->items.emplace_back(key, items[i + 1]);
    }
  }

  // --- globals

  void push_global(std::string_view module, std::string_view name) {
    std::string global = fmt::format("{}.{}", module, name);
    check(global == kOrderedDict || global == kParameter || global == kRebuildTensor ||
              global == kRebuildTensorV2 || global == kRebuildParameter || dtype_of_storage(global),
          "the file asks for {}, which is refused: only tensors and plain data are read{}",
          quote(global),
          module == "torch" && name.ends_with("Storage") ? " (unsupported element type)" : "");
    push(PickleGlobal{std::move(global)});
  }

  void reduce() {
    const auto arguments = pop();
    const Items& items = as<PickleTuple>(arguments, "a tuple", "the arguments of a call").items;
    const std::string& function = as<PickleGlobal>(pop(), "a global", "what is called").name;
    if (function == kOrderedDict) {
      check(items.empty(), "{} with arguments is not used by torch.save and is refused", function);
      push(PickleDict{});
    } else if (function == kRebuildTensor) {
      // (storage, offset, sizes, strides)
      check(items.size() == 4, "{} takes 4 arguments, got {}", function, items.size());
      push(tensor_of(items));
    } else if (function == kRebuildTensorV2) {
      // (storage, offset, sizes, strides, requires_grad, backward_hooks[, metadata])
      check(items.size() == 6 || items.size() == 7,
            "{} takes 6 or 7 arguments, got {}",
            function,
            items.size());
      push(tensor_of(items));
    } else if (function == kRebuildParameter || function == kParameter) {
      // (tensor, requires_grad, backward_hooks); the class itself: (tensor[, requires_grad])
      check(!items.empty() && items.size() <= 3,
            "{} takes 1 to 3 arguments, got {}",
            function,
            items.size());
      push(PickleTensor(as<PickleTensor>(items[0], "a tensor", "the data of a parameter")));
    } else {
      refuse("a call of {} is refused", quote(function));
    }
  }

  // Attributes, of no use here: `_metadata` of an OrderedDict; requires_grad and hooks of a
  // parameter before PyTorch 0.4.
  void build() {
    const PickleValue* state = pop();
    const PickleValue& target = top();
    const bool of_dict =
        target.get_if<PickleDict>() != nullptr && state->get_if<PickleDict>() != nullptr;
    const bool of_parameter =
        target.get_if<PickleTensor>() != nullptr && state->get_if<PickleTuple>() != nullptr;
    check(of_dict || of_parameter,
          "the pickle sets attributes of {} from {}, which is refused",
          kind_name(target),
          kind_name(*state));
  }

  PickleStorage known_storage(const PickleValue& id) {
    PickleStorage storage = storage_of(id);
    const PickleStorage& first = storages_.emplace(storage.key, storage).first->second;
    check(first.dtype == storage.dtype && first.elements == storage.elements,
          "storage {} is named as {} of {} and as {} of {}",
          quote(storage.key),
          first.elements,
          dtype_name(first.dtype),
          storage.elements,
          dtype_name(storage.dtype));
    return storage;
  }

  // ('storage', torch.TYPEStorage, key, device, number of elements[, view]); the view, only in
  // files before PyTorch 1.6, has been None since 0.4.
  PickleStorage storage_of(const PickleValue& id) const {
    const Items& items = as<PickleTuple>(&id, "a tuple", "a persistent id").items;
    check((items.size() == 5 || items.size() == 6) &&
              text_of(items[0], "a persistent id's kind") == "storage",
          "a persistent id must be ('storage', type, key, device, size)");
    check(items.size() == 5 || items[5]->get_if<std::monostate>() != nullptr,
          "storages that are views of others are not supported");
    const std::string& type = as<PickleGlobal>(items[1], "a global", "a storage's type").name;
    const auto dtype = dtype_of_storage(type);
    check(dtype.has_value(), "{} is no storage type", quote(type));
    const std::string& key = text_of(items[2], "a storage's key");
    check(key.size() <= kMaxStorageKey, "a storage key of {} bytes", key.size());
    PickleStorage storage{*dtype, key, int_of(items[4], "a storage's size")};
    check(byte_count(storage.dtype, std::span(&storage.elements, 1)).has_value(),
          "storage {} of {} elements",
          quote(storage.key),
          storage.elements);
    return storage;
  }

  // (storage, offset, sizes, strides, ...)
  PickleTensor tensor_of(const Items& items) const {
    PickleTensor tensor;
    tensor.storage = as<PickleStorage>(items[0], "a storage", "a tensor's storage");
    tensor.offset = int_of(items[1], "a tensor's offset");
    tensor.sizes = ints_of(items[2], "a tensor's size");
    tensor.strides = ints_of(items[3], "a tensor's stride");
    check(tensor.sizes.size() == tensor.strides.size(),
          "a tensor with {} sizes and {} strides",
          tensor.sizes.size(),
          tensor.strides.size());
    const auto count = element_count(tensor.sizes);
    check(count && byte_count(tensor.storage.dtype, tensor.sizes),
          "a tensor of size {}",
          shape_text(tensor.sizes));
    // The last element's place; every other one lies between it and the offset.
    std::int64_t last = tensor.offset;
    bool inside = tensor.offset >= 0 && tensor.offset <= tensor.storage.elements;
    for (std::size_t axis = 0; axis < tensor.sizes.size() && inside; ++axis) {
      std::int64_t reach = 0;
      inside = tensor.strides[axis] >= 0 &&
               (*count == 0 ||
                (!__builtin_mul_overflow(tensor.sizes[axis] - 1, tensor.strides[axis], &reach) &&
                 !__builtin_add_overflow(last, reach, &last)));
    }
    check(inside && (*count == 0 || last < tensor.storage.elements),
          "a tensor of size {}, stride {}, offset {} reaches outside storage {} of {} elements",
          shape_text(tensor.sizes),
          shape_text(tensor.strides),
          tensor.offset,
          quote(tensor.storage.key),
          tensor.storage.elements);
    return tensor;
  }

  std::span<const std::uint8_t> bytes_;
  bool too_long_;
  const std::string& source_;
  ErrorKind kind_;
  std::deque<PickleValue>& values_;
  std::map<std::string, PickleStorage>& storages_;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;  // stack sizes
  std::unordered_map<std::uint32_t, PickleValue*> memo_;
};

}  // namespace

const PickleValue* PickleDict::find(std::string_view key) const {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : items[found->second].second;
}

std::string_view kind_name(const PickleValue& value) {
  constexpr std::string_view kNames[] = {"None",
                                         "a truth value",
                                         "an integer",
                                         "a number",
                                         "a text",
                                         "a list",
                                         "a tuple",
                                         "a dict",
                                         "a tensor",
                                         "a storage",
                                         "a global"};
  static_assert(std::size(kNames) == std::variant_size_v<decltype(PickleValue::data)>);
  return kNames[value.data.index()];
}

Pickle Pickle::parse(std::span<const std::uint8_t> bytes,
                     const std::string& source,
                     ErrorKind kind) {
  const std::size_t size = bytes.size();
  Pickle pickle = parse_next(bytes, source, kind);
  ADB_CHECK(bytes.empty(),
            kind,
            "{}: byte {}: {} bytes after the end of the pickle",
            source,
            size - bytes.size(),
            bytes.size());
  return pickle;
}

Pickle Pickle::parse_next(std::span<const std::uint8_t>& bytes,
                          const std::string& source,
                          ErrorKind kind) {
  Pickle pickle;
  pickle.values_ = std::make_unique<std::deque<PickleValue>>();
  Unpickler unpickler(bytes, source, kind, *pickle.values_, pickle.storages_);
  pickle.root_ = unpickler.run();
  bytes = bytes.subspan(unpickler.bytes_read());
  return pickle;
}

}  // namespace adb
