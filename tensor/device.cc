#include "tensor/device.h"

#include <charconv>
#include <cstdlib>

#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>

#include "core/error.h"

namespace adb {

at::Device parse_device(const std::string& text) {
  if (text == "cpu") {
    return at::kCPU;
  }
  unsigned number = 0;
  const auto* const end = text.data() + text.size();
  const auto* const digits = text.data() + std::min<std::size_t>(text.size(), 5);
  const auto parsed = std::from_chars(digits, end, number);
  ADB_CHECK(text.starts_with("cuda:") && parsed.ec == std::errc() && parsed.ptr == end,
            ErrorKind::kUsage,
            "device: expected cpu or cuda:N, got '{}'",
            text);
  ADB_CHECK(number < at::getNumGPUs(),
            ErrorKind::kUsage,
            "device: '{}' is not there: LibTorch sees {} GPUs",
            text,
            at::getNumGPUs());
  return {at::kCUDA, static_cast<c10::DeviceIndex>(number)};
}

void make_deterministic(at::Device device) {
  if (device.is_cpu()) {
    return;
  }
  // cuBLAS reads it when its first handle is made.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);  // for finding bugs only
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
}

std::optional<std::int64_t> peak_device_memory(at::Device device) {
  if (device.is_cpu()) {
    return std::nullopt;
  }
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return stats.allocated_bytes[kAll].peak;
}

void reset_peak_device_memory(at::Device device) {
  if (!device.is_cpu()) {
    c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
  }
}

}  // namespace adb
