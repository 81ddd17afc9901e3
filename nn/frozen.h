// Running frozen networks so that an image's outputs do not depend on its neighbours in the batch.
#pragma once

#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace adb {

// Calls `network` with one image at a time and joins the outputs: kernels choose their blocking by
// the batch size, so that in a batch the same image may get other bits. On the CPU several images
// are shared out over LibTorch's threads, which then compute each image alone.
//   images: [B, ...], B > 0
//   network: [1, ...] -> any number of [1, ...]; called from several threads at once
//   returns: contiguous [B, ...] each, whatever memory format the network gives
std::vector<at::Tensor> frozen_by_image(
    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& network,
    const at::Tensor& images);

}  // namespace adb
