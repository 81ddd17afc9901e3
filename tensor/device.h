// What differs between the CPU and accelerators, said once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <c10/core/Device.h>

namespace adb {

// "cpu", "cuda:0", ... throws: Error(kUsage) for other words, and for a device that LibTorch does
// not see
at::Device parse_device(const std::string& text);

// Before the first tensor on `device`: deterministic algorithms where LibTorch has them and full
// float32 instead of TF32. On the CPU, which is deterministic as it is, nothing happens. Where an
// operator has no deterministic algorithm LibTorch warns on stderr and goes on.
void make_deterministic(at::Device device);

// The most bytes that tensors on `device` took since the process began or the last reset; nothing
// for the CPU.
std::optional<std::int64_t> peak_device_memory(at::Device device);
void reset_peak_device_memory(at::Device device);

}  // namespace adb
