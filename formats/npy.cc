#include "formats/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "core/files.h"
#include "formats/quote.h"

namespace adb {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeaderBytes = 65535;  // what version 1 can hold; real ones have about 100
constexpr std::size_t kMaxRank = 64;            // numpy's own limit since 2.0
constexpr std::size_t kAlignment = 64;

// The header is the text of a Python dictionary with three known keys. This reads just that
// grammar.
class HeaderParser {
 public:
  struct Result {
    DType dtype = DType::kF32;
    bool fortran_order = false;
    std::vector<std::int64_t> shape;
  };

  HeaderParser(std::string_view text, const std::string& source, ErrorKind kind)
      : text_(text), source_(source), kind_(kind) {}

  Result parse() {
    std::optional<DType> dtype;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !dtype) {
        dtype = element_type();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        fail(kind_, "{}: header key {} is unknown or stands twice", source_, quote(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    ADB_CHECK(at_ == text_.size(), kind_, "{}: text after the header's '}}' at {}", source_, at_);
    ADB_CHECK(dtype && fortran_order && shape,
              kind_,
              "{}: the header lacks '{}'",
              source_,
              !dtype           ? "descr"
              : !fortran_order ? "fortran_order"
                               : "shape");
    return {*dtype, *fortran_order, std::move(*shape)};
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  bool accept(char c) {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  void expect(char c) {
    if (!accept(c)) {
      unexpected(std::string(1, c));
    }
  }

  [[noreturn]] void unexpected(const std::string& wanted) const {
    fail(kind_,
         "{}: header: expected {} at {}, got {}",
         source_,
         wanted,
         at_,
         at_ < text_.size() ? quote(text_.substr(at_, 10)) : "its end");
  }

  // No escapes: none of the texts that can be accepted needs one.
  std::string_view string() {
    skip_blanks();
    const char mark = at_ < text_.size() ? text_[at_] : '\0';
    if (mark != '\'' && mark != '"') {
      unexpected("a text");
    }
    const auto end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos) {
      unexpected("a closed text");
    }
    const auto value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }

  bool boolean() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    unexpected("True or False");
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> values;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t value = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (error != std::errc()) {
        unexpected("an integer");
      }
      at_ = static_cast<std::size_t>(end - text_.data());
      ADB_CHECK(value >= 0, kind_, "{}: negative extent {} in shape", source_, value);
      values.push_back(value);
      ADB_CHECK(values.size() <= kMaxRank, kind_, "{}: more than {} dimensions", source_, kMaxRank);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  DType element_type() {
    if (accept('[')) {
      fail(kind_, "{}: structured elements are not supported", source_);
    }
    const std::string_view descr = string();
    const std::string_view type = descr.size() > 1 ? descr.substr(1) : "";
    ADB_CHECK(!type.starts_with('O'),
              kind_,
              "{}: holds pickled objects ({}), which are refused because reading them can run code",
              source_,
              quote(descr));
    ADB_CHECK(!descr.starts_with('>'),
              kind_,
              "{}: big-endian elements ({}) are not supported; save it with astype('<{}')",
              source_,
              quote(descr),
              type.substr(0, 8));
    const auto dtype = dtype_of_numpy_name(descr);
    ADB_CHECK(dtype, kind_, "{}: element type {} is not supported", source_, quote(descr));
    return *dtype;
  }

  std::string_view text_;
  const std::string& source_;
  ErrorKind kind_;
  std::size_t at_ = 0;
};

struct Content {
  HeaderParser::Result header;
  std::span<const std::uint8_t> data;
};

Content read_content(std::span<const std::uint8_t> bytes,
                     const std::string& source,
                     ErrorKind kind) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ADB_CHECK(text.size() >= 10 && text.starts_with(kMagic), kind, "{}: not an .npy file", source);
  const int version = bytes[6];
  ADB_CHECK(version >= 1 && version <= 3 && bytes[7] == 0,
            kind,
            "{}: .npy version {}.{} is not supported",
            source,
            version,
            bytes[7]);
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  ADB_CHECK(bytes.size() >= 8 + length_bytes, kind, "{}: truncated in the header", source);
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 8, length_bytes);
  const std::size_t begin = 8 + length_bytes;
  ADB_CHECK(header_bytes <= kMaxHeaderBytes,
            kind,
            "{}: header of {} bytes, more than the limit of {}",
            source,
            header_bytes,
            kMaxHeaderBytes);
  ADB_CHECK(header_bytes <= bytes.size() - begin, kind, "{}: truncated in the header", source);

  auto header = HeaderParser(text.substr(begin, header_bytes), source, kind).parse();
  const auto size = byte_count(header.dtype, header.shape);
  ADB_CHECK(size, kind, "{}: shape {} is too large", source, shape_text(header.shape));
  const auto data = bytes.subspan(begin + header_bytes);
  ADB_CHECK(data.size() == static_cast<std::size_t>(*size),
            kind,
            "{}: {} bytes of data, but shape {} of {} needs {}",
            source,
            data.size(),
            shape_text(header.shape),
            dtype_name(header.dtype),
            *size);
  return {std::move(header), data};
}

}  // namespace

Array parse_npy(std::span<const std::uint8_t> bytes, const std::string& source, ErrorKind kind) {
  auto [header, data] = read_content(bytes, source, kind);
  Array array{header.dtype, std::move(header.shape), {}};
  if (header.fortran_order && !data.empty()) {
    std::vector<std::int64_t> strides;
    std::int64_t step = 1;
    for (const std::int64_t extent : array.shape) {
      strides.push_back(step);
      step *= extent;
    }
    array.bytes = copy_strided(data, array.shape, strides, dtype_size(array.dtype));
  } else {
    array.bytes.assign(data.begin(), data.end());
  }
  return array;
}

std::optional<ArrayView> view_npy(std::span<const std::uint8_t> bytes,
                                  const std::string& source,
                                  ErrorKind kind) {
  auto [header, data] = read_content(bytes, source, kind);
  if (header.fortran_order) {
    return std::nullopt;
  }
  return ArrayView{header.dtype, std::move(header.shape), data};
}

Array read_npy(const std::filesystem::path& file, ErrorKind kind) {
  const MappedFile mapping(file, kind);
  return parse_npy(mapping.bytes(), file.string(), kind);
}

void write_npy(const std::filesystem::path& file, const ArrayView& array) {
  const auto size = byte_count(array.dtype, array.shape);
  ADB_ASSERT(size && static_cast<std::size_t>(*size) == array.bytes.size());
  ADB_ASSERT(!numpy_name(array.dtype).empty() && array.shape.size() <= kMaxRank);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                   numpy_name(array.dtype),
                                   fmt::join(array.shape, ", "),
                                   array.shape.size() == 1 ? "," : "");
  constexpr std::size_t kPrefix = 10;
  const std::size_t whole =
      (kPrefix + header.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  header.resize(whole - kPrefix - 1, ' ');
  header += '\n';
  std::string prefix(kMagic);
  prefix += {'\x01', '\x00'};
  prefix += static_cast<char>(header.size() & 0xff);
  prefix += static_cast<char>(header.size() >> 8);
  const std::string_view parts[] = {
      prefix, header, {reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size()}};
  write_file_atomic(file, parts);
}

}  // namespace adb
