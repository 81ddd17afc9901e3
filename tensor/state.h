// Named tensors to and from files.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/error.h"
#include "formats/array.h"
#include "tensor/tensor.h"

namespace adb {

// Writes CPU copies of the tensors as safetensors, atomically. throws: Error(kData)
void write_tensors(const std::filesystem::path& file,
                   const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata = {});

// Reads all tensors of a safetensors file, in file order. throws: Error(kind) naming file and
// tensor
NamedTensors read_tensors(const std::filesystem::path& file, ErrorKind kind);

// Reads all tensors of a checkpoint of any supported format (formats/checkpoint.h), in file order.
//   throws: Error(kind) naming file and tensor
NamedTensors read_checkpoint(const std::filesystem::path& file, ErrorKind kind);

// A copy of an array as a tensor. throws: Error(kind) for dtypes LibTorch does not have
at::Tensor to_tensor(const ArrayView& array, const std::string& where, ErrorKind kind);

// Copies values by name into existing tensors of the same names, shapes and dtypes.
//   throws: Error(kind) naming the first tensor that is absent, unexpected or does not fit
void restore_tensors(const NamedTensors& into,
                     const NamedTensors& from,
                     const std::string& where,
                     ErrorKind kind);

}  // namespace adb
