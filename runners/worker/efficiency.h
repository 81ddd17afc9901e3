// What a method costs: parameters, multiply-accumulates, memory.
#pragma once

#include <cstdint>
#include <functional>

#include "methods/method.h"

namespace adb {

struct ParameterCount {
  std::int64_t total = 0;  // without buffers; with layers that only the published number counts
  std::int64_t trainable = 0;
};
ParameterCount count_parameters(const Method& method);

struct MacCount {
  std::int64_t macs = 0;  // convolutions, linear layers, matrix products, both attention products
  std::int64_t with_norms =
      0;  // and 2 per BatchNorm, 5 per LayerNorm, 4 per upsampled output element
};

// Counts what one prediction of one image computes, by watching LibTorch's operators. Work in
// float64 is post-processing of maps and does not count.
MacCount count_macs(Method& method, at::Device device = at::kCPU);

// Peak resident memory of this process in bytes since the last reset (or its start).
std::int64_t peak_memory_bytes();
void reset_peak_memory();

}  // namespace adb
