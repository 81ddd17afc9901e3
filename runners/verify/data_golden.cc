#include "runners/verify/data_golden.h"

#define AT_PER_OPERATOR_HEADERS
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include "core/error.h"
#include "formats/array.h"
#include "images/resize.h"

namespace adb {
namespace {

constexpr auto kKind = ErrorKind::kData;
constexpr std::int64_t kMaxSide = 4096;

template <class T>
at::Tensor tensor_of(const std::vector<T>& values, at::IntArrayRef shape) {
  auto tensor = at::empty(shape, c10::CppTypeToScalarType<T>::value);
  ADB_ASSERT(tensor.numel() == static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), tensor.template mutable_data_ptr<T>());
  return tensor;
}

template <class T>
std::vector<T> values_of(const at::Tensor& tensor) {
  const auto flat = tensor.to(c10::CppTypeToScalarType<T>::value).contiguous();
  const auto* data = flat.template const_data_ptr<T>();
  return {data, data + flat.numel()};
}

// [H, W, C] uint8
Image image_of(const at::Tensor& tensor, const std::string& where) {
  ADB_CHECK(tensor.dim() == 3 && tensor.scalar_type() == at::kByte && tensor.size(0) >= 1 &&
                tensor.size(1) >= 1 && tensor.size(0) <= kMaxSide && tensor.size(1) <= kMaxSide &&
                (tensor.size(2) == 1 || tensor.size(2) == 3),
            kKind,
            "{}: expected an 8-bit image [H, W, 3], got {}",
            where,
            shape_text(tensor.sizes()));
  Image image(static_cast<int>(tensor.size(1)),
              static_cast<int>(tensor.size(0)),
              static_cast<int>(tensor.size(2)));
  image.pixels = values_of<std::uint8_t>(tensor);
  return image;
}

at::Tensor tensor_of(const Image& image) {
  return tensor_of(image.pixels, {image.height, image.width, image.channels});
}

const Json& described_tensors(const GoldenCase& golden) {
  const auto& tensors = json_at(golden.json, "tensors", golden.name, kKind);
  ADB_CHECK(tensors.is_object(), kKind, "{}: tensors: expected an object", golden.name);
  return tensors;
}

struct Size {
  int width = 0;
  int height = 0;
};

// The target size is that of the stored tensor: [H, W] or [C, H, W].
Size target_size(const Json& entry, const std::string& where) {
  const auto& shape = json_at(entry, "shape", where, kKind);
  ADB_CHECK(shape.is_array() && shape.size() >= 2, kKind, "{}: expected a shape", where);
  const auto side = [&](std::size_t from_end) {
    const auto extent = json_int(shape[shape.size() - from_end], where, kKind);
    ADB_CHECK(extent >= 1 && extent <= kMaxSide,
              kKind,
              "{}: side {} is not in 1 .. {}",
              where,
              extent,
              kMaxSide);
    return static_cast<int>(extent);
  };
  return {side(1), side(2)};
}

GoldenResult run_data(const GoldenCase& golden) {
  golden.require_config({"filter"});
  const auto& tensors = described_tensors(golden);
  GoldenResult result;
  for (const auto& [name, input] : golden.inputs) {
    const auto where = fmt::format("{}: inputs: {}", golden.name, name);
    if (name.starts_with("image.")) {
      const auto base = name.substr(6);
      const auto& entry = json_at(tensors, base + ".u8", where, kKind);
      const auto size = target_size(entry, where);
      ADB_CHECK(input.dim() == 3,
                kKind,
                "{}: expected [3, H, W], got {}",
                where,
                shape_text(input.sizes()));
      const auto resized =
          resize_image(image_of(input.permute({1, 2, 0}), where), size.width, size.height);
      std::vector<float> planes(resized.pixels.size());
      normalise_planes(resized, kImageNetMean, kImageNetStd, planes);
      result.tensors.emplace_back(base + ".u8", tensor_of(resized).permute({2, 0, 1}));
      result.tensors.emplace_back(base + ".tensor",
                                  tensor_of(planes, {3, size.height, size.width}));
      continue;
    }
    const auto size = target_size(json_at(tensors, name, where, kKind), where);
    ADB_CHECK(input.dim() == 2,
              kKind,
              "{}: expected a mask [H, W], got {}",
              where,
              shape_text(input.sizes()));
    const auto mask = input.unsqueeze(2).mul(255).to(at::kByte);
    const auto resized = tensor_of(resize_mask(image_of(mask, where), size.width, size.height),
                                   {size.height, size.width});
    result.scalars[name + "_positive_before"] = input.ne(0).sum().item<double>();
    result.scalars[name + "_positive_after"] = resized.sum().item<double>();
    result.tensors.emplace_back(name, resized);
  }
  return result;
}

}  // namespace

GoldenFunction data_golden_function() {
  return {"data", "*", run_data, {}, ""};
}

}  // namespace adb
