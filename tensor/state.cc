#include "tensor/state.h"

#define AT_PER_OPERATOR_HEADERS
#include <cstring>
#include <optional>
#include <utility>

#include <ATen/ops/empty.h>

#include "formats/checkpoint.h"
#include "formats/safetensors.h"

namespace adb {
namespace {

constexpr std::pair<DType, at::ScalarType> kTypes[] = {{DType::kF16, at::kHalf},
                                                       {DType::kBF16, at::kBFloat16},
                                                       {DType::kF32, at::kFloat},
                                                       {DType::kF64, at::kDouble},
                                                       {DType::kU8, at::kByte},
                                                       {DType::kI8, at::kChar},
                                                       {DType::kI16, at::kShort},
                                                       {DType::kI32, at::kInt},
                                                       {DType::kI64, at::kLong},
                                                       {DType::kBool, at::kBool}};

std::optional<at::ScalarType> scalar_type(DType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) {
      return theirs;
    }
  }
  return std::nullopt;
}

DType dtype_of(const at::Tensor& tensor, const std::string& name) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == tensor.scalar_type()) {
      return ours;
    }
  }
  fail(ErrorKind::kInternal, "tensor '{}' has a type that files do not hold", name);
}

}  // namespace

void write_tensors(const std::filesystem::path& file,
                   const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata) {
  NamedArrays arrays;
  std::vector<at::Tensor> kept;  // owns the CPU copies until the file is written
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().cpu().contiguous());
    const auto& source = kept.back();
    const auto* data = static_cast<const std::uint8_t*>(source.const_data_ptr());
    arrays.emplace_back(name,
                        ArrayView{dtype_of(source, name),
                                  source.sizes().vec(),
                                  {data, static_cast<std::size_t>(source.nbytes())}});
  }
  write_safetensors(file, arrays, metadata, ErrorKind::kData);
}

NamedTensors read_checkpoint(const std::filesystem::path& file, ErrorKind kind) {
  const auto checkpoint = Checkpoint::open(file, "", kind);
  NamedTensors tensors;
  for (const auto& name : checkpoint.names()) {
    const auto where = fmt::format("'{}': tensor '{}'", file.string(), name);
    tensors.emplace_back(name, to_tensor(checkpoint.at(name), where, kind));
  }
  return tensors;
}

at::Tensor to_tensor(const ArrayView& array, const std::string& where, ErrorKind kind) {
  const auto type = scalar_type(array.dtype);
  ADB_CHECK(type.has_value(), kind, "{}: type {} is not supported", where, dtype_name(array.dtype));
  auto tensor = at::empty(array.shape, *type);
  if (!array.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), array.bytes.data(), array.bytes.size());
  }
  return tensor;
}

NamedTensors read_tensors(const std::filesystem::path& file, ErrorKind kind) {
  const auto opened = SafetensorsFile::open(file, kind);
  NamedTensors tensors;
  for (const auto& name : opened.names()) {
    tensors.emplace_back(
        name,
        to_tensor(opened.at(name), fmt::format("'{}': tensor '{}'", file.string(), name), kind));
  }
  return tensors;
}

void restore_tensors(const NamedTensors& into,
                     const NamedTensors& from,
                     const std::string& where,
                     ErrorKind kind) {
  const std::map<std::string, at::Tensor> given(from.begin(), from.end());
  ADB_CHECK(given.size() == into.size(),
            kind,
            "{}: holds {} tensors, expected {}",
            where,
            given.size(),
            into.size());
  for (const auto& [name, tensor] : into) {
    const auto found = given.find(name);
    ADB_CHECK(found != given.end(), kind, "{}: tensor '{}' is missing", where, name);
    ADB_CHECK(found->second.sizes() == tensor.sizes() &&
                  found->second.scalar_type() == tensor.scalar_type(),
              kind,
              "{}: tensor '{}' has another shape or type",
              where,
              name);
    at::Tensor target = tensor.detach();
    target.copy_(found->second);
  }
}

}  // namespace adb
