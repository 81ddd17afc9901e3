// Operators of oneDNN that LibTorch registers by name, without a C++ declaration.
#pragma once

#include <cstddef>
#include <optional>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include "tensor/tensor.h"

namespace adb {

// Nothing when this LibTorch has no such operator, or one with another number of arguments: then
// the plain operators must serve.
std::optional<c10::OperatorHandle> onednn_operator(const char* name,
                                                   const char* overload,
                                                   std::size_t num_arguments);

// Whether such operators may take the place of plain ones for `x`: float32 on the CPU, oneDNN
// switched on, and no observer that wants every step by itself (tensor/separate_operators.h).
bool onednn_serves(const at::Tensor& x);

// Of an operator that returns one tensor.
at::Tensor call(const c10::OperatorHandle& op, torch::jit::Stack arguments);

}  // namespace adb
