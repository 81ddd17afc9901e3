#include "images/header.h"

#include <cstddef>
#include <cstdint>

#include "core/error.h"

namespace adb {
namespace {

// Bounds-checked reading of a file's bytes; every read beyond the end is "truncated".
class Bytes {
 public:
  Bytes(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::size_t size() const { return bytes_.size(); }
  const std::string& name() const { return name_; }

  std::uint32_t u8(std::size_t at) const {
    if (at >= bytes_.size()) {
      truncated();
    }
    return static_cast<unsigned char>(bytes_[at]);
  }
  std::uint32_t big16(std::size_t at) const { return u8(at) << 8 | u8(at + 1); }
  std::uint32_t big32(std::size_t at) const { return big16(at) << 16 | big16(at + 2); }
  std::uint32_t little16(std::size_t at) const { return u8(at + 1) << 8 | u8(at); }
  std::uint32_t little32(std::size_t at) const { return little16(at + 2) << 16 | little16(at); }
  std::string_view text(std::size_t at, std::size_t n) const {
    return at <= bytes_.size() ? bytes_.substr(at, n) : std::string_view{};
  }

  [[noreturn]] void truncated() const {
    fail(ErrorKind::kData, "'{}' is truncated: it ends after {} bytes", name_, bytes_.size());
  }
  [[noreturn]] void damaged(std::string_view what) const {
    fail(ErrorKind::kData, "'{}' is damaged: {}", name_, what);
  }

 private:
  std::string_view bytes_;
  const std::string& name_;
};

void set_size(const Bytes& in, std::int64_t width, std::int64_t height, ImageInfo& info) {
  ADB_CHECK(width > 0 && height > 0,
            ErrorKind::kData,
            "'{}' has no pixels: {} x {}",
            in.name(),
            width,
            height);
  ADB_CHECK(width <= kMaxImageSide && height <= kMaxImageSide && width * height <= kMaxImagePixels,
            ErrorKind::kData,
            "'{}' is too large: {} x {} pixels; limits: {} a side, {} in all",
            in.name(),
            width,
            height,
            kMaxImageSide,
            kMaxImagePixels);
  info.width = static_cast<int>(width);
  info.height = static_cast<int>(height);
}

// Signature, then chunks of length, type, data, checksum; the first is IHDR, the last IEND.
ImageInfo parse_png(const Bytes& in) {
  ImageInfo info;
  info.format = ImageFormat::kPng;
  if (in.big32(8) != 13 || in.text(12, 4) != "IHDR") {
    in.damaged("no IHDR chunk at its start");
  }
  set_size(in, in.big32(16), in.big32(20), info);
  info.bits = static_cast<int>(in.u8(24));
  const std::uint32_t colour = in.u8(25);
  info.palette = colour == 3;
  info.channels = colour == 2 ? 3 : colour == 4 ? 2 : colour == 6 ? 4 : 1;
  bool has_data = false;
  for (std::size_t at = 8;;) {
    const std::size_t length = in.big32(at);
    const std::string_view type = in.text(at + 4, 4);
    if (type.size() < 4 || length > in.size() || at + 12 + length > in.size()) {
      in.truncated();
    }
    if (type == "IEND") {
      break;
    }
    has_data = has_data || type == "IDAT";
    at += 12 + length;
  }
  if (!has_data) {
    in.damaged("no IDAT chunk");
  }
  return info;
}

// Segments of marker, length, data; after each start of scan, entropy-coded bytes up to the next
// marker.
ImageInfo parse_jpeg(const Bytes& in) {
  ImageInfo info;
  info.format = ImageFormat::kJpeg;
  bool has_scan = false;
  for (std::size_t at = 2;;) {
    if (in.u8(at) != 0xFF) {
      in.damaged("no JPEG marker where one is expected");
    }
    while (in.u8(at) == 0xFF) {  // fill bytes
      ++at;
    }
    const std::uint32_t marker = in.u8(at++);
    if (marker == 0xD9) {  // end of image
      break;
    }
    if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // without data
      continue;
    }
    const std::size_t length = in.big16(at);
    if (length < 2) {
      in.damaged("a JPEG segment of less than two bytes");
    }
    // Start of frame: C0 .. CF but for the tables C4, C8 and CC.
    if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      info.bits = static_cast<int>(in.u8(at + 2));
      set_size(in, in.big16(at + 5), in.big16(at + 3), info);
      info.channels = static_cast<int>(in.u8(at + 7));
    }
    at += length;
    if (marker == 0xDA) {
      has_scan = true;
      // FF 00 is a stuffed FF, FF D0 .. FF D7 are restarts: both belong to the data.
      for (;; ++at) {
        if (in.u8(at) == 0xFF) {
          const std::uint32_t next = in.u8(at + 1);
          if (next != 0 && (next < 0xD0 || next > 0xD7)) {
            break;
          }
        }
      }
    }
  }
  if (info.width == 0 || !has_scan) {
    in.damaged("no JPEG frame or no scan");
  }
  return info;
}

ImageInfo parse_bmp(const Bytes& in) {
  ImageInfo info;
  info.format = ImageFormat::kBmp;
  const std::uint32_t pixels_at = in.little32(10);
  const std::uint32_t header_size = in.little32(14);
  std::int64_t width = 0, height = 0;
  std::uint32_t compression = 0;
  if (header_size == 12) {
    width = in.little16(18);
    height = in.little16(20);
    info.bits = static_cast<int>(in.little16(24));
  } else {
    width = static_cast<std::int32_t>(in.little32(18));
    height = static_cast<std::int32_t>(in.little32(22));
    height = height < 0 ? -height : height;  // rows from the top
    info.bits = static_cast<int>(in.little16(28));
    compression = in.little32(30);
  }
  set_size(in, width, height, info);
  const std::int64_t row_bytes = (width * info.bits + 31) / 32 * 4;
  const bool run_length = compression == 1 || compression == 2;
  if (!run_length && pixels_at + row_bytes * height > static_cast<std::int64_t>(in.size())) {
    in.truncated();
  }
  info.palette = info.bits <= 8;
  info.channels = info.palette ? 1 : info.bits == 32 ? 4 : 3;
  info.bits = info.palette ? info.bits : 8;
  return info;
}

// One TIFF file: little or big-endian, entries of 12 bytes in its first directory.
class Tiff {
 public:
  explicit Tiff(const Bytes& in) : in_(in), big_(in.u8(0) == 'M') {
    directory_ = u32(4);
    num_entries_ = u16(directory_);
    u32(directory_ + 2 + 12 * num_entries_);  // the place of the next directory ends this one
  }

  // The values of one tag; count 0 when the directory lacks it.
  struct Field {
    std::uint32_t count = 0;
    std::size_t value_size = 0;  // bytes
    std::size_t first = 0;       // place of the first value
  };

  Field field(std::uint32_t tag) const {
    for (std::size_t k = 0; k < num_entries_; ++k) {
      const std::size_t entry = directory_ + 2 + 12 * k;
      if (u16(entry) != tag) {
        continue;
      }
      const std::uint32_t type = u16(entry + 2);  // 1 BYTE, 3 SHORT, 4 LONG
      Field found{u32(entry + 4), type == 1 ? 1U : type == 3 ? 2U : type == 4 ? 4U : 0U, entry + 8};
      if (found.value_size == 0 || found.count == 0) {
        in_.damaged("a TIFF tag of an unexpected type or without values");
      }
      if (found.count > 4 / found.value_size) {  // up to 4 bytes of values lie in the entry itself
        found.first = u32(entry + 8);
      }
      return found;
    }
    return {};
  }

  std::uint32_t at(const Field& field, std::uint32_t k) const {
    const std::size_t place = field.first + k * field.value_size;
    return field.value_size == 1 ? in_.u8(place) : field.value_size == 2 ? u16(place) : u32(place);
  }

  // First value of a tag; `absent` when the directory lacks it.
  std::uint32_t value(std::uint32_t tag, std::uint32_t absent) const {
    const Field found = field(tag);
    return found.count == 0 ? absent : at(found, 0);
  }

 private:
  std::uint32_t u16(std::size_t at) const { return big_ ? in_.big16(at) : in_.little16(at); }
  std::uint32_t u32(std::size_t at) const { return big_ ? in_.big32(at) : in_.little32(at); }

  const Bytes& in_;
  bool big_;
  std::size_t directory_ = 0;
  std::size_t num_entries_ = 0;
};

ImageInfo parse_tiff(const Bytes& in) {
  // Numbers of the baseline tags (TIFF 6.0).
  constexpr std::uint32_t kWidth = 256, kLength = 257, kBits = 258, kPhotometric = 262;
  constexpr std::uint32_t kStripOffsets = 273, kOrientation = 274, kSamples = 277,
                          kStripBytes = 279;
  constexpr std::uint32_t kTileWidth = 322, kTileLength = 323, kTileOffsets = 324, kTileBytes = 325;
  constexpr std::uint32_t kSampleFormat = 339;
  constexpr std::uint32_t kPaletteColour = 3, kFloatingPoint = 3;

  const Tiff tiff(in);
  ImageInfo info;
  info.format = ImageFormat::kTiff;
  set_size(in, tiff.value(kWidth, 0), tiff.value(kLength, 0), info);
  const std::uint32_t samples = tiff.value(kSamples, 1);
  const std::uint32_t bits = tiff.value(kBits, 1);
  ADB_CHECK(samples >= 1 && samples <= 4 && bits <= 64,
            ErrorKind::kData,
            "'{}' has {} samples of {} bits a pixel: expected at most 4 of 64",
            in.name(),
            samples,
            bits);
  const std::uint32_t orientation = tiff.value(kOrientation, 1);
  ADB_CHECK(
      orientation == 1,
      ErrorKind::kData,
      "'{}' is stored turned or mirrored (TIFF orientation {}): expected 1, so that masks fit",
      in.name(),
      orientation);
  info.channels = static_cast<int>(samples);
  info.bits = static_cast<int>(bits);
  info.palette = tiff.value(kPhotometric, 1) == kPaletteColour;
  info.floating = tiff.value(kSampleFormat, 1) == kFloatingPoint;

  const bool tiled = tiff.field(kTileOffsets).count > 0;
  const Tiff::Field offsets = tiff.field(tiled ? kTileOffsets : kStripOffsets);
  const Tiff::Field sizes = tiff.field(tiled ? kTileBytes : kStripBytes);
  if (offsets.count == 0 || sizes.count != offsets.count) {
    in.damaged("its TIFF strips or tiles have no places or no sizes");
  }
  if (tiled) {
    const std::int64_t width = tiff.value(kTileWidth, 0), height = tiff.value(kTileLength, 0);
    if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide) {
      in.damaged("its TIFF tiles have an impossible size");
    }
  }
  for (std::uint32_t k = 0; k < offsets.count; ++k) {  // ends at the end of the file at the latest
    if (std::uint64_t{tiff.at(offsets, k)} + tiff.at(sizes, k) > in.size()) {
      in.truncated();
    }
  }
  return info;
}

}  // namespace

ImageInfo parse_image_header(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  ADB_CHECK(!bytes.empty(), ErrorKind::kData, "'{}' is empty", name);
  const Bytes in(bytes, name);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) {
    return parse_png(in);
  }
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) {
    return parse_jpeg(in);
  }
  if (bytes.starts_with("BM"sv)) {
    return parse_bmp(in);
  }
  if (bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv)) {
    return parse_tiff(in);
  }
  fail(ErrorKind::kData, "'{}' is not a PNG, JPEG, BMP or TIFF file", name);
}

}  // namespace adb
