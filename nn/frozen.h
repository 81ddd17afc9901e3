// Running frozen networks so that an image's outputs do not depend on its neighbours in the batch.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace adb {

// Calls `network` with exactly `chunk` images at a time (the last call is filled up with zeros,
// whose outputs are dropped) and joins the outputs. Kernels choose their blocking by the batch
// size, so the same image may get other bits in another batch; with chunk = 1 it cannot, with a
// larger chunk as far as its place in the chunk does not matter.
//   images: [B, ...], B > 0   network: [chunk, ...] -> any number of [chunk, ...]
//   returns: contiguous [B, ...] each, whatever memory format the network gives
std::vector<at::Tensor> frozen_in_chunks(
    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& network,
    const at::Tensor& images,
    std::int64_t chunk);

}  // namespace adb
