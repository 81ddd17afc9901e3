// Sums over the GPUs of several processes without a way through the host: NCCL, where this build
// has it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <c10/core/Device.h>

#include "tensor/tensor.h"

namespace adb {

class DeviceSums {
 public:
  virtual ~DeviceSums() = default;
  // In place over all ranks, with the same bits for all; collective, in the order of the device's
  // current stream. flat: [N], float32, float64 or int64, contiguous, on the group's device.
  //   throws: Error(kInternal) with NCCL's reason
  virtual void sum(const at::Tensor& flat) = 0;
};

// Collective: every rank calls it, each with a GPU of its own. Null in a build without NCCL.
//   from_lead: gives every rank the lead's text
//   throws: Error(kInternal) with NCCL's reason
std::unique_ptr<DeviceSums> nccl_sums(
    std::int64_t rank,
    std::int64_t size,
    at::Device device,
    const std::function<std::string(const std::string&)>& from_lead);

}  // namespace adb
