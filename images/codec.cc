#include "images/codec.h"

#include <algorithm>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "core/error.h"
#include "core/files.h"
#include "images/header.h"
#include "images/resize.h"

namespace adb {
namespace {

// OpenCV would print its own account of an error beside ours.
void silence_opencv() {
  static const bool done = [] {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError([](int, const char*, const char*, const char*, int, void*) { return 0; });
    return true;
  }();
  static_cast<void>(done);
}

struct Decoded {
  cv::Mat pixels;  // B, G, R order where it has colour
  ImageInfo info;
  std::string name;
};

// Reads the file once, so that what was checked is what is decoded.
Decoded decode(const std::filesystem::path& file) {
  silence_opencv();
  const std::string bytes = read_text(file, ErrorKind::kData, kMaxImageFileBytes);
  Decoded out;
  out.name = file.string();
  out.info = parse_image_header(bytes, out.name);
  // Unchanged keeps depth and channels, and ignores EXIF rotation; but of a TIFF palette it gives
  // the indices.
  const bool look_up = out.info.palette && out.info.format == ImageFormat::kTiff;
  const int flags =
      look_up ? cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION : cv::IMREAD_UNCHANGED;
  try {
    // OpenCV's buffer argument is not const, but imdecode only reads it.
    const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    out.pixels = cv::imdecode(buffer, flags);
  } catch (const cv::Exception&) {
    out.pixels.release();
  }
  ADB_CHECK(!out.pixels.empty() && out.pixels.cols == out.info.width &&
                out.pixels.rows == out.info.height,
            ErrorKind::kData,
            "'{}' is damaged: its {} x {} pixels cannot be decoded",
            out.name,
            out.info.width,
            out.info.height);
  return out;
}

// Upper 8 of 16 bits; keep_nonzero: at least 1 for a value that is not 0.
std::uint8_t to_8_bits(std::uint16_t value, bool keep_nonzero) {
  const auto high = static_cast<std::uint8_t>(value >> 8);
  return keep_nonzero && value > 0 && high == 0 ? std::uint8_t{1} : high;
}

// Without alpha, 8 bits, R G B order; 1 or 3 channels.
Image to_image(const Decoded& in, bool keep_nonzero) {
  const int depth = in.pixels.depth();
  const int channels = in.pixels.channels();
  ADB_CHECK(depth == CV_8U || depth == CV_16U,
            ErrorKind::kData,
            "'{}' has {} pixels of {} bits: expected whole numbers of 8 or 16",
            in.name,
            in.info.floating ? "floating-point" : "signed or wide",
            in.info.bits);
  const int kept = channels >= 3 ? 3 : 1;
  Image image(in.pixels.cols, in.pixels.rows, kept);
  std::uint8_t* target = image.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row8 = in.pixels.ptr<std::uint8_t>(y);
    const std::uint16_t* row16 = in.pixels.ptr<std::uint16_t>(y);
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < kept; ++c) {
        const int from = x * channels + (kept - 1 - c);
        *target++ = depth == CV_8U ? row8[from] : to_8_bits(row16[from], keep_nonzero);
      }
    }
  }
  return image;
}

cv::Mat to_bgr(const Image& image) {
  ADB_ASSERT(image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3) &&
             image.pixels.size() == image.offset(0, image.height));
  cv::Mat out(image.height, image.width, CV_8UC(image.channels));
  std::copy(image.pixels.begin(), image.pixels.end(), out.data);
  if (image.channels == 3) {
    for (std::uint8_t* pixel = out.data; pixel != out.dataend; pixel += 3) {
      std::swap(pixel[0], pixel[2]);
    }
  }
  return out;
}

std::string encode(const char* extension, const cv::Mat& pixels, const std::vector<int>& options) {
  std::vector<std::uint8_t> bytes;
  ADB_CHECK(cv::imencode(extension, pixels, bytes, options),
            ErrorKind::kInternal,
            "OpenCV cannot encode {} files",
            extension);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

ImageInfo probe_image(const std::filesystem::path& file) {
  return parse_image_header(read_text(file, ErrorKind::kData, kMaxImageFileBytes), file.string());
}

Image read_image(const std::filesystem::path& file) {
  Image image = to_image(decode(file), false);
  if (image.channels == 3) {
    return image;
  }
  Image rgb(image.width, image.height, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    std::fill_n(rgb.pixels.data() + 3 * i, 3, image.pixels[i]);
  }
  return rgb;
}

Image read_mask(const std::filesystem::path& file) {
  return to_grey(to_image(decode(file), true));
}

FloatMap read_map(const std::filesystem::path& file) {
  const Decoded in = decode(file);
  ADB_CHECK(in.pixels.channels() == 1 && !in.info.palette,
            ErrorKind::kData,
            "'{}' has {}: expected one channel of scores",
            in.name,
            in.info.palette ? "a palette" : fmt::format("{} channels", in.pixels.channels()));
  const int depth = in.pixels.depth();
  ADB_CHECK(depth == CV_8U || depth == CV_16U || depth == CV_32F,
            ErrorKind::kData,
            "'{}' has {} values of {} bits: expected float32, or whole numbers of 8 or 16",
            in.name,
            in.info.floating ? "floating-point" : "whole-number",
            in.info.bits);
  FloatMap map{in.pixels.cols, in.pixels.rows, {}};
  map.values.reserve(in.pixels.total());
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      map.values.push_back(depth == CV_8U    ? static_cast<float>(in.pixels.at<std::uint8_t>(y, x))
                           : depth == CV_16U ? static_cast<float>(in.pixels.at<std::uint16_t>(y, x))
                                             : in.pixels.at<float>(y, x));
    }
  }
  return map;
}

std::string encode_png(const Image& image) {
  return encode(".png", to_bgr(image), {});
}

std::string encode_png16(int width, int height, std::span<const std::uint16_t> values) {
  ADB_ASSERT(width > 0 && height > 0 &&
             values.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  cv::Mat pixels(height, width, CV_16UC1);
  std::copy(values.begin(), values.end(), pixels.ptr<std::uint16_t>());
  return encode(".png", pixels, {});
}

std::string encode_jpeg(const Image& image, int quality) {
  ADB_ASSERT(quality >= 1 && quality <= 100);
  return encode(".jpg", to_bgr(image), {cv::IMWRITE_JPEG_QUALITY, quality});
}

void write_png(const std::filesystem::path& file, const Image& image) {
  write_file_atomic(file, encode_png(image));
}

}  // namespace adb
