// The light include for headers: at::Tensor and its member functions, without operators or modules.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace adb {

// Tensors by name, in a fixed order. Tensors are handles: copying the list does not copy values.
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// The tensor called `name`, or nullptr.
inline const at::Tensor* find_tensor(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [key, tensor] : tensors) {
    if (key == name) {
      return &tensor;
    }
  }
  return nullptr;
}

inline std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    names.push_back(name);
  }
  return names;
}

}  // namespace adb
