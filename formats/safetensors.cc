#include "formats/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

#include "core/json.h"
#include "core/text.h"
#include "formats/quote.h"

namespace adb {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // limit of the reference reader
constexpr std::uint64_t kPrefixBytes = 8;
constexpr const char* kMetadataKey = "__metadata__";

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Range {
  std::int64_t begin;
  std::int64_t end;
  const std::string* name;
};

std::map<std::string, std::string> read_metadata(const Json& node,
                                                 const std::string& source,
                                                 ErrorKind kind) {
  ADB_CHECK(node.is_object(),
            kind,
            "{}: {} must be an object of texts, got {}",
            source,
            kMetadataKey,
            node.type_name());
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : node.items()) {
    ADB_CHECK(value.is_string(),
              kind,
              "{}: {} {} must be a text, got {}",
              source,
              kMetadataKey,
              quote(key),
              value.type_name());
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// Header entry of one tensor -> view, and its place in the data.
ArrayView read_entry(const Json& node,
                     std::span<const std::uint8_t> data,
                     const std::string& where,
                     ErrorKind kind,
                     Range& range) {
  ADB_CHECK(node.is_object(), kind, "{}: expected an object, got {}", where, node.type_name());
  ArrayView view;
  const std::string dtype =
      json_string(json_at(node, "dtype", where, kind), where + ": dtype", kind);
  const auto known = dtype_of_safetensors_name(dtype);
  ADB_CHECK(known, kind, "{}: element type {} is not supported", where, quote(dtype));
  view.dtype = *known;

  const Json& shape = json_at(node, "shape", where, kind);
  ADB_CHECK(shape.is_array(), kind, "{}: shape must be a list, got {}", where, shape.type_name());
  for (const Json& extent : shape) {
    view.shape.push_back(json_int(extent, where + ": shape", kind));
    ADB_CHECK(
        view.shape.back() >= 0, kind, "{}: negative extent {} in shape", where, view.shape.back());
  }
  const auto bytes = byte_count(view.dtype, view.shape);
  ADB_CHECK(bytes, kind, "{}: shape is too large", where);

  const Json& offsets = json_at(node, "data_offsets", where, kind);
  ADB_CHECK(offsets.is_array() && offsets.size() == 2,
            kind,
            "{}: data_offsets must be a list of two integers",
            where);
  range.begin = json_int(offsets[0], where + ": data_offsets", kind);
  range.end = json_int(offsets[1], where + ": data_offsets", kind);
  const auto size = static_cast<std::int64_t>(data.size());
  ADB_CHECK(0 <= range.begin && range.begin <= range.end && range.end <= size,
            kind,
            "{}: data_offsets [{}, {}] lie outside the {} data bytes",
            where,
            range.begin,
            range.end,
            size);
  ADB_CHECK(range.end - range.begin == *bytes,
            kind,
            "{}: data_offsets [{}, {}] span {} bytes, but {} elements of {} need {}",
            where,
            range.begin,
            range.end,
            range.end - range.begin,
            *bytes / dtype_size(view.dtype),
            dtype_name(view.dtype),
            *bytes);
  view.bytes =
      data.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(*bytes));
  return view;
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& file, ErrorKind kind) {
  SafetensorsFile result(file.string(), kind);
  result.mapping_ = std::make_shared<const MappedFile>(file, kind);
  result.read(result.mapping_->bytes());
  return result;
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::uint8_t> bytes,
                                       const std::string& source,
                                       ErrorKind kind) {
  SafetensorsFile result(source, kind);
  result.read(bytes);
  return result;
}

void SafetensorsFile::read(std::span<const std::uint8_t> bytes) {
  ADB_CHECK(bytes.size() >= kPrefixBytes,
            kind_,
            "{}: not a safetensors file: {} bytes are too few",
            source_,
            bytes.size());
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kPrefixBytes);
  ADB_CHECK(header_bytes <= kMaxHeaderBytes,
            kind_,
            "{}: not a safetensors file: header of {} bytes, more than the limit of {}",
            source_,
            header_bytes,
            kMaxHeaderBytes);
  ADB_CHECK(header_bytes <= bytes.size() - kPrefixBytes,
            kind_,
            "{}: truncated: header of {} bytes, but the file has only {} after the length",
            source_,
            header_bytes,
            bytes.size() - kPrefixBytes);
  const auto header_text = as_text(bytes.subspan(kPrefixBytes, header_bytes));
  ADB_CHECK(header_text.starts_with('{'),
            kind_,
            "{}: not a safetensors file: the header does not begin with '{{'",
            source_);
  const Json header = parse_json(header_text, source_ + ": header", kind_);
  const auto data = bytes.subspan(kPrefixBytes + header_bytes);

  std::vector<Range> ranges;
  for (const auto& [name, node] : header.items()) {
    if (name == kMetadataKey) {
      metadata_ = read_metadata(node, source_, kind_);
      continue;
    }
    const std::string where = fmt::format("{}: tensor {}", source_, quote(name));
    Range range{};
    const auto placed = tensors_.emplace(name, read_entry(node, data, where, kind_, range)).first;
    range.name = &placed->first;
    ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::tie(a.begin, a.end, *a.name) < std::tie(b.begin, b.end, *b.name);
  });
  // Bytes that no tensor or two tensors own could carry anything, so the format forbids them.
  std::int64_t covered = 0;
  for (const Range& range : ranges) {
    ADB_CHECK(range.begin >= covered,
              kind_,
              "{}: tensor {}: its data at {} overlaps the tensor before it, which ends at {}",
              source_,
              quote(*range.name),
              range.begin,
              covered);
    ADB_CHECK(range.begin == covered,
              kind_,
              "{}: tensor {}: gap of {} bytes before its data",
              source_,
              quote(*range.name),
              range.begin - covered);
    covered = range.end;
    names_.push_back(*range.name);
  }
  ADB_CHECK(static_cast<std::size_t>(covered) == data.size(),
            kind_,
            "{}: {} bytes after the last tensor",
            source_,
            data.size() - static_cast<std::size_t>(covered));
}

const ArrayView* SafetensorsFile::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

const ArrayView& SafetensorsFile::at(std::string_view name) const {
  const ArrayView* found = find(name);
  if (found == nullptr) {
    const std::string near = nearest(name, names_);
    fail(kind_,
         "{}: tensor {} is missing{}",
         source_,
         quote(name),
         near.empty() ? "" : fmt::format("; did you mean {}?", quote(near)));
  }
  return *found;
}

void write_safetensors(const std::filesystem::path& file,
                       const NamedArrays& tensors,
                       const std::map<std::string, std::string>& metadata,
                       ErrorKind kind) {
  std::vector<const NamedArrays::value_type*> order;
  for (const auto& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    const std::int64_t wide_a = dtype_size(a->second.dtype), wide_b = dtype_size(b->second.dtype);
    return std::tie(wide_b, a->second.dtype, a->first) <
           std::tie(wide_a, b->second.dtype, b->first);
  });

  std::string header;
  std::set<std::string_view> seen;
  const auto add_entry = [&header](const std::string& key, const std::string& value) {
    header += header.empty() ? '{' : ',';
    header += Json(key).dump() + ':' + value;  // dump() throws on invalid UTF-8
  };
  std::vector<std::string_view> parts(1);  // [0]: length and header
  try {
    if (!metadata.empty()) {
      add_entry(kMetadataKey, Json(metadata).dump());
    }
    std::size_t offset = 0;
    for (const auto* tensor : order) {
      const auto& [name, array] = *tensor;
      ADB_CHECK(!name.empty() && name != kMetadataKey,
                kind,
                "cannot write '{}': {} is no tensor name",
                file.string(),
                quote(name));
      ADB_CHECK(seen.insert(name).second,
                kind,
                "cannot write '{}': tensor {} stands twice",
                file.string(),
                quote(name));
      const auto bytes = byte_count(array.dtype, array.shape);
      ADB_CHECK(bytes && static_cast<std::size_t>(*bytes) == array.bytes.size(),
                kind,
                "cannot write '{}': tensor {}: {} bytes for shape {} of {}",
                file.string(),
                quote(name),
                array.bytes.size(),
                shape_text(array.shape),
                dtype_name(array.dtype));
      add_entry(name,
                fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                            safetensors_name(array.dtype),
                            fmt::join(array.shape, ","),
                            offset,
                            offset + array.bytes.size()));
      offset += array.bytes.size();
      parts.push_back(as_text(array.bytes));
    }
  } catch (const Json::type_error&) {
    fail(kind, "cannot write '{}': a name or metadata text is not UTF-8", file.string());
  }
  header += header.empty() ? "{}" : "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  ADB_CHECK(header.size() <= kMaxHeaderBytes,
            kind,
            "cannot write '{}': header of {} bytes, more than the limit of {}",
            file.string(),
            header.size(),
            kMaxHeaderBytes);
  std::string prefix(kPrefixBytes, '\0');
  const std::uint64_t header_bytes = header.size();
  std::memcpy(prefix.data(), &header_bytes, kPrefixBytes);
  const std::string head = prefix + header;
  parts[0] = head;
  write_file_atomic(file, parts);
}

}  // namespace adb
